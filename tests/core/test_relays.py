"""A beacon comes from any relay that has the real one; the others cost a bounded time and nothing else."""

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rafflekit.core.protocol.entropy.drand import CHAIN_HASH, Beacon, BlsMissing
from rafflekit.core.relays import DEFAULT_RELAYS, NoRelayGaveIt, RelayWrong, fetch_beacon, read_relays
from tests.core.relay_servers import Answer, Relay, drips, drips_in_the_handshake, hangs, says, self_signed, sends
from tests.protocol.entropy.beacons import DEFAULT_CHAIN, OTHER_ROUNDS, ROUND, SIGNATURE, relay_json
from tests.waiting import wait_until

BEACON = Beacon(ROUND, SIGNATURE)
HONEST = says(relay_json())

SHORT_S = 0.3
"""Long enough if no answer is expected."""
LONG_S = 60.0

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate and is made quickly: for relays without one. None means what the system trusts."""

Start = Callable[..., Relay]


@pytest.fixture
def relay() -> Iterator[Start]:
    """Start relays: call it with an answer, and the TLS context of a server for https; they are stopped afterwards."""
    relays: list[Relay] = []

    def start(answer: Answer, certificate: ssl.SSLContext | None = None) -> Relay:
        relays.append(Relay(answer, certificate))
        return relays[-1]

    yield start
    for started in relays:
        started.stop()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Check after each test that no thread still waits for a relay."""
    yield
    wait_until(lambda: not [each for each in threading.enumerate() if each.name.startswith("relay ")])


def ask(*urls: str, timeout_s: float = LONG_S, context: ssl.SSLContext | None = NOBODY) -> Beacon:
    """Ask relays for the beacon."""
    return fetch_beacon(ROUND, urls, timeout_s=timeout_s, context=context)


def reason_of(url: str, *, timeout_s: float = LONG_S, context: ssl.SSLContext | None = NOBODY) -> str:
    """Return why a relay has no beacon."""
    with pytest.raises(NoRelayGaveIt) as caught:
        ask(url, timeout_s=timeout_s, context=context)
    assert list(caught.value.reasons) == [url]
    return caught.value.reasons[url]


def test_a_beacon_comes_from_a_relay(relay: Start) -> None:
    honest = relay(HONEST)
    assert ask(honest.url) == BEACON
    [request] = honest.requests
    assert request.startswith(f"GET /{CHAIN_HASH}/public/{ROUND} HTTP/1.1\r\n")
    assert f"\r\nHost: {honest.url.removeprefix('http://')}\r\n" in request
    # Some services refuse clients without a User-Agent.
    assert "\r\nUser-Agent: rafflekit\r\n" in request


def test_a_relay_may_be_below_a_path(relay: Start) -> None:
    honest = relay(HONEST)
    assert ask(f"{honest.url}/drand/") == BEACON
    assert honest.requests[0].startswith(f"GET /drand/{CHAIN_HASH}/public/{ROUND} HTTP/1.1\r\n")


OTHERS = {
    "another round's signature": (says(relay_json(ROUND, OTHER_ROUNDS[42])), "the signature is not that of drand's"),
    "another round": (says(relay_json(42, OTHER_ROUNDS[42])), "it is the beacon of round 42, not of round 1000"),
    "a changed signature": (
        says(relay_json(ROUND, bytes([SIGNATURE[0] ^ 0x20]) + SIGNATURE[1:])),
        "the signature is not that of drand's",
    ),
    "another chain": (says(relay_json(ROUND, DEFAULT_CHAIN[1])), "its signature is not 96 hexadecimal digits"),
    "other randomness": (says(relay_json().replace("fe290", "00000")), "its randomness is not the SHA-256"),
    "a page": (says("<html>"), "it is neither JSON"),
    "nothing": (says(""), "it is neither JSON"),
    "no text": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x00"), "it is neither JSON"),
    "no such round": (says("not found", status="404 Not Found"), "it does not have this round (404)"),
    "an error": (says(relay_json(), status="500 Internal Server Error"), "it answered 500"),
    "a body cut off": (
        sends(f"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{relay_json()[:99]}".encode()),
        "it is not JSON",
    ),
    "no HTTP": (sends(b"SSH-2.0-OpenSSH_9.9\r\n"), "its answer is not HTTP"),
    "a closed connection": (sends(b""), "it cannot be reached: Remote end closed connection without response"),
    "a long header": (sends(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "its answer is not HTTP"),
    "too many headers": (sends(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1_000 + b"\r\n"), "its answer is not HTTP"),
    "a byte too many": (says(relay_json().ljust(65_537)), "its answer is longer than 65,536 bytes"),
}


@pytest.mark.parametrize(("answer", "reason"), OTHERS.values(), ids=list(OTHERS))
def test_an_honest_relay_is_found_after_any_other(relay: Start, answer: Answer, reason: str) -> None:
    other, honest = relay(answer), relay(HONEST)
    assert reason_of(other.url).startswith(reason)
    assert ask(other.url, honest.url) == BEACON


def test_a_body_that_does_not_end_is_not_read_to_its_end(relay: Start) -> None:
    sent = []

    def sends_64_mib(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for number in range(1024):
            connection.sendall(b" " * 65_536)
            sent.append(number)

    assert reason_of(relay(sends_64_mib).url) == "its answer is longer than 65,536 bytes"
    assert len(sent) < 1024


def test_a_hanging_relay_delays_no_one_when_another_answers(relay: Start) -> None:
    beacon_is_here, waited_for = threading.Event(), []

    def hangs_until_then(connection: socket.socket) -> None:
        if not beacon_is_here.wait(LONG_S):
            waited_for.append(connection)

    hanging, honest = relay(hangs_until_then), relay(HONEST)
    assert ask(hanging.url, honest.url, timeout_s=2 * LONG_S) == BEACON
    beacon_is_here.set()
    assert not waited_for


@pytest.mark.parametrize("answer", [hangs, drips])
def test_a_relay_that_hangs_is_abandoned_after_the_limit(relay: Start, answer: Answer) -> None:
    assert reason_of(relay(answer).url, timeout_s=SHORT_S) == "it did not answer within 0.3 s"


@pytest.mark.parametrize("answer", [hangs, drips_in_the_handshake])
def test_a_relay_that_hangs_in_the_handshake_is_abandoned(relay: Start, answer: Answer) -> None:
    url = relay(answer).url.replace("http:", "https:")
    assert reason_of(url, timeout_s=SHORT_S) == "it did not answer within 0.3 s"


def test_a_relay_hanging_in_its_handshake_delays_no_one(relay: Start) -> None:
    in_handshake = threading.Event()

    def hangs_in_it(connection: socket.socket) -> None:
        in_handshake.set()
        hangs(connection)

    def answers_meanwhile(connection: socket.socket) -> None:
        in_handshake.wait(LONG_S)
        HONEST(connection)

    hanging, honest = relay(hangs_in_it), relay(answers_meanwhile)
    assert ask(hanging.url.replace("http:", "https:"), honest.url, timeout_s=2 * LONG_S) == BEACON


def test_a_program_that_ends_waits_for_no_relay(relay: Start) -> None:
    asking = []

    def sees_who_asks(connection: socket.socket) -> None:
        asking.extend(each for each in threading.enumerate() if each.name.startswith("relay "))
        HONEST(connection)

    assert ask(relay(sees_who_asks).url) == BEACON
    assert [each.daemon for each in asking] == [True]


def test_an_answer_as_long_as_allowed_is_read(relay: Start) -> None:
    longest = relay(says(relay_json().ljust(65_536)))
    assert ask(longest.url) == BEACON


def test_no_redirection_is_followed(relay: Start) -> None:
    honest = relay(HONEST)
    for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
        redirecting = relay(says(relay_json(), status=status, headers=f"Location: {honest.url}/x\r\n"))
        assert reason_of(redirecting.url) == f"it answered {status[:3]}, and redirects are not followed"
    assert honest.requests == []


def test_a_relay_with_a_trusted_certificate_is_asked(relay: Start, tmp_path: Path) -> None:
    server, client = self_signed(tmp_path, "127.0.0.1")
    honest = relay(HONEST, server)
    assert honest.url.startswith("https://")
    assert ask(honest.url, context=client) == BEACON


def test_a_relay_with_an_untrusted_certificate_is_not_asked(relay: Start, tmp_path: Path) -> None:
    server, _ = self_signed(tmp_path, "127.0.0.1")
    impostor = relay(HONEST, server)
    assert reason_of(impostor.url, context=None).startswith(
        "it cannot be reached: its certificate is not trusted: self"
    )
    assert impostor.requests == []


def test_a_relay_with_another_hosts_certificate_is_not_asked(relay: Start, tmp_path: Path) -> None:
    server, client = self_signed(tmp_path, "127.0.0.2")
    impostor = relay(HONEST, server)
    assert reason_of(impostor.url, context=client).startswith(
        "it cannot be reached: its certificate is not trusted: IP address mismatch"
    )
    assert impostor.requests == []


def test_a_certificate_must_name_the_relay(relay: Start, tmp_path: Path) -> None:
    for host, is_named in (("localhost", True), ("127.0.0.1", False)):
        server, client = self_signed(tmp_path, host)
        url = relay(HONEST, server).url.replace("127.0.0.1", "localhost")
        if is_named:
            assert ask(url, context=client) == BEACON
        else:
            assert reason_of(url, context=client).startswith(
                "it cannot be reached: its certificate is not trusted: Hostname mismatch"
            )


def test_a_relay_without_tls_is_not_an_https_relay(relay: Start) -> None:
    plain = relay(HONEST)
    assert reason_of(plain.url.replace("http:", "https:")).startswith(
        "it cannot be reached: the encrypted connection failed ("
    )
    assert not any("GET" in request for request in plain.requests)


def test_without_any_beacon_every_relay_is_named_with_its_reason(relay: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    no_host = "https://a..example"
    liar, late = relay(says(relay_json(42, OTHER_ROUNDS[42]))), relay(says("", status="404 Not Found"))
    odd = relay(sends(b"220 smtp\r\n"))
    with pytest.raises(NoRelayGaveIt) as caught:
        ask(liar.url, late.url, closed, no_host, odd.url)
    assert caught.value.round == ROUND
    reasons = caught.value.reasons
    assert list(reasons) == [liar.url, late.url, closed, no_host, odd.url]
    assert reasons[liar.url] == "it is the beacon of round 42, not of round 1000"
    assert reasons[late.url] == "it does not have this round (404)"
    assert reasons[closed] == "it cannot be reached: Connection refused"
    assert reasons[no_host].startswith("it cannot be reached: ")
    assert reasons[odd.url] == "its answer is not HTTP"
    for url, reason in reasons.items():
        assert f"{url}: {reason}" in str(caught.value)


def test_without_the_library_no_relay_is_asked(relay: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = relay(HONEST)
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    with pytest.raises(BlsMissing):
        ask(honest.url)
    assert honest.requests == []


def test_an_invalid_relay_is_refused_before_any_is_asked(relay: Start) -> None:
    honest = relay(HONEST)
    with pytest.raises(RelayWrong):
        ask(honest.url, "http://relay.example")
    assert honest.requests == []


@pytest.mark.parametrize("text", ["", "  \n"])
def test_drands_own_relays_are_the_default(text: str) -> None:
    assert read_relays(text) == DEFAULT_RELAYS
    assert all(url.startswith("https://") for url in DEFAULT_RELAYS)


def test_a_list_of_relays_is_read() -> None:
    text = (
        " https://Relay.example/ ,https://relay.example:8443/drand,http://127.0.0.1:1,http://[::1]:2,http://localhost"
    )
    assert read_relays(f"{text},https://relay.example:8443/drand/") == (
        "https://Relay.example",
        "https://relay.example:8443/drand",
        "http://127.0.0.1:1",
        "http://[::1]:2",
        "http://localhost",
    )


@pytest.mark.parametrize(
    ("text", "named", "reason"),
    [
        (",https://relay.example", "", "empty"),
        ("https://relay.example,", "", "empty"),
        ("relay.example", "relay.example", "not the URL"),
        ("ftp://relay.example", "ftp://relay.example", "not the URL"),
        ("file:///etc/passwd", "file:///etc/passwd", "not the URL"),
        ("https://", "https://", "not the URL"),
        ("https://:443", "https://:443", "not the URL"),
        ("https://relay.example:0", "https://relay.example:0", "not the URL"),
        ("https://relay.example:65536", "https://relay.example:65536", "not a URL"),
        ("https://relay.example:x", "https://relay.example:x", "not a URL"),
        ("https://[::1", "https://[::1", "not a URL"),
        ("https://relay.example /x", "https://relay.example /x", "not the URL"),
        ("https://relay\n.example", "https://relay\n.example", "not the URL"),
        ("https://rélay.example", "https://rélay.example", "not the URL"),
        ("https://relay.example\\@evil", "…@evil", "no user"),
        ("https://user@relay.example", "…@relay.example", "no user"),
        ("https://user:secret@relay.example:x", "…@relay.example:x", "no user"),
        ("https://relay.example?", "https://relay.example?", "no ?"),
        ("https://relay.example#x", "https://relay.example#x", "no ?"),
        ("http://relay.example", "http://relay.example", "http is for relays on this machine"),
        ("http://10.0.0.1", "http://10.0.0.1", "http is for relays on this machine"),
        ("http://localhost.example", "http://localhost.example", "http is for relays on this machine"),
        (",".join(f"https://relay{number}.example" for number in range(17)), None, "17 relays; name at most 16"),
    ],
    ids=lambda value: (value or "")[:30],
)
def test_text_that_is_not_a_relay_is_refused_by_name(text: str, named: str | None, reason: str) -> None:
    with pytest.raises(RelayWrong) as caught:
        read_relays(text)
    assert caught.value.text == (text if named is None else named)
    assert reason in caught.value.reason
    assert "secret" not in str(caught.value)
