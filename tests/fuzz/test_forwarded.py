"""Headers of proxies: they mean what the proxy wrote, whatever a client adds."""

from ipaddress import IPv4Address, IPv6Address

from falcon import testing
from hypothesis import strategies as st

from rafflekit.http.access import Access
from rafflekit.http.forwarded import elements
from tests.fuzz.cases import damaged, fuzz
from tests.http.environs import ACCESS, BY_FORWARDED, BY_X_REAL_IP, PROXIES, environ

NAMES = {"for": "src", "by": "dest", "host": "host", "proto": "scheme"}
TOKEN = st.text(st.sampled_from("aZ09!#$%&'*+.^_`|~-"), min_size=1, max_size=60)
VALUE = TOKEN | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=60)
BLANK = st.text(st.sampled_from(" \t"), max_size=2)
ELEMENT = st.dictionaries(st.sampled_from([*NAMES, "ext", "secret"]), VALUE, min_size=1)
CLIENTS = st.ip_addresses(network="203.0.113.0/24") | st.ip_addresses(network="2001:db8::/48")
# What a client may send itself: pieces of the grammar, in any order.
JUNK = st.lists(
    st.sampled_from(
        ["for=", "host=", '"', "\\", ",", ";", "=", " ", "198.51.100.1", "[2001:db8:1::1]", "10.0.0.2", "a"]
    ),
    max_size=12,
).map("".join)
ANYTHING = JUNK | damaged(st.just('for="[2001:db8::1]:80";host=a, for=10.0.0.2'), alphabet='",;=\\ []:0a') | st.text()
HEADERS = ((ACCESS, "x_forwarded_for"), (BY_FORWARDED, "forwarded"), (BY_X_REAL_IP, "x_real_ip"))


def is_token(value: str) -> bool:
    return bool(value) and all(character.isalnum() or character in "!#$%&'*+.^_`|~-" for character in value)


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@st.composite
def written(draw: st.DrawFn, element: dict[str, str]) -> str:
    """Write an element in any form that the grammar allows."""
    pairs = []
    for name, value in element.items():
        spelled = value if is_token(value) and draw(st.booleans()) else quoted(value)
        pairs.append(f"{draw(st.sampled_from([name, name.upper(), name.title()]))}={spelled}")
    return ";".join(pairs)


@fuzz(meant=st.lists(ELEMENT, min_size=1, max_size=4), data=st.data())
def test_forwarded_elements_are_read_as_falcon_reads_them(meant: list[dict[str, str]], data: st.DataObject) -> None:
    text = ",".join(data.draw(BLANK) + data.draw(written(element)) + data.draw(BLANK) for element in meant)

    assert elements(text) == meant
    others = testing.create_req(headers={"Forwarded": text}).forwarded
    assert others is not None
    read = [
        {name: value for name, field in NAMES.items() if (value := getattr(other, field)) is not None}
        for other in others
    ]
    known = [
        {name: element[name].lower() if name == "proto" else element[name] for name in element} for element in meant
    ]
    assert read == [{name: value for name, value in element.items() if name in NAMES} for element in known]


@fuzz(text=ANYTHING)
def test_anything_that_is_read_can_be_written_and_read_again(text: str) -> None:
    read = elements(text)
    if read is None:
        return

    again = ",".join(";".join(f"{name}={quoted(value)}" for name, value in element.items()) for element in read)
    assert elements(again) == read


@fuzz(sent=JUNK, claimed=JUNK | st.just("raffle.example"), client=CLIENTS, order=st.booleans(), by=st.booleans())
def test_a_client_cannot_change_a_proxys_element(
    sent: str, claimed: str, client: IPv4Address | IPv6Address, *, order: bool, by: bool
) -> None:
    """The proxy appends an element with the client's Host in it, in quotes and with escapes, as it must."""
    pairs = [f"for={quoted(f'[{client}]' if client.version == 6 else str(client))}", f"host={quoted(claimed)}"]
    honest = ";".join([*(pairs if order else reversed(pairs)), *(['by="_proxy"'] if by else [])])
    request = environ("10.0.0.1", forwarded=f"{sent},{honest}" if sent else honest)

    assert BY_FORWARDED.client_address(request) in (client, None)
    assert BY_FORWARDED._forwarded(request, "host") in (claimed, None)
    alone = environ("10.0.0.1", forwarded=honest)
    assert BY_FORWARDED.client_address(alone) == client
    assert BY_FORWARDED._forwarded(alone, "host") == claimed


@fuzz(sent=ANYTHING, client=CLIENTS, port=st.sampled_from(["", ":80"]))
def test_a_client_cannot_hide_the_address_that_a_proxy_appends(
    sent: str, client: IPv4Address | IPv6Address, port: str
) -> None:
    hop = f"[{client}]{port}" if client.version == 6 else f"{client}{port}"

    assert ACCESS.client_address(environ("10.0.0.1", x_forwarded_for=f"{sent},{hop}")) == client
    assert BY_X_REAL_IP.client_address(environ("10.0.0.1", x_real_ip=f"{sent},{hop}")) is None


@fuzz(text=ANYTHING, peer=st.sampled_from(["10.0.0.1", "::ffff:10.0.0.200", "2001:db8:ffff::1"]))
def test_no_header_makes_a_proxy_the_client(text: str, peer: str) -> None:
    for access, header in HEADERS:
        address = access.client_address(environ(peer, **{header: text}))
        assert address is None or not any(address in network for network in PROXIES)


@fuzz(text=ANYTHING, peer=st.ip_addresses().filter(lambda address: not any(address in known for known in PROXIES)))
def test_only_the_proxys_header_changes_the_client(text: str, peer: IPv4Address | IPv6Address) -> None:
    for access, header in HEADERS:
        plain = environ(str(peer), host="raffle.example")
        request = plain | environ(str(peer), **{header: text, "x_forwarded_host": text, "x_forwarded_proto": text})
        assert access.client_address(request) == Access.client_address(access, plain)
        assert access.base_url(request) == access.base_url(plain) == "http://raffle.example"
