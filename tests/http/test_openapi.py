"""The OpenAPI document is valid, and describes this service."""

import sys
from collections import Counter

import jsonschema_rs
from falcon import inspect, testing

from rafflekit import RaffleEngine
from rafflekit.core.errors import InvalidSetting, RaffleError
from rafflekit.core.protocol.terms import TIMES
from rafflekit.http import openapi
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.problems import STATUSES
from tests.http.conftest import SETTINGS, Post
from tests.http.description import DOCUMENT, documented, operations, parts_of
from tests.programs import run

STRANGER = "192.0.2.1"


def test_the_document_is_valid_openapi() -> None:
    # Importing it takes a second, which every process that collects tests would spend.
    import schemathesis

    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_the_schemas_in_the_document_are_valid() -> None:
    schemas = [part["schema"] for part in parts_of(DOCUMENT) if isinstance(part.get("schema"), dict)]
    schemas += DOCUMENT["components"]["schemas"].values()
    assert len(schemas) > 50

    for schema in schemas:
        jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]}, validate_formats=True)


def test_an_option_that_a_raffle_lacks_is_omitted() -> None:
    required = {name: DOCUMENT["components"]["schemas"][name]["required"] for name in ("RaffleShape", "TermsShape")}
    announced = ["created_at", "entropy", "id", "name", "prizes", "total_tickets"]

    assert sorted(required["RaffleShape"]) == sorted([*announced, "available_tickets", "state", "winners_drawn"])
    assert sorted(required["TermsShape"]) == sorted([*announced, "protocol"])


def test_every_time_is_described_as_one() -> None:
    times = {
        name: part[name].get("anyOf", [part[name]])[0]
        for part in parts_of(DOCUMENT["components"]["schemas"])
        for name in part
        if name.endswith(("_at", "_until"))
    }

    assert {*TIMES, "draw_possible_at", "redeemed_at", "forfeited_at", "redeem_until"} <= times.keys()
    assert {kind["format"] for kind in times.values()} == {"date-time"}


def test_the_document_has_what_an_address_is_told(post: Post, raffle: str) -> None:
    refusals = DOCUMENT["paths"]["/raffles/{raffle_id}/participate/"]["post"]["responses"]["403"]
    examples = refusals["content"]["application/problem+json"]["examples"].values()

    _, refused = (post(f"{raffle}/participate", source=STRANGER).json for _ in range(2))

    assert refused in [example["value"] for example in examples]
    assert f"- {refused['detail']}" in refusals["description"]


def test_only_some_refusals_of_a_status_say_when_to_retry() -> None:
    answers = {
        (path, method, status): answer["headers"]["Retry-After"]["required"]
        for method, path, operation in operations()
        for status, answer in operation["responses"].items()
        if "Retry-After" in answer.get("headers", {})
    }

    optional = {(path, method) for (path, method, status), required in answers.items() if not required}
    assert optional == {("/raffles/{raffle_id}/participate/", "POST"), ("/raffles/{raffle_id}/winners/", "POST")}
    assert {status for (_, _, status), required in answers.items() if required} == {"503"}


def test_every_reference_of_the_document_leads_somewhere() -> None:
    names = [operation["operationId"] for _, _, operation in operations() if "operationId" in operation]
    links = {link["operationId"] for part in parts_of(DOCUMENT) for link in part.get("links", {}).values()}
    references = {part["$ref"].rpartition("/")[2] for part in parts_of(DOCUMENT) if "$ref" in part}

    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert links
    assert links <= set(names)
    assert references == DOCUMENT["components"]["schemas"].keys()


def test_every_example_matches_its_schema() -> None:
    contents = [part for part in parts_of(DOCUMENT) if "schema" in part and part.keys() & {"example", "examples"}]
    assert len(contents) > 20

    for content in contents:
        examples = [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
        for example in examples:
            jsonschema_rs.validate(content["schema"] | {"components": DOCUMENT["components"]}, example)


def test_the_document_has_the_routes_and_methods_of_the_service(engine: RaffleEngine) -> None:
    routes = inspect.inspect_routes(create_app(engine, SETTINGS, metrics=Metrics(), pages=False))
    served = {route.path: {method.method for method in route.methods if not method.internal} for route in routes}
    described = {path.removesuffix("/") or "/": {m.upper() for m in item} for path, item in DOCUMENT["paths"].items()}

    assert described == served


def test_the_document_is_public_and_the_same_under_every_host(
    client: testing.TestClient,
) -> None:
    answers = [
        client.simulate_get(path, headers={"Host": host}, remote_addr=STRANGER)
        for path in ("/openapi.json", "/openapi.json/")
        for host in ("127.0.0.1:8080", "raffle.example", "evil.example")
    ]

    assert {(answer.status_code, answer.headers["Content-Type"]) for answer in answers} == {(200, "application/json")}
    assert {answer.content for answer in answers} == {openapi.document()}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-cache"}
    assert len({answer.headers["ETag"] for answer in answers}) == 1
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


def test_every_error_that_can_be_an_answer_is_in_the_document() -> None:
    types = {kind for _, _, _, kind in documented() if kind}

    # The error that stops the start and the base class are never answers.
    answers = set(STATUSES) - {InvalidSetting, RaffleError}
    assert types == {"about:blank"} | {f"urn:rafflekit:problem:{error.code.replace('_', '-')}" for error in answers}
