"""Behind a proxy, over real sockets: how servers read its header, and those that a client adds."""

import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from tests.http.conftest import RAFFLE
from tests.live_server import GUNICORN, LiveServer, read_answer

MANAGER = "192.0.2.7"
STRANGER = "203.0.113.1"


class Kind(NamedTuple):
    """A server, and the header in which its proxy sends the client's address."""

    arguments: tuple[str, ...]
    how: dict[str, Any]
    header: str

    def value(self, *addresses: str) -> str:
        """Return the header's value for these addresses, the nearest hop last."""
        return ", ".join(f"for={address}" if self.header == "Forwarded" else address for address in addresses)


KINDS = {
    "waitress, X-Forwarded-For": Kind((), {}, "X-Forwarded-For"),
    "waitress, Forwarded": Kind((), {}, "Forwarded"),
    "waitress, X-Real-IP": Kind((), {}, "X-Real-IP"),
    "gunicorn, X-Forwarded-For": Kind((), {"program": GUNICORN}, "X-Forwarded-For"),
    "granian, Forwarded": Kind(("--server", "granian"), {}, "Forwarded"),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of server, with a header that it cannot confuse with others."""
    return KINDS[request.param]


@pytest.fixture(scope="module")
def live(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """That server, trusting 127.0.0.1; the managers are one elsewhere, the proxy, and another address here."""
    folder = tmp_path_factory.mktemp("proxies")
    server = LiveServer(
        folder / "raffles.db",
        *kind.arguments,
        log=folder / "log",
        **kind.how,
        MANAGER_IPS=f"{MANAGER},127.0.0.1,127.0.0.2",
        RAFFLEKIT_TRUSTED_PROXIES="127.0.0.1",
        RAFFLEKIT_PROXY_HEADER=kind.header,
        RAFFLEKIT_ALLOWED_HOSTS="raffle.example",
    )
    yield server
    server.stop()


@pytest.fixture
def post(live: LiveServer, connect: Callable[[int], socket.socket]) -> Callable[[Sequence[str]], int]:
    """Send an empty POST to create a raffle, with these lines as headers; a manager gets 400, others 403."""

    def send(headers: Sequence[str]) -> int:
        connection = connect(live.port)
        lines = "".join(f"{line}\r\n" for line in ("POST /raffles/ HTTP/1.1", "Host: localhost", *headers, ""))
        connection.sendall(lines.encode("latin-1"))
        return read_answer(connection).status

    return send


def test_only_the_named_header_of_a_proxy_counts(
    kind: Kind, live: LiveServer, post: Callable[[Sequence[str]], int]
) -> None:
    others = {"X-Forwarded-For": MANAGER, "X-Real-IP": MANAGER, "Forwarded": f"for={MANAGER}"}
    del others[kind.header]
    forged = [f"{name}: {value}" for name, value in others.items()]
    # Headers that a server which reads them as CGI does would confuse with the right one, in any order.
    name = kind.header.replace("-", "_", 1)
    double = [f"{name}: {MANAGER}"] if name != kind.header else []
    honest = f"{kind.header}: {kind.value(STRANGER)}"

    assert post([f"{kind.header}: {kind.value(MANAGER)}"]) == 400
    assert post(forged) == 403
    for headers in ([*forged, *double, honest], [honest, *double, *forged], double):
        assert post(headers) == 403

    created = live.request("POST", "/raffles/", RAFFLE, **{kind.header: kind.value(MANAGER)})
    assert created.status == 201
    participate = f"/raffles/{created.json['id']}/participate/"
    unknown = live.request("POST", participate, **others)
    assert unknown.status == 400
    assert f"no {kind.header} header" in unknown.json["detail"]
    sent = [live.request("POST", participate, **{kind.header: kind.value(who)}).status for who in (STRANGER, STRANGER)]
    assert sent == [201, 403]


def test_a_header_that_is_sent_several_times_is_one_list(kind: Kind, post: Callable[[Sequence[str]], int]) -> None:
    lines = [f"{kind.header}: {kind.value(address)}" for address in (STRANGER, MANAGER, "127.0.0.1")]
    if kind.header == "X-Real-IP":
        assert post(lines[1:]) == 403
        return

    assert post(lines[1:]) == 400
    assert post([lines[1], lines[0], lines[2]]) == 403
    # A manager's address that passes on a stranger's is a second proxy, which is not trusted.
    assert post(lines) == 403
    assert post([lines[1], f"{kind.header}: \xe9"]) == 403


def test_the_proxys_own_address_is_never_a_manager(kind: Kind, live: LiveServer) -> None:
    assert live.request("POST", "/raffles/", RAFFLE).status == 403
    assert live.request("POST", "/raffles/", RAFFLE, **{kind.header: kind.value("127.0.0.1")}).status == 403
    assert live.request("POST", "/raffles/", RAFFLE, **{kind.header: kind.value("127.0.0.2")}).status == 201
    assert live.request("GET", "/raffles/").status == 200


def test_the_header_of_any_other_client_does_not_count(kind: Kind, live: LiveServer) -> None:
    sent = {kind.header: kind.value(MANAGER)}

    assert live.request_from("127.0.0.9", "POST", "/raffles/", RAFFLE, **sent).status == 403


def test_urls_have_the_host_and_protocol_that_the_proxy_names(kind: Kind, live: LiveServer) -> None:
    sent = {kind.header: kind.value(MANAGER)}
    if kind.header == "Forwarded":
        sent = {"Forwarded": f"{sent['Forwarded']};proto=https;host=raffle.example"}
    else:
        sent |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "raffle.example"}

    created = live.request("POST", "/raffles/", RAFFLE, **sent)

    assert created.headers["location"] == f"https://raffle.example/raffles/{created.json['id']}/"
