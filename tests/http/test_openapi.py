"""The OpenAPI document is valid, is about this very service, and what it says is what the service does."""

import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from falcon import inspect, testing
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import RaffleEngine
from rafflekit.core import limits
from rafflekit.core.errors import InvalidSetting, InvalidValue, RaffleError
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.http import openapi, reading
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.problems import STATUSES
from tests.http.conftest import MANAGER, PROXY, RAFFLE, SETTINGS, Post
from tests.http.test_wire import request as wire_request
from tests.programs import run
from tests.raffles import sold_out

DOCUMENT: dict[str, Any] = json.loads(openapi.document())
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
STRANGER = "192.0.2.1"
KEY = "0123456789abcdef"

Seen = tuple[str, str, int, str | None]
"""A method, an address as the document has it, a status, and a problem's type or None."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def schema_of(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def parameter_schema(name: str) -> dict[str, Any]:
    found = (p for _, _, operation in operations() for p in operation.get("parameters", []) if p["name"] == name)
    schema: dict[str, Any] = next(found)["schema"]
    return schema


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Give every object of the document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from parts_of(part)


def test_the_document_is_valid_openapi() -> None:
    # It takes a second to be imported, by every process that collects tests.
    import schemathesis

    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_the_schemas_in_the_document_are_valid() -> None:
    schemas = [part["schema"] for part in parts_of(DOCUMENT) if isinstance(part.get("schema"), dict)]
    schemas += DOCUMENT["components"]["schemas"].values()
    assert len(schemas) > 50

    for schema in schemas:
        jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]}, validate_formats=True)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    names = [operation["operationId"] for _, _, operation in operations() if "operationId" in operation]
    links = {link["operationId"] for part in parts_of(DOCUMENT) for link in part.get("links", {}).values()}
    references = {part["$ref"].rpartition("/")[2] for part in parts_of(DOCUMENT) if "$ref" in part}

    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert links
    assert links <= set(names)
    assert references == DOCUMENT["components"]["schemas"].keys()


def test_every_example_is_as_its_schema_has_it() -> None:
    contents = [part for part in parts_of(DOCUMENT) if "schema" in part and part.keys() & {"example", "examples"}]
    assert len(contents) > 20

    for content in contents:
        examples = [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
        for example in examples:
            jsonschema_rs.validate(content["schema"] | {"components": DOCUMENT["components"]}, example)


def test_every_route_of_the_service_is_in_the_document_with_its_methods_and_no_other(engine: RaffleEngine) -> None:
    routes = inspect.inspect_routes(create_app(engine, SETTINGS, metrics=Metrics()))
    served = {route.path: {method.method for method in route.methods if not method.internal} for route in routes}
    described = {path.removesuffix("/"): {m.upper() for m in item} for path, item in DOCUMENT["paths"].items()}

    assert described == served


def test_the_document_is_served_to_everybody_to_keep_and_is_the_same_under_every_host(
    client: testing.TestClient,
) -> None:
    answers = [
        client.simulate_get(path, headers={"Host": host}, remote_addr=STRANGER)
        for path in ("/openapi.json", "/openapi.json/")
        for host in ("127.0.0.1:8080", "raffle.example", "evil.example")
    ]

    assert {(answer.status_code, answer.headers["Content-Type"]) for answer in answers} == {(200, "application/json")}
    assert {answer.content for answer in answers} == {openapi.document()}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=3600"}
    assert DOCUMENT["servers"] == [{"url": "."}]


def test_the_document_is_made_at_its_first_request_and_once(database_url: str) -> None:
    program = f"""
from falcon import testing
from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http import openapi
from rafflekit.http.app import create_app

with RaffleEngine({database_url!r}) as engine:
    client = testing.TestClient(create_app(engine, Settings()))
    print(openapi.document.cache_info().misses)
    client.simulate_get("/openapi.json"), client.simulate_get("/openapi.json")
    print(openapi.document.cache_info().misses)
"""
    ran = run([sys.executable, "-c", program], text=True, check=True)

    assert ran.stdout.split() == ["0", "1"]


def test_every_error_of_the_core_that_can_be_an_answer_is_in_the_document() -> None:
    types = {kind for _, _, _, kind in documented() if kind}

    # What stops the start, and the head of the family, are no answers.
    answers = set(STATUSES) - {InvalidSetting, RaffleError}
    assert types == {"about:blank"} | {f"urn:rafflekit:problem:{error.code.replace('_', '-')}" for error in answers}


def documented() -> set[Seen]:
    return {
        (method, path, int(status), kind)
        for method, path, operation in operations()
        for status, answer in operation["responses"].items()
        for kind in types_of(answer)
    }


def types_of(answer: dict[str, Any]) -> list[str | None]:
    problem = answer.get("content", {}).get("application/problem+json")
    return problem["schema"]["properties"]["type"]["enum"] if problem else [None]


@pytest.fixture
def client(engine: RaffleEngine) -> testing.TestClient:
    """A client of the application with all of its addresses; managers read the metrics."""
    return client_of(engine)


def client_of(engine: RaffleEngine) -> testing.TestClient:
    settings = replace(SETTINGS, metrics_networks=SETTINGS.manager_networks)
    return testing.TestClient(create_app(engine, settings, metrics=Metrics()), headers={"Host": "127.0.0.1:8080"})


class Conversation:
    """Requests whose answers are held against the document; `seen` is what was answered."""

    def __init__(self, client: testing.TestClient) -> None:
        self._client = client
        self.seen: set[Seen] = set()

    def ask(self, method: str, path: str, *, source: str = MANAGER, **arguments: Any) -> Any:
        # Falcon's own would say that there are several processes.
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
            told = answer.json if media_type.endswith("json") else answer.text
            jsonschema_rs.validate(schema, told, validate_formats=True)
        is_problem = "application/problem+json" in content
        self.seen.add((method, template, answer.status_code, answer.json["type"] if is_problem else None))
        return told if content else None


def test_every_answer_in_the_document_can_be_had_and_is_as_described(client: testing.TestClient) -> None:
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


def test_a_draw_without_the_key_that_signed_the_tickets_is_refused_as_described(
    engine: RaffleEngine, database_url: str
) -> None:
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
def test_what_no_address_answers_is_in_the_document(
    client: testing.TestClient, method: str, path: str, name: str
) -> None:
    described = DOCUMENT["components"]["responses"][name]

    answer = client.simulate_request(method, path)

    jsonschema_rs.validate(
        described["content"][answer.headers["Content-Type"]]["schema"] | {"components": DOCUMENT["components"]},
        answer.json,
    )
    assert (described.get("headers") or {}).keys() <= answer.headers.keys()


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        *[
            ({"name": "n" * length}, is_valid)
            for length, is_valid in ((0, False), (1, True), (200, True), (201, False))
        ],
        *[({"name": name}, is_valid) for name, is_valid in ((" ", False), (" a ", True), ("a\n", False), ("é", True))],
        *[({"total_tickets": count}, count in (1, 10**12)) for count in (-1, 0, 1, 10**12, 10**12 + 1)],
        *[({"total_tickets": count}, False) for count in (True, "1", 1.5, None)],
        ({"prizes": []}, False),
        ({"total_tickets": 1_000, "prizes": [{"name": "hug", "amount": 1}] * 1_000}, True),
        ({"total_tickets": 1_001, "prizes": [{"name": "hug", "amount": 1}] * 1_001}, False),
        *[
            ({"total_tickets": 10**7, "prizes": [{"name": "hug", "amount": amount}]}, amount in (1, 10**6))
            for amount in (0, 1, 10**6, 10**6 + 1)
        ],
        ({"prizes": [{"name": "", "amount": 1}]}, False),
        ({"prizes": [{"name": "hug"}]}, False),
        ({"prizes": [{"name": "hug", "amount": 1, "more": 1}]}, False),
        ({"more": 1}, False),
    ],
)
def test_a_raffle_is_valid_in_the_document_just_if_it_can_be_created(
    post: Post, changes: dict[str, Any], is_valid: bool
) -> None:
    body = RAFFLE | changes

    assert jsonschema_rs.is_valid(schema_of("CreateBody"), body) is is_valid
    assert post("/raffles/", json=body).status_code == (201 if is_valid else 400)


def test_the_document_has_the_characters_that_names_have() -> None:
    name = re.compile(schema_of("CreateBody")["components"]["schemas"]["CreateBody"]["properties"]["name"]["pattern"])
    searched = re.compile(parameter_schema("name")["pattern"])
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    unprintable = {c for c in characters if unicodedata.category(c) in limits.UNPRINTABLE_CATEGORIES}
    blank = {c for c in characters if c.isspace()}

    assert {c for c in characters if not searched.fullmatch(c)} == unprintable
    assert {c for c in characters if not name.fullmatch(c)} == unprintable | blank
    assert not [c for c in unprintable if name.fullmatch(f"a{c}a")]


@pytest.mark.parametrize(
    ("name", "number"), [("page", 0), ("page_size", 0), ("page_size", 1_000), ("page_size", 1_001)]
)
def test_a_page_has_the_limits_of_the_document(client: testing.TestClient, name: str, number: int) -> None:
    is_valid = number == 1_000

    assert jsonschema_rs.is_valid(parameter_schema(name), number) is is_valid
    assert client.simulate_get("/raffles/", params={name: number}).status_code == (200 if is_valid else 400)


def test_the_pages_of_the_document_have_the_sizes_that_they_have() -> None:
    sizes = [
        parameter["schema"]["default"]
        for method, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if (parameter["name"], method) == ("page_size", "GET")
    ]

    assert sizes == [limits.RAFFLES_PAGE_SIZE, limits.WINNERS_PAGE_SIZE]


def is_key(text: str) -> bool:
    try:
        limits.check_idempotency_key(reading.idempotency_key(wire_request(Idempotency_Key=text)))
    except InvalidValue:
        return False
    return True


KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)


@given(KEYS | KEYS.map('"{}"'.format) | st.from_regex(parameter_schema("Idempotency-Key")["pattern"], fullmatch=True))
def test_the_document_has_the_form_of_an_idempotency_key(text: str) -> None:
    # A server takes the blanks around a header's value away.
    text = text.strip(" ")

    assert jsonschema_rs.is_valid(parameter_schema("Idempotency-Key"), text) is is_key(text)
