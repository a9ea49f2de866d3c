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
from tests.http.conftest import MANAGER, PROXY, RAFFLE, SETTINGS, Clock
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
        required = {name.lower() for name, header in described.get("headers", {}).items() if header["required"]}
        assert required <= {name.lower() for name in answer.headers}
        content = described.get("content", {})
        assert bool(content) == bool(answer.content)
        if content:
            media_type = answer.headers["Content-Type"]
            schema = content[media_type]["schema"] | {"components": DOCUMENT["components"]}
            shown = answer.json if media_type.endswith("json") else answer.text
            jsonschema_rs.validate(schema, shown, validate_formats=True)
        if answer.status_code == 200 and "ETag" in answer.headers:
            # Asked again by a client that has this answer.
            known = {"headers": arguments.get("headers", {}) | {"If-None-Match": answer.headers["ETag"]}}
            self.ask(method, path, source=source, **arguments | known)
        is_problem = "application/problem+json" in content
        self.seen.add((method, template, answer.status_code, answer.json["type"] if is_problem else None))
        return shown if content else None

    def create(self, **terms: Any) -> str:
        """Create a raffle of two tickets and one prize, with more terms; return its address."""
        return f"/raffles/{self.ask('POST', '/raffles/', json=RAFFLE | terms)['id']}"

    def hand_out(self, raffle: str, *names: str) -> list[Any]:
        """Hand out tickets and return them."""
        return [self.ask("POST", f"{raffle}/participate/", json={"participant": name}) for name in names]


def test_every_answer_in_the_document_occurs_as_described(client: testing.TestClient, clock: Clock) -> None:
    talk = Conversation(client)
    drawn = _ask_of_a_whole_raffle(talk)
    _ask_of_lists(talk, drawn)
    _ask_wrongly(talk)
    _ask_of_terms(talk)
    _ask_of_entry_rules(talk, clock)
    _ask_of_endings(talk, clock)
    _ask_of_claims(talk, clock)
    selling = talk.create(entropy="drand-quicknet")
    talk.hand_out(selling, "Ann", "Ben")
    talk.ask("POST", f"{selling}/winners/")
    _ask_of_ledgers(talk.ask, drawn=drawn, selling=selling, empty=talk.create())

    failures = {seen for seen in documented() if seen[2] >= 500}
    assert talk.seen == {
        (method, path, status, None if method == "HEAD" else kind)
        for method, path, status, kind in documented() - failures
    }


def _ask_of_a_whole_raffle(talk: Conversation) -> str:
    ask, raffle = talk.ask, talk.create()
    ask("POST", f"{raffle}/winners/")
    ask("POST", f"{raffle}/verify-ticket/", json={"ticket_number": 1, "verification_code": "x"})
    tickets = [
        ask("POST", f"{raffle}/participate/", source=f"192.0.2.{host}", headers={"Idempotency-Key": KEY})
        for host in (1, 1, 2, 3)
    ]
    ask("POST", f"{raffle}/participate/", source=PROXY)
    for _ in range(2):
        ask("POST", f"{raffle}/winners/")
    ticket = {name: tickets[0][name] for name in ("ticket_number", "verification_code")}
    ask("POST", f"{raffle}/verify-ticket/", json=ticket)
    ask("POST", f"{raffle}/verify-ticket/", json=ticket | {"verification_code": "x"})
    return raffle


def _ask_of_lists(talk: Conversation, raffle: str) -> None:
    ask, empty = talk.ask, talk.create()
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in ("/raffles/", f"{raffle}/", f"{raffle}/winners/", f"{NO_RAFFLE}/winners/"):
            ask(method, path)
        for path in (raffle, empty, NO_RAFFLE):
            ask(method, f"{path}/live/")
        for path in ("/", "/openapi.json", "/healthz", "/readyz", "/metrics"):
            ask(method, path)
    for method in ("GET", "HEAD"):
        for path in ("/raffles/", f"{raffle}/winners/"):
            for query in ("page=0", "page=2"):
                ask(method, path, query_string=query)
        for path in (raffle, empty):
            ask(method, f"{path}/winners/", query_string="queue=true")
        ask(method, f"{NO_RAFFLE}/")
        ask(method, "/metrics", source=STRANGER)


def _ask_wrongly(talk: Conversation) -> None:
    ticket = {"ticket_number": 1, "verification_code": "x"}
    bodies: dict[str, dict[str, Any]] = {
        **{action: {} for action in ("participate", "close", "winners")},
        "cancel": {"reason": "rain"},
        "verify-ticket": ticket,
        "redeem": ticket,
        "forfeit": {"ticket_number": 1, "why": "unclaimed"},
    }
    for action in bodies:
        talk.ask("OPTIONS", f"{NO_RAFFLE}/{action}/")
    requests = [("POST", f"{NO_RAFFLE}/{action}/", body) for action, body in bodies.items()]
    for method, path, body in [("POST", "/raffles/", RAFFLE), ("PATCH", f"{NO_RAFFLE}/", {}), *requests]:
        if path != "/raffles/":
            talk.ask(method, path, json=body)
        talk.ask(method, path, headers={"Host": "evil.example"}, json=body)
        talk.ask(method, path, source=STRANGER, json=body)
        talk.ask(method, path, json={"a": 1})
        talk.ask(method, path, body="{}", headers={"Content-Type": "text/plain"})
        talk.ask(method, path, body=" " * (limits.CREATE_BODY_BYTES + 1), headers={"Content-Type": "application/json"})


def _ask_of_terms(talk: Conversation) -> None:
    for changes in ({}, {}, {"total_tickets": 3}):
        talk.ask("POST", "/raffles/", json=RAFFLE | changes, headers={"Idempotency-Key": KEY})
    raffle = talk.create(entropy="announced", source="dice", tickets_each=2, claim_days=14, note="Over 18s only")
    planned = {"draw_at": "2999-12-05T18:00:00Z", "promoter": "Scouts", "price": "£1"}
    talk.ask("PATCH", f"{raffle}/", json={"source": "ten dice", "claim_days": None} | planned)
    talk.hand_out(raffle, "Ann")
    talk.ask("PATCH", f"{raffle}/", json={"name": "Too late"})


def _ask_of_entry_rules(talk: Conversation, clock: Clock) -> None:
    for terms in ({"opens_at": clock.in_a(hours=1)}, {"entry": "invitation"}, {"entry": "desk"}):
        talk.ask("POST", f"{talk.create(**terms)}/participate/", source=STRANGER)
    raffle = talk.create()
    for _ in range(2):
        talk.ask("POST", f"{raffle}/participate/", source=STRANGER)


def _ask_of_endings(talk: Conversation, clock: Clock) -> None:
    over = talk.create(closes_at=clock.in_a(minutes=1))
    clock.advance(minutes=1)
    closed = talk.create()
    talk.ask("POST", f"{over}/winners/")
    talk.ask("POST", f"{closed}/close/")
    talk.hand_out(closed, "Ann")
    for _ in range(2):
        talk.ask("POST", f"{closed}/close/")
    for _ in range(2):
        talk.ask("POST", f"{closed}/cancel/", json={"reason": "rain"})
    for action in ("close", "participate", "winners"):
        talk.ask("POST", f"{closed}/{action}/")


def _ask_of_claims(talk: Conversation, clock: Clock) -> None:
    raffle = talk.create(claim_days=1, prizes=[{"name": "hug", "amount": 1}], total_tickets=3)
    forfeit, redeem = f"{raffle}/forfeit/", f"{raffle}/redeem/"
    tickets = {
        ticket["ticket_number"]: {name: ticket[name] for name in ("ticket_number", "verification_code")}
        for ticket in talk.hand_out(raffle, "Ann", "Ben", "Cem")
    }
    for ticket in tickets.values():
        talk.ask("POST", redeem, json=ticket)
        talk.ask("POST", forfeit, json=ticket | {"why": "renounced"})
    [win] = talk.ask("POST", f"{raffle}/winners/")
    for number, ticket in tickets.items():
        talk.ask("POST", forfeit, json={"ticket_number": number, "why": "unclaimed"})
        talk.ask("POST", redeem, json=ticket)
        talk.ask("POST", redeem, json=ticket | {"verification_code": "x"})
        talk.ask("POST", forfeit, json=ticket | {"why": "renounced", "verification_code": "x"})
    winner = tickets[win["ticket_number"]]
    talk.ask("POST", redeem, json=winner)
    talk.ask("POST", f"{raffle}/verify-ticket/", json=winner)
    talk.ask("POST", redeem, json=winner | {"undo": True})
    talk.ask("POST", forfeit, json={"ticket_number": 9, "why": "unclaimed"})
    clock.advance(days=2)
    while winner:
        heir = talk.ask("POST", forfeit, json={"ticket_number": winner["ticket_number"], "why": "unclaimed"})
        clock.advance(days=2)
        talk.ask("POST", forfeit, json=winner | {"why": "renounced"})
        talk.ask("POST", f"{raffle}/verify-ticket/", json=winner)
        winner = heir and tickets[heir["ticket_number"]]
    talk.ask("GET", f"{raffle}/winners/")


def _ask_of_ledgers(ask: Callable[..., Any], *, drawn: str, selling: str, empty: str) -> None:
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
        ask(method, f"{drawn}/ledger/leaves/", query_string="from=9")
        ask(method, f"{selling}/proof/")
        ask(method, f"{empty}/ledger/")


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
