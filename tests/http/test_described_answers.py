"""The service answers as the OpenAPI document says, and every answer in the document occurs."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core import limits
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.metrics import Metrics
from tests.http.conftest import MANAGER, PROXY, RAFFLE, SETTINGS
from tests.http.description import DOCUMENT, Seen, documented
from tests.raffles import sold_out

NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
STRANGER = "192.0.2.1"
KEY = "0123456789abcdef"


@pytest.fixture
def client(engine: RaffleEngine) -> testing.TestClient:
    """A client of an application with all addresses; managers may read the metrics."""
    return client_of(engine)


def client_of(engine: RaffleEngine) -> testing.TestClient:
    settings = replace(SETTINGS, metrics_networks=SETTINGS.manager_networks)
    return testing.TestClient(create_app(engine, settings, metrics=Metrics()), headers={"Host": "127.0.0.1:8080"})


class Conversation:
    """Requests whose answers are compared with the document; `seen` collects the answers."""

    def __init__(self, client: testing.TestClient) -> None:
        self._client = client
        self.seen: set[Seen] = set()

    def ask(self, method: str, path: str, *, source: str = MANAGER, **arguments: Any) -> Any:
        # Falcon's client claims to be one of several processes by default.
        alone = {"wsgi.multiprocess": False}
        answer = self._client.simulate_request(method, path, remote_addr=source, extras=alone, **arguments)
        template = re.sub(r"/raffles/[^/]+", "/raffles/{raffle_id}", path).removesuffix("/")
        template = template if template in DOCUMENT["paths"] else f"{template}/"
        described = DOCUMENT["paths"][template][method.lower()]["responses"][str(answer.status_code)]
        assert (described.get("headers") or {}).keys() <= {name.title() for name in answer.headers}
        content = described.get("content", {})
        assert bool(content) == bool(answer.content)
        if content:
            media_type = answer.headers["Content-Type"]
            schema = content[media_type]["schema"] | {"components": DOCUMENT["components"]}
            shown = answer.json if media_type.endswith("json") else answer.text
            jsonschema_rs.validate(schema, shown, validate_formats=True)
        is_problem = "application/problem+json" in content
        self.seen.add((method, template, answer.status_code, answer.json["type"] if is_problem else None))
        return shown if content else None


def test_every_answer_in_the_document_occurs_as_described(client: testing.TestClient) -> None:
    conversation = Conversation(client)
    ask = conversation.ask
    raffle = f"/raffles/{ask('POST', '/raffles/', json=RAFFLE)['id']}"
    ask("POST", f"{raffle}/winners/")
    ask("POST", f"{raffle}/verify-ticket/", json={"ticket_number": 1, "verification_code": "x"})
    tickets = [
        ask("POST", f"{raffle}/participate/", source=f"192.0.2.{host}", headers={"Idempotency-Key": KEY})
        for host in (1, 1, 2, 3)
    ]
    ask("POST", f"{raffle}/participate/", source=PROXY)
    other = f"/raffles/{ask('POST', '/raffles/', json=RAFFLE)['id']}"
    for _ in range(2):
        ask("POST", f"{other}/participate/", source=STRANGER)
    for _ in range(2):
        ask("POST", f"{raffle}/winners/")
    ticket = {name: tickets[0][name] for name in ("ticket_number", "verification_code")}
    ask("POST", f"{raffle}/verify-ticket/", json=ticket)
    ask("POST", f"{raffle}/verify-ticket/", json=ticket | {"verification_code": "x"})
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in ("/raffles/", f"{raffle}/", f"{raffle}/winners/", f"{NO_RAFFLE}/winners/"):
            ask(method, path)
        for path in ("/openapi.json", "/healthz", "/readyz", "/metrics"):
            ask(method, path)
        for path in ("/raffles/", f"{raffle}/winners/") if method != "OPTIONS" else ():
            for query in ("page=0", "page=2"):
                ask(method, path, query_string=query)
    for method in ("GET", "HEAD"):
        ask(method, f"{NO_RAFFLE}/")
        ask(method, "/metrics", source=STRANGER)
    for action in ("participate", "verify-ticket"):
        ask("OPTIONS", f"{raffle}/{action}/")
    for path in ("/raffles/", *(f"{NO_RAFFLE}/{action}/" for action in ("participate", "winners", "verify-ticket"))):
        ask("POST", path, headers={"Host": "evil.example"}, json=ticket)
        ask("POST", path, source=STRANGER, json=ticket)
        ask("POST", path, json={"a": 1})
        ask("POST", path, body="{}", headers={"Content-Type": "text/plain"})
        ask("POST", path, body=" " * (limits.CREATE_BODY_BYTES + 1), headers={"Content-Type": "application/json"})
        if path != "/raffles/":
            ask("POST", path, json=ticket if "verify" in path else {})

    waiting = f"/raffles/{ask('POST', '/raffles/', json=RAFFLE | {'entropy': 'drand-quicknet'})['id']}"
    for host in (1, 2):
        ask("POST", f"{waiting}/participate/", source=f"192.0.2.{host}")
    ask("POST", f"{waiting}/winners/")
    _ask_of_ledgers(ask, drawn=raffle, selling=waiting)

    failures = {seen for seen in documented() if seen[2] >= 500}
    assert conversation.seen == {
        (method, path, status, None if method == "HEAD" else kind)
        for method, path, status, kind in documented() - failures
    }


def _ask_of_ledgers(ask: Callable[..., Any], *, drawn: str, selling: str) -> None:
    queries = {"ledger/proof/": "ticket_number=1", "ledger/consistency/": "from=1&to=2"}
    for path in ("ledger/", "ledger/leaves/", "proof/", *queries):
        for method in ("GET", "HEAD"):
            ask(method, f"{drawn}/{path}", query_string=queries.get(path, ""))
            ask(method, f"{NO_RAFFLE}/{path}", query_string=queries.get(path, ""))
            if path in queries:
                ask(method, f"{drawn}/{path}")
        ask("OPTIONS", f"{drawn}/{path}")
    for method in ("GET", "HEAD"):
        ask(method, f"{drawn}/ledger/proof/", query_string="ticket_number=9")
        ask(method, f"{drawn}/proof/", headers={"Accept": "text/html"})
        ask(method, f"{selling}/proof/")


def test_a_draw_with_another_key_is_refused_as_described(engine: RaffleEngine, database_url: str) -> None:
    raffle = sold_out(engine)

    with RaffleEngine(database_url, signing_key=SignerKey.make("other.example")) as another:
        conversation = Conversation(client_of(another))
        conversation.ask("POST", f"/raffles/{raffle.id}/winners/")

    refusal = "urn:rafflekit:problem:signing-key-unavailable"
    assert conversation.seen == {("POST", "/raffles/{raffle_id}/winners/", 503, refusal)}
    assert not engine.get(raffle.id).winners_drawn


@pytest.mark.parametrize(
    ("method", "path", "name"), [("GET", "/nothing", "NoSuchPath"), ("PATCH", "/raffles/", "NoSuchMethod")]
)
def test_answers_to_unknown_paths_and_methods_are_described(
    client: testing.TestClient, method: str, path: str, name: str
) -> None:
    described = DOCUMENT["components"]["responses"][name]

    answer = client.simulate_request(method, path)

    jsonschema_rs.validate(
        described["content"][answer.headers["Content-Type"]]["schema"] | {"components": DOCUMENT["components"]},
        answer.json,
    )
    assert (described.get("headers") or {}).keys() <= answer.headers.keys()
