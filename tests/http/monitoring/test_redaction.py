"""What is removed from a text before it is logged, and what stays."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol import codes
from rafflekit.http.monitoring.redaction import REMOVED, network_of, redacted
from tests.http.growth import growth

CODE = codes.spell(bytes(15))


BOUNDARIES = st.sampled_from(
    ["", " ", ".", ":", ",", "'", '"', "(", "[", "/", "=", "@", "\n", "...", "::", "_", "-", "--", "\\n", "\\x1b"]
)


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).filter(
    # An address that is also its network's name may stay, as may very short ones that look like words.
    lambda address: str(network_of(address)).partition("/")[0] != str(address)
)


@settings(max_examples=150)
@given(address=ADDRESSES, before=BOUNDARIES, behind=BOUNDARIES)
@example(address=IPv4Address("203.0.113.77"), before="...", behind=".")
@example(address=IPv6Address("fe80::1:2:3:4"), before="", behind="%eth0")
@example(address=IPv6Address("2001:db8:1:2:3:4:5:6"), before="code:", behind="")
@example(address=IPv6Address("2001:db8::1"), before="::", behind=":")
@example(address=IPv6Address("::ffff:203.0.113.77"), before="", behind="")
@example(address=IPv6Address("1:2:3:4:5:6:7:8"), before=":", behind="::")
@example(address=IPv4Address("203.0.113.77"), before="", behind=".5")
@example(address=IPv4Address("203.0.113.77"), before="11:24:", behind="")
@example(address=IPv6Address("2001:db8::1"), before="x.", behind="")
@example(address=IPv6Address("2001:db8::1"), before="." * 100, behind="")
def test_no_whole_address_stays_in_text(address: IPv4Address | IPv6Address, before: str, behind: str) -> None:
    for spelling in {str(address), address.exploded, str(address).upper()}:
        assert spelling not in redacted(f"the client {before}{spelling}{behind} is gone")


@settings(max_examples=100)
@given(code=st.binary(min_size=15, max_size=15).map(codes.spell), before=BOUNDARIES, behind=BOUNDARIES)
@example(code=CODE, before="code-", behind="")
@example(code=CODE, before="aaaa bbbb cccc dddd ", behind="")
@example(code=CODE, before="aaaa-bbbb-cccc-dddd-eeee-", behind="-ffff")
@example(code=CODE, before="deadbeef-", behind="")
def test_no_code_stays_in_text(code: str, before: str, behind: str) -> None:
    plain = code.replace("-", "")
    separated = (code.replace("-", separator) for separator in ("--", " ", "\t", " - ", "–", "\xa0", "\u2212\u200b"))
    for spelling in (code, plain, f"{plain[:3]}-{plain[3:]}", *separated):
        assert codes.read(spelling) == plain
        for cased in (spelling, spelling.lower()):
            text = redacted(f"the code {before}{cased}{behind} is wrong")
            # Not even its end, which would leave little to guess.
            assert cased[-6:] not in text
            assert REMOVED in text


# Anything that may surround a code; letters, digits, dashes and blanks are tried more often than by chance.
ANYTHING = st.one_of(st.text(max_size=20), st.text("aZ09-- \t\n\\", max_size=40))


@settings(max_examples=1_000)
@given(code=st.binary(min_size=15, max_size=15).map(codes.spell), before=ANYTHING, behind=ANYTHING)
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="x", behind="")
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="x", behind="y")
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="the code", behind="was used")
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="aaaa-bbbb-x", behind="-")
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="xaaaa-bbbb-", behind="y")
@example(code="0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ", before="3f0c1234-ab12-4cd3-9ef4-123456789abc", behind="")
def test_no_code_can_be_read_whatever_surrounds_it(code: str, before: str, behind: str) -> None:
    groups = code.split("-")
    separators = ["-", "--", " - ", "\t-", "\u2011", "\u2003–\u200b"]
    # Without dashes and digits, a code may be a word.
    if any(character.isdigit() for character in code) and not is_hexadecimal(code):
        separators += [" ", "\t", ""]
    for separator in separators:
        for cased in (groups, [group.lower() for group in groups]):
            text = redacted(f"{before}{separator.join(cased)}{behind}")
            # At most one group at an end is left, so 100 bits are still unknown.
            left = [group for group in cased if group not in before + behind and group in text]
            assert len(left) <= 1
            assert REMOVED in text


def is_hexadecimal(code: str) -> bool:
    return set(code) <= set("0123456789ABCDEF-")


@pytest.mark.parametrize(
    ("address", "network"),
    [("::ffff:203.0.113.7", "203.0.113.0/24"), ("203.0.113.7:80", "203.0.113.0/24:80"), ("203.0.113.7.5", REMOVED)],
)
def test_an_address_is_replaced_once(address: str, network: str) -> None:
    assert redacted(f"from {address}.") == f"from {network}."


@pytest.mark.parametrize(
    "piece",
    [
        *(".", ":", "-", "a", "a-", "1.", "a.", "aaaa ", " ", "." * 60 + ":", ".:", "a:", "1:"),
        *("aaaa-", "aaaa -", " -", "aaaa-aaaa-aaaa-aaaa-aaaa-a-", "a" * 24 + " ", "aaaa" + " " * 60, "a" * 60 + "1 "),
    ],
)
@pytest.mark.parametrize("end", ["", "x"])
def test_redacting_a_long_text_takes_no_more_than_its_length(piece: str, end: str) -> None:
    assert growth(lambda length: redacted(piece * (length // len(piece)) + end)) < 10


@settings(max_examples=200)
@given(key=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=16, max_size=40))
def test_no_secret_stays_in_text_quoted_or_not(key: str) -> None:
    text = redacted(f"bare {key}, quoted {key!r}", [key])

    assert key not in text
    assert repr(key) not in text


@pytest.mark.parametrize(
    "text",
    [
        "at 11:24:29 in line 12",
        "/raffles/3f0c1234-ab12-4cd3-9ef4-123456789abc/winners",
        "argon2-cffi 25.1.0, std::vector, ::, Python 3.11.7",
        "the database is locked by somebody else, try again later",
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "0x2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "information that with some more textual stuff is InvalidVerificationCodeError",
        "rafflekit-worker-deployment-7d9f8b6c5d-x2x4z",
        'File "/srv/rafflekit/http/app.py", line 12, in process_response',
    ],
)
def test_texts_without_secrets_are_unchanged(text: str) -> None:
    assert redacted(text) == text


@settings(max_examples=200)
@given(token=st.binary(min_size=16, max_size=16).map(lambda raw: f"rkp_{raw.hex()}"), before=ANYTHING, behind=ANYTHING)
@example(token=f"rkp_{bytes(16).hex()}", before=f"{CODE}-", behind="")
@example(token=f"rkp_{bytes(16).hex()}", before="cookie: rafflekit_pass=", behind="; x")
def test_no_token_of_a_pass_stays_in_text(token: str, before: str, behind: str) -> None:
    for cased in (token, token.upper()):
        assert cased[4:] not in redacted(f"{before}{cased}{behind}")
