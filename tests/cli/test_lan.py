"""`rafflekit serve --lan`: phones of a local network open it, at the addresses of this machine."""

import json
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest

from rafflekit.cli import own_addresses as module
from rafflekit.cli.own_addresses import own_addresses
from rafflekit.core.settings import Settings
from rafflekit.http.serving import Urls
from tests.cli.conftest import Session, Terminal
from tests.live_server import Serve
from tests.waiting import LIMIT_S

EVERYWHERE = (sys.executable, "-m", "rafflekit", "serve", "--port", "0", "--lan")


def test_on_a_local_network_phones_can_open_and_send(serve: Serve) -> None:
    here, *others = own_addresses() or ["127.0.0.1"]
    server = serve(program=EVERYWHERE, MANAGER_IPS=here)
    assert server.process.stdout is not None
    shown = [server.process.stdout.readline() for _ in range(1 + len(own_addresses()))]
    body = json.dumps({"name": "Foobar", "total_tickets": 2, "prizes": [{"name": "hug", "amount": 1}]})
    origin = f"http://{here}:{server.port}"
    sent = {"Content-Type": "application/json", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    foreign = sent | {"Origin": "http://192.0.2.99:8080"}

    statuses = []
    for headers in (sent, foreign):
        with closing(HTTPConnection(here, server.port, timeout=LIMIT_S, source_address=(here, 0))) as connection:
            connection.request("POST", "/raffles/", body, headers)
            statuses.append(connection.getresponse().status)

    assert statuses == [201, 403]
    assert shown[0] == "It listens on every address of this machine (0.0.0.0).\n"
    if own_addresses():
        urls = [f"http://{address}:{server.port}/" for address in (here, *others)]
        assert shown[1:] == [f"Phones on the local network open {url}\n" for url in urls]


@pytest.mark.parametrize("addresses", [[], ["192.168.1.5", "203.0.113.7"]])
def test_serve_shows_each_address_and_the_code_of_one(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    codes: list[str] = []
    monkeypatch.setattr("rafflekit.cli.commands.serve.own_addresses", lambda: addresses)
    monkeypatch.setattr("rafflekit.cli.commands.serve.show_qr_code", codes.append)
    public_urls: list[str | None] = []

    def listen(_engine: object, settings: Settings, *, on_listening: Callable[[Urls], None], **_: object) -> None:
        public_urls.append(settings.public_url)
        on_listening(Urls("http://127.0.0.1:8080", "elsewhere"))

    monkeypatch.setattr("rafflekit.http.serving.waitress_server.run_waitress", listen)

    _, _, *lines = terminal("serve --lan").out.splitlines()

    urls = [f"http://{address}:8080/" for address in addresses]
    none = (
        "No address for phones was found. Connect this machine to the local network and start again, or look its "
        "address up in the network settings: phones open http://<address>:8080/"
    )
    assert lines == ([f"Phones on the local network open {url}" for url in urls] or [none])
    assert codes == urls[:1]
    # Where the QR codes of pages lead that are opened on this machine.
    assert public_urls == ([url.rstrip("/") for url in urls[:1]] or [None])


@pytest.mark.parametrize(("option", "value"), [("--host", "127.0.0.1"), ("--unix-socket", "here.sock")])
def test_a_local_network_excludes_other_places(terminal: Terminal, option: str, value: str) -> None:
    refused = terminal(f"serve --lan {option} {value}")

    assert refused == Session(2, "", f"rafflekit: Give either --lan or {option}: each says where to listen.\n")


def test_every_address_is_this_machines() -> None:
    for address in own_addresses():
        with socket.create_server((address, 0)) as server:
            assert not address.startswith("127.")
            socket.create_connection(server.getsockname()).close()


def test_private_addresses_are_first_and_none_is_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["8.8.8.8", "192.168.1.5", "8.8.8.8", "10.42.0.1", "127.0.0.1", "169.254.7.7", "0.0.0.0"]
    monkeypatch.setattr(module, "_towards_neighbours", lambda: iter(found))
    monkeypatch.setattr(module, "_of_the_name", lambda: ["127.0.1.1", "10.42.0.1", "172.16.0.9"])

    assert own_addresses() == ["192.168.1.5", "10.42.0.1", "172.16.0.9", "8.8.8.8"]


def test_without_a_network_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setattr(socket, "gethostbyname_ex", unreachable)

    assert own_addresses() == []
