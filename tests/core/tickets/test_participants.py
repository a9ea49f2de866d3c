"""Participants: one spelling per person, and only a keyed hash of it is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import InvalidValue
from rafflekit.core.limits import check_participant
from rafflekit.core.tickets.participants import KEY_BYTES, normalise, participant_hash, repeat_hash

LONGEST = "0000:0000:0000:0000:0000:ffff:203.100.113.107%" + "x" * 15


@pytest.mark.parametrize(
    ("written", "counts_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:CB00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::", "::/64"),
        # Addresses that contain an IPv4 address but are not IPv4-mapped: compatible, NAT64, 6to4.
        ("::203.0.113.7", "::/64"),
        ("64:ff9b::203.0.113.7", "64:ff9b::/64"),
        ("2002:cb00:7107::1", "2002:cb00:7107::/64"),
        ("fe80::1%", "fe80::1%"),
        ("203.0.113.7%eth0", "203.0.113.7%eth0"),
        ("::1%" + "x" * 100, "::1%" + "x" * 100),
        # One character more than the longest address.
        (LONGEST, "203.100.113.107"),
        (LONGEST + "x", LONGEST + "x"),
        ("\uff12\uff10\uff13.0.113.7", "203.0.113.7"),
        ("\u200b203.0.113.7\u2060", "203.0.113.7"),
        ("\ufeff2001:DB8:1:2::1\n", "2001:db8:1:2::/64"),
        ("staff 0042", "staff 0042"),
        ("ann@example.org\n", "ann@example.org"),
        ("Ann@Example.ORG", "ann@example.org"),
        ("\u200bann@exam\u200b\xadple.org", "ann@example.org"),
        ("\uff21nn@example.org", "ann@example.org"),
        ("  Ann\u3000 \xa0Stra\xdfe ", "ann strasse"),
        ("ann\u3164\u2800", "ann"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u0391\u03a3", "\u03b1\u03c3"),
        ("e\u200d\u0301", "\xe9"),
        ("Zoe\u0308", "zo\u00eb"),
        ("203.0.113.07", "203.0.113.07"),
        ("203.0.113", "203.0.113"),
        ("an.example.of.dots", "an.example.of.dots"),
        ("1", "1"),
    ],
)
def test_a_participant_counts_in_one_spelling(written: str, counts_as: str) -> None:
    assert normalise(written) == counts_as


@pytest.mark.parametrize(
    ("prefix", "counts_as"),
    [
        (48, "2001:db8:1::/48"),
        (56, "2001:db8:1:200::/56"),
        (63, "2001:db8:1:202::/63"),
        (64, "2001:db8:1:203::/64"),
        (128, "2001:db8:1:203:4:5:6:7/128"),
    ],
)
def test_a_prefix_says_what_counts_of_an_ipv6_address(prefix: int, counts_as: str) -> None:
    assert normalise("2001:db8:1:203:4:5:6:7", prefix) == counts_as
    assert normalise("::ffff:203.0.113.7", prefix) == normalise("203.0.113.7", prefix) == "203.0.113.7"
    assert normalise("ann@example.org", prefix) == "ann@example.org"
    key = bytes(KEY_BYTES)
    assert participant_hash(key, "2001:db8:1:203:4:5:6:7", prefix) == participant_hash(key, counts_as)


# Case, marks and composition meet in Greek; the others are invisible, blank or compatibility characters.
TRICKY = st.sampled_from(
    "\u0345\u0301\u0313\u03b1\u0391\u1fb3\u03a3\u0130I\u0307\u1e9e\u0390\u200b\u3164\u2800\xa8\xa0 \ufe0f\ufdfa\u212b"
)


@given(st.text(TRICKY | st.characters(codec="utf-8")))
def test_a_spelling_that_counts_stays_the_same(text: str) -> None:
    spelling = normalise(text)

    assert normalise(spelling) == spelling


@given(st.lists(st.text(TRICKY | st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_invisible_characters_and_blanks_make_no_new_person(words: list[str]) -> None:
    plain = " ".join(words)

    assert normalise("\u200b" + plain.replace(" ", " \u2060\t\xa0") + "\xad") == normalise(plain)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=5))
def test_a_participant_that_passes_counts_as_some_text(text: str) -> None:
    try:
        check_participant(text)
    except InvalidValue:
        assert normalise(text) == ""
    else:
        assert normalise(text)


def test_a_participant_has_a_different_hash_in_each_raffle() -> None:
    one, other = bytes(KEY_BYTES), bytes([1] * KEY_BYTES)

    assert participant_hash(one, "203.0.113.7") == participant_hash(one, "::ffff:203.0.113.7")
    assert participant_hash(one, "203.0.113.7") != participant_hash(other, "203.0.113.7")


def test_an_idempotency_key_has_one_hash_per_participant() -> None:
    key = bytes(KEY_BYTES)

    assert repeat_hash(key, bytes(16), "k" * 16) != repeat_hash(key, bytes([1] * 16), "k" * 16)


def test_a_participants_hash_never_changes() -> None:
    """Stored hashes recognise a participant, so these are frozen."""
    key = bytes(range(KEY_BYTES))

    participant = participant_hash(key, "203.0.113.7")

    assert participant.hex() == "d6dcd04eb2334b4b65f9d85530517601"
    assert repeat_hash(key, participant, "k" * 16).hex() == "93bd1704ea3a5e2a9e70d4c5dbc81581"
    assert repeat_hash(bytes(KEY_BYTES), participant, "k" * 16) != repeat_hash(key, participant, "k" * 16)
