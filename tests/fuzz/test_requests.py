"""Whole requests over a real socket: any path, headers and body get an answer, and never a server error."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse

import pytest
from hypothesis import strategies as st

from rafflekit.http.pages import PAGES
from tests.fuzz.cases import damaged, fuzz
from tests.live_server import Answer, LiveServer

SERVERS = {"waitress": (), "granian": ("--server", "granian")}
CREATE = {"name": "a", "total_tickets": 5, "prizes": [{"name": "hug", "amount": 1}]}
# "R" is replaced by the id of an existing raffle.
# "E" by that of one that may be closed and cancelled.
ACTIONS = ("R/", "R/participate/", "R/winners/", "R/redeem/", "R/forfeit/", "E/", "E/close/", "E/cancel/")
PATHS = st.sampled_from(["/raffles/", *(f"/raffles/{action}" for action in ACTIONS)])
QUERIES = st.sampled_from(["", "page=1&page_size=9", "name=x&winners_drawn=true&state=open", "queue=true"])
TARGETS = st.builds(
    "{}?{}".format,
    PATHS | st.just("/raffles/R/verify-ticket/") | damaged(PATHS, alphabet="/%0aF.-_~"),
    QUERIES | damaged(QUERIES, alphabet="=&%+0aF;9"),
)
HEADERS = {
    "Host": st.sampled_from(["localhost", "127.0.0.1:1", "[::1]", "evil.example"]),
    "Origin": st.sampled_from(["http://localhost", "null", "https://evil.example"]),
    "Sec-Fetch-Site": st.sampled_from(["same-origin", "none", "cross-site"]),
    "Idempotency-Key": st.sampled_from(["x" * 20, '"' + "x" * 20 + '"', "short"]),
    "Forwarded": st.ip_addresses(network="203.0.113.0/24").map("for={};host=localhost".format),
    "Content-Type": st.just("application/json"),
    "Accept": st.sampled_from(["*/*", "text/html", "application/xml;q=0.5"]),
    "Cookie": st.just("a=b; c"),
    "Range": st.just("bytes=0-1"),
}
HEADS = st.fixed_dictionaries(
    {"Host": HEADERS["Host"]},
    optional={
        name: damaged(values, alphabet='",;=\\ []:0a\xe9\t') for name, values in HEADERS.items() if name != "Host"
    },
)
OBJECTS = st.sampled_from(
    [
        *("", "{}", json.dumps(CREATE), '{"ticket_number": 1, "verification_code": "x"}', '{"reason": "rain"}'),
        *('{"participant": "Ann"}', '{"invitation": "x"}', '{"value": "3 17"}'),
        '{"opens_at": "2030-12-05T18:00:00Z", "closes_at": "2030-12-05T20:00:00.5+01:00"}',
        '{"ticket_number": 1, "why": "unclaimed", "reason": "rain"}',
    ]
)
FORMS = st.sampled_from(
    [
        *(
            "",
            "idempotency_key=0123456789abcdef",
            "invitation=x",
            "scan=7+X45Z",
            "confirm=Fair&value=3+17",
            "undo=true",
        ),
        "ticket_number=7&verification_code=X45Z-H67Q-KCQR-VV52-Q553-3CAG&why=renounced&reason=rain",
        "at_desk=true&participant=Ann&idempotency_key=0123456789abcdef",
        "name=Fair&total_tickets=10&prizes=3+%C3%97+hamper%0D%0Atea%3A+2&closes_at=2030-12-05T18%3A00&again=true",
        "first=1&count=3&as_file=true&token=rkp_0123456789abcdef0123456789abcdef",
    ]
)
PAGE_PATHS = st.sampled_from(sorted(path.replace("{raffle_id}", "R") for path in PAGES if "{version}" not in path))
BODIES = (
    OBJECTS.map(str.encode) | damaged(OBJECTS, alphabet='{}[]",:\\ud80e1-.tN\xe9\x00').map(str.encode) | st.binary()
)


@pytest.fixture(scope="module", params=SERVERS)
def live(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveServer, dict[str, str]]]:
    """Each server, behind a proxy on 127.0.0.1, with the ids of the raffles R and E; other addresses are managers."""
    folder = tmp_path_factory.mktemp("requests")
    server = LiveServer(
        folder / "raffles.db",
        *SERVERS[request.param],
        log=folder / "log",
        MANAGER_IPS="127.0.0.2,203.0.113.0/24",
        RAFFLEKIT_TRUSTED_PROXIES="127.0.0.1",
        RAFFLEKIT_PROXY_HEADER="Forwarded",
    )
    large = CREATE | {"total_tickets": 10**9}
    yield server, {name: server.request_from("127.0.0.2", "POST", "/raffles/", large).json["id"] for name in "RE"}
    server.stop()
    # Some of the requests look as if they came through another proxy.
    assert re.sub(r".* a proxy that is not trusted, as .*\n", "", server.complaints()) == ""


@fuzz(
    source=st.sampled_from(["127.0.0.1", "127.0.0.2"]),
    method=st.sampled_from(["GET", "HEAD", *["POST"] * 6, "PATCH", "PUT"]),
    target=TARGETS,
    head=HEADS,
    body=BODIES,
)
def test_no_request_makes_the_server_fail(
    live: tuple[LiveServer, dict[str, str]], *, source: str, method: str, target: str, head: dict[str, str], body: bytes
) -> None:
    answer = asked(live, f"{method} {target}", source=source, head=head, body=body)

    assert 200 <= answer.status < 500
    if "x-content-type-options" not in answer.headers:
        # The server's own answer, because the request is not HTTP.
        assert answer.status == 400
    elif answer.headers["content-type"].startswith("text/html"):
        assert b"</html>" in answer.body or method == "HEAD"
    elif answer.body:
        assert (answer.json.get("status", 400) == answer.status) if answer.status >= 400 else answer.json is not None


@fuzz(
    source=st.sampled_from(["127.0.0.1", "127.0.0.2"]),
    path=PAGE_PATHS,
    query=st.sampled_from(["", "page=2&page_size=9", "queue=true", "unredeemed=true", "done=x", "page=0"]),
    form=FORMS | damaged(FORMS, alphabet="=&%+0aF;9C3"),
    language=st.sampled_from(["en", "de"]),
    is_get=st.booleans(),
)
def test_no_page_and_no_form_makes_the_server_fail(
    live: tuple[LiveServer, dict[str, str]],
    *,
    source: str,
    path: str,
    query: str,
    form: str,
    language: str,
    is_get: bool,
) -> None:
    head = {"Host": "localhost", "Origin": "http://localhost", "Accept": "text/html", "Accept-Language": language}
    if not is_get:
        head["Content-Type"] = "application/x-www-form-urlencoded"
    body = b"" if is_get else form.encode("latin-1")

    asking = f"{'GET' if is_get else 'POST'} {path}?{query}"
    answer = asked(live, asking, source=source, head=head, body=body)

    assert 200 <= answer.status < 500
    assert b"Traceback" not in answer.body


def asked(
    live: tuple[LiveServer, dict[str, str]],
    asking: str,
    *,
    source: str,
    head: dict[str, str],
    body: bytes,
) -> Answer:
    """Send a request (its method, a blank and its target) as it is, and return the answer."""
    server, raffles = live
    method, _, target = asking.partition(" ")
    for name, raffle in raffles.items():
        target = target.replace(name, raffle)
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {value.strip()}" for name, value in head.items()),
    ]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20, source_address=(source, 0)) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
        with closing(HTTPResponse(connection, method=method)) as response:
            response.begin()
            return Answer.of(response)
