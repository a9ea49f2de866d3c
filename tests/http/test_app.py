import sys

import pytest
from falcon import testing

from rafflekit.http.api import ROUTES
from rafflekit.http.monitoring.requests import known_method
from tests.http.conftest import RAFFLE, Post
from tests.programs import run

ADDRESSES = {
    "/raffles": "GET, HEAD, OPTIONS, POST",
    "/raffles/x": "GET, HEAD, OPTIONS, PATCH",
    "/raffles/x/winners": "GET, HEAD, OPTIONS, POST",
    **{
        f"/raffles/x/{action}": "OPTIONS, POST"
        for action in ("participate", "close", "cancel", "verify-ticket", "redeem", "forfeit")
    },
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
}


@pytest.fixture
def client(shared_client: testing.TestClient) -> testing.TestClient:
    """The client of this module's application."""
    return shared_client


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "allowed"), ADDRESSES.items())
def test_options_lists_the_methods_of_every_address(
    client: testing.TestClient, path: str, allowed: str, slash: str
) -> None:
    answer = client.simulate_options(path + slash)

    assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, allowed, b"")


@pytest.mark.parametrize(
    ("path", "allowed", "method"),
    [
        (path, allowed, method)
        for path, allowed in ADDRESSES.items()
        for method in ("DELETE", "PUT", "PATCH", "TRACE", "PROPFIND", "BREW")
        if method not in allowed
    ],
)
def test_an_unsupported_method_is_refused_with_the_others_named(
    client: testing.TestClient, path: str, allowed: str, method: str
) -> None:
    # The test client refuses unknown methods; a server passes them on.
    environ = testing.create_environ(path, method="GET") | {"REQUEST_METHOD": method}
    started = testing.StartResponseMock()
    body = b"".join(client.app(environ, started))

    assert started.status is not None
    assert started.status.startswith("405")
    assert started.headers_dict["allow"] == allowed
    assert b'"status":405' in body


def test_the_log_knows_every_method_of_an_address() -> None:
    names = {name for route in ROUTES for name in dir(route.resource) if name.startswith("on_")}

    for method in (name.removeprefix("on_").upper() for name in names):
        assert known_method(testing.create_req(method=method)) == method


def test_head_is_get_without_the_body(client: testing.TestClient, raffle: str) -> None:
    for path in ("/raffles/", f"{raffle}/", f"{raffle}/winners/", "/openapi.json"):
        get, head = client.simulate_get(path), client.simulate_head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers == get.headers
        assert int(head.headers["Content-Length"]) == len(get.content)


def test_every_answer_has_nosniff(client: testing.TestClient, post: Post) -> None:
    answers = [client.simulate_get("/raffles"), client.simulate_get("/nothing"), client.simulate_options("/raffles")]
    answers += [post("/raffles", json=RAFFLE), post("/raffles", json={}), post("/raffles", source="192.0.2.1")]

    assert {answer.headers["X-Content-Type-Options"] for answer in answers} == {"nosniff"}


def test_only_what_is_read_may_be_stored_and_validated(client: testing.TestClient, post: Post, raffle: str) -> None:
    answers = [client.simulate_get("/nothing"), client.simulate_options("/raffles"), post("/raffles", json=RAFFLE)]
    answers += [post(f"{raffle}/participate", source=f"192.0.2.{host}") for host in (1, 1, 2, 3)]
    answers += [post(f"{raffle}/winners"), post(f"{raffle}/verify-ticket", json={})]

    assert [answer.status_code for answer in answers] == [404, 204, 201, 201, 403, 201, 410, 201, 400]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    read = [client.simulate_get(path) for path in ("/raffles", raffle, f"{raffle}/winners", f"{raffle}/proof")]
    assert {answer.headers["Cache-Control"] for answer in read} == {"no-cache"}
    assert not [answer for answer in answers if "ETag" in answer.headers]
    assert len({answer.headers["ETag"] for answer in read}) == 4


def test_an_application_knows_every_type_that_it_reads(database_url: str) -> None:
    """In a new process. msgspec learns a type at its first use, and threads that read the first requests crashed it.

    What it has learnt is in the type, where only the garbage collector sees it.
    """
    code = f"""
import gc
from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.api import ROUTES
from rafflekit.http.app import create_app

def known(shape):
    return "StructInfo" in [type(each).__name__ for each in gc.get_referents(shape)]

operations = [operation for route in ROUTES for operation in route.operations.values()]
shapes = {{shape for each in operations for shape in (each.body, each.query)}} - {{None}}
print(len(shapes) > 5, *{{known(shape) for shape in shapes}})
with RaffleEngine({database_url!r}) as engine:
    create_app(engine, Settings())
print(*{{known(shape) for shape in shapes}})
"""
    done = run([sys.executable, "-c", code])

    assert (done.stdout.decode(), done.stderr.decode()) == ("True False\nTrue\n", "")
