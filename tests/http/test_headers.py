"""Headers over real sockets: those of foreign pages, and those of answers, including a server's own."""

import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.http.conftest import RAFFLE
from tests.live_server import GUNICORN, Answer, LiveServer, read_answer
from tests.waiting import LIMIT_S

SERVERS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "waitress": ((), {}),
    "granian": (("--server", "granian"), {}),
    "gunicorn": ((), {"program": GUNICORN}),
}
NO_HTTP = (
    b"nonsense\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
)


@pytest.fixture(scope="module", params=SERVERS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Each server, with 127.0.0.1 as a manager."""
    folder = tmp_path_factory.mktemp("headers")
    arguments, how = SERVERS[request.param]
    server = LiveServer(folder / "raffles.db", *arguments, log=folder / "log", **how, MANAGER_IPS="127.0.0.1")
    yield server
    server.stop()


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_foreign_page_is_refused_with_the_settings_name(live: LiveServer, foreign: dict[str, str]) -> None:
    one_ticket = RAFFLE | {"total_tickets": 1}
    raffle = live.request("POST", "/raffles/", one_ticket).json
    path = f"/raffles/{raffle['id']}"
    count = live.request("GET", "/raffles/", **foreign).json["count"]

    attacks = [live.request("POST", "/raffles/", one_ticket, **foreign)]
    attacks += [live.request("POST", f"{path}/participate/", **foreign)]
    assert live.request("GET", f"{path}/").json == raffle
    assert live.request("POST", f"{path}/participate/").status == 201
    attacks += [live.request("POST", f"{path}/winners/", **foreign)]

    for answer in attacks:
        assert answer.status == 403
        assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.json["detail"]
    assert live.request("GET", "/raffles/").json["count"] == count
    assert live.request("GET", f"{path}/").json["winners_drawn"] is False
    assert live.request("POST", f"{path}/winners/").status == 201


def names_no_version(answer: Answer) -> bool:
    values = [answer.headers.get(name, "") for name in ("server", "via", "x-powered-by")]
    # Answers of the server itself are text; ours contain other numbers.
    values += [] if "x-content-type-options" in answer.headers else [answer.body.decode()]
    return not re.search(r"(waitress|granian|gunicorn|hyper|falcon|python)[ /]*v?\d", " ".join(values), re.IGNORECASE)


def test_answers_have_nosniff_and_are_stored_only_without_codes(live: LiveServer) -> None:
    created = live.request("POST", "/raffles/", RAFFLE)
    raffle = f"/raffles/{created.json['id']}"
    tickets = [live.request_from(f"127.0.0.{host}", "POST", f"{raffle}/participate/") for host in (2, 2, 3, 4)]
    drawn = live.request("POST", f"{raffle}/winners/")
    ticket = {name: tickets[0].json[name] for name in ("ticket_number", "verification_code")}
    verified = live.request("POST", f"{raffle}/verify-ticket/", ticket)
    refused = [live.request("GET", "/nothing"), live.request("PUT", raffle), live.request("POST", "/raffles/", b"x")]
    read = [live.request("GET", path) for path in ("/raffles/", raffle, f"{raffle}/winners/")]

    changing = [created, *tickets, drawn, verified, *refused]
    assert [answer.status for answer in changing] == [201, 201, 403, 201, 410, 201, 200, 404, 405, 415]
    assert {answer.headers.get("cache-control") for answer in changing} == {"no-store"}
    assert {answer.headers.get("cache-control") for answer in read} == {"no-cache"}
    for answer in (*changing, *read):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get("server") in (None, "granian", "gunicorn")
        assert names_no_version(answer)
        assert ticket["verification_code"].encode() not in answer.body or answer is tickets[0]


def test_an_answer_is_sent_again_only_if_it_has_changed(live: LiveServer) -> None:
    raffle = f"/raffles/{live.request('POST', '/raffles/', RAFFLE | {'total_tickets': 1}).json['id']}"
    assert live.request("POST", f"{raffle}/participate/").status == 201
    paths = ["/raffles/", f"{raffle}/", f"{raffle}/ledger/", f"{raffle}/ledger/leaves/", f"{raffle}/winners/"]
    before = [live.request("GET", path) for path in paths]

    for path, read in zip(paths, before, strict=True):
        for method in ("GET", "HEAD"):
            same = live.request(method, path, If_None_Match=read.headers["etag"])
            assert (same.status, same.body, same.headers["etag"]) == (304, b"", read.headers["etag"])
            assert same.headers["cache-control"] == "no-cache"
            assert "content-type" not in same.headers
    assert live.request("POST", f"{raffle}/winners/").status == 201
    after = [
        live.request("GET", path, If_None_Match=read.headers["etag"]) for path, read in zip(paths, before, strict=True)
    ]
    assert [each.status for each in after] == [200, 200, 304, 304, 200]


def test_a_proof_is_sent_plain_and_compressed(live: LiveServer) -> None:
    raffle = f"/raffles/{live.request('POST', '/raffles/', RAFFLE | {'total_tickets': 1}).json['id']}"
    live.request("POST", f"{raffle}/participate/")
    live.request("POST", f"{raffle}/winners/")

    plain = live.request("GET", f"{raffle}/proof/")
    compressed = live.request("GET", f"{raffle}/proof/", Accept_Encoding="br, gzip")
    head = live.request("HEAD", f"{raffle}/proof/", Accept_Encoding="gzip")

    assert gzip.decompress(compressed.body) == plain.body
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == head.headers["content-encoding"] == "gzip"
    assert (head.body, head.headers["content-length"]) == (b"", str(len(compressed.body)))
    assert plain.headers["etag"] != compressed.headers["etag"] == head.headers["etag"]


def test_a_crowd_gets_the_proof_or_a_time_to_try_again(live: LiveServer) -> None:
    raffle = f"/raffles/{live.request('POST', '/raffles/', RAFFLE | {'total_tickets': 1}).json['id']}"
    live.request("POST", f"{raffle}/participate/")
    live.request("POST", f"{raffle}/winners/")

    # More than the threads of a server.
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(live.request, "GET", f"{raffle}/proof/") for _ in range(40)]
        assert live.request("GET", "/healthz").status == 200
        answers = [each.result(LIMIT_S) for each in asked]

    assert {answer.status for answer in answers} <= {200, 503}
    assert len({answer.headers["etag"] for answer in answers if answer.status == 200}) == 1
    assert {answer.headers["retry-after"] for answer in answers if answer.status == 503} <= {"2"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/nothing", "/raffles/?page=0"])
def test_what_is_true_for_a_moment_has_no_tag(live: LiveServer, path: str) -> None:
    answer = live.request("GET", path, If_None_Match="*")

    assert (answer.headers["cache-control"], answer.headers.get("etag")) == ("no-store", None)
    assert answer.status != 304


def test_refusals_of_the_server_itself_name_no_version(
    live: LiveServer, connect: Callable[[int], socket.socket]
) -> None:
    for request in NO_HTTP:
        connection = connect(live.port)
        connection.sendall(request)
        answer = read_answer(connection)
        assert 400 <= answer.status < 500
        assert names_no_version(answer)


@pytest.mark.parametrize(
    "head",
    [
        # What nginx sends with `proxy_pass` alone, then with the headers of its manual, then what Caddy sends.
        "POST /raffles/ HTTP/1.0\r\nHost: 127.0.0.1:8080\r\nConnection: close",
        "POST /raffles/ HTTP/1.0\r\nHost: localhost\r\nX-Real-IP: 203.0.113.7\r\nConnection: close",
        "POST /raffles/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https",
        "POST /raffles/ HTTP/1.1\r\nHost: localhost\r\nforwarded: for=203.0.113.7",
        "POST /raffles/ HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 cache",
    ],
)
def test_a_proxy_that_is_not_trusted_makes_no_manager(
    live: LiveServer, connect: Callable[[int], socket.socket], head: str
) -> None:
    def created(head: str) -> Answer:
        connection = connect(live.port)
        body = json.dumps(RAFFLE)
        sent = f"{head}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        connection.sendall(sent.encode())
        return read_answer(connection)

    assert created("POST /raffles/ HTTP/1.1\r\nHost: 127.0.0.1:8080").status == 201
    count = live.request("GET", "/raffles/").json["count"]

    refused = created(head)

    assert (refused.status, live.request("GET", "/raffles/").json["count"]) == (403, count)
    assert "RAFFLEKIT_TRUSTED_PROXIES" in refused.json["detail"]
    assert "RAFFLEKIT_TRUSTED_PROXIES" in live.log.read_text()
