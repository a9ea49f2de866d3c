"""What a proxy's header says: the grammar of RFC 7239 and of the two older headers."""

import pytest

from rafflekit.core.settings import ProxyHeader
from rafflekit.http.forwarded import addresses, elements
from tests.http.growth import growth


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [{}]),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}]),
        ('For="[2001:db8:cafe::17]:4711"', [{"for": "[2001:db8:cafe::17]:4711"}]),
        ("for=192.0.2.43, for=198.51.100.17", [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}]),
        ('for=_gazonk;ext=",;=\\"\\\\\\x"', [{"for": "_gazonk", "ext": ',;="\\x'}]),
        (' \tfor=a ;\tby=""  ,host=b\t', [{"for": "a", "by": ""}, {"host": "b"}]),
        ("for=a;", [{"for": "a"}]),
        (";;for=a", [{"for": "a"}]),
        (",for=a,,", [{}, {"for": "a"}, {}, {}]),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(text: str, expected: list[dict[str, str]]) -> None:
    assert elements(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "for",
        "for=",
        "=a",
        "for =a",
        "for= a",
        "for=a b",
        "for=[2001:db8::1]",
        "for=192.0.2.1:80",
        'for="a',
        'for=a"',
        'for="a"b',
        'for="a\\"',
        'for="a" "b"',
        'for="\xe9"',
        'for="\x00"',
        'for="\\\xe9"',
        "for=\xe9",
        "for=a;FOR=b",
        'x=", for=192.0.2.1;host="raffle.example"',
        "for=192.0.2.1\n",
        "\u2003for=192.0.2.1",
    ],
)
def test_a_header_that_breaks_the_grammar_says_nothing(text: str) -> None:
    assert elements(text) is None
    assert elements(f"for=192.0.2.1, {text}, for=192.0.2.2") is None
    assert list(addresses(ProxyHeader.FORWARDED, f"for=192.0.2.1, {text}")) == [None]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("192.0.2.1:_hidden.Port-1", "192.0.2.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("[fe80::1%eth0]", "fe80::1"),
        ("unknown", None),
        ("Unknown", None),
        ("_hidden", None),
        ("unknown:80", None),
        ("", None),
        ("2001:db8::1", None),
        ("[192.0.2.1]", None),
        ("[2001:db8::1", None),
        ("[2001:db8::1]:123456", None),
        ("[2001:db8::1]80", None),
        ("[[2001:db8::1]]", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:80:80", None),
        ("192.0.2.1:http", None),
        (" 192.0.2.1", None),
        ("192.0.2.01", None),
        ("raffle.example", None),
    ],
)
def test_a_node_is_an_address_with_or_without_a_port(node: str, expected: str | None) -> None:
    (address,) = addresses(ProxyHeader.FORWARDED, f'for="{node}"')

    assert (address and str(address)) == expected


def test_an_element_without_for_is_a_hop_that_cannot_be_read() -> None:
    read = list(addresses(ProxyHeader.FORWARDED, "proto=https, for=192.0.2.1;by=192.0.2.2,"))

    assert (read[0], str(read[1]), read[2]) == (None, "192.0.2.1", None)
    assert list(addresses(ProxyHeader.FORWARDED, "")) == [None]


def test_the_nearest_hop_comes_first() -> None:
    hops = addresses(ProxyHeader.X_FORWARDED_FOR, "192.0.2.1, nonsense, 192.0.2.2")

    assert [str(hop) for hop in hops] == ["192.0.2.2", "None", "192.0.2.1"]


def test_a_header_of_more_than_4096_characters_is_not_read() -> None:
    longest = "for=192.0.2.1".rjust(4_096, ",")

    assert elements(longest) is not None
    assert elements(f",{longest}") is None


@pytest.mark.parametrize("header", [ProxyHeader.X_FORWARDED_FOR, ProxyHeader.X_REAL_IP])
@pytest.mark.parametrize("begins", ["[", "[:]:_", ""])
@pytest.mark.parametrize("goes_on", [":", "[", "_", "1", "1:", ",", "[:", "%"])
def test_reading_a_long_header_takes_no_more_than_its_length(header: ProxyHeader, begins: str, goes_on: str) -> None:
    assert growth(lambda length: list(addresses(header, begins + goes_on * (length // len(goes_on))))) < 10
