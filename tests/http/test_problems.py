import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import falcon
import pytest
from falcon import testing

import rafflekit.core.errors as core_errors
from rafflekit import (
    AlreadyParticipated,
    BeaconNotPublished,
    InvalidSetting,
    InvalidValue,
    NotOpenYet,
    RaffleEngine,
    RaffleError,
    RaffleNotFound,
    SchemaMismatch,
    SigningKeyUnavailable,
    SoldOut,
    StorageUnavailable,
)
from rafflekit.http import problems
from tests.http.conftest import RAFFLE, Post

SECRET_PATH = "/srv/secret/raffles.db"


def family() -> set[type[RaffleError]]:
    found = {RaffleError}
    while below := {child for parent in found for child in parent.__subclasses__()} - found:
        found |= below
    return {error for error in found if error.__module__ == core_errors.__name__}


@pytest.fixture
def failing() -> Callable[..., testing.Result]:
    """Return the answer of an application that always fails with an error: `failing(error, method="GET")`."""
    planted: list[Exception] = []

    def fail(_request: falcon.Request, _response: falcon.Response) -> None:
        raise planted.pop()

    app = falcon.App()
    # As in the service.
    app.req_options.strip_url_path_trailing_slash = True
    problems.install(app)
    app.add_sink(fail)

    def answer(error: Exception, method: str = "GET", path: str = "/", **headers: str) -> testing.Result:
        planted.append(error)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return testing.TestClient(app).simulate_request(method, path, headers=named)

    return answer


def test_every_error_of_the_core_has_a_status() -> None:
    assert set(problems.STATUSES) == family()
    assert len(family()) > 10


def test_a_refusal_is_a_problem_of_its_own_type(failing: Callable[[Exception], testing.Result]) -> None:
    answer = failing(SoldOut())

    assert answer.status_code == 410
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "urn:rafflekit:problem:sold-out",
        "title": "Tickets to this raffle are no longer available",
        "status": 410,
        "detail": "Tickets to this raffle are no longer available",
    }


def test_an_invalid_value_names_its_field_twice(failing: Callable[[Exception], testing.Result]) -> None:
    answer = failing(InvalidValue("prizes[0].amount", "must be at least 1."))

    assert answer.status_code == 400
    assert answer.json["detail"] == "prizes[0].amount: must be at least 1."
    assert answer.json["errors"] == [{"field": "prizes[0].amount", "message": "must be at least 1."}]


def test_an_idempotency_key_is_named_like_its_header(failing: Callable[[Exception], testing.Result]) -> None:
    answer = failing(InvalidValue("idempotency_key", "is too short."))

    assert answer.json["detail"] == "Idempotency-Key: is too short."
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("kind", [StorageUnavailable, SchemaMismatch])
def test_an_outage_is_logged_and_the_client_may_retry(
    kind: type[RaffleError],
    failing: Callable[[Exception], testing.Result],
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = failing(kind(f"{SECRET_PATH} is locked"))

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["type"] == f"urn:rafflekit:problem:{kind.code.replace('_', '-')}"
    assert SECRET_PATH not in answer.text
    assert SECRET_PATH in caplog.text


def test_an_outage_in_a_rush_is_one_line_per_second(
    failing: Callable[[Exception], testing.Result], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(problems, "time", SimpleNamespace(monotonic=lambda: now[0]))

    for _ in range(5):
        failing(StorageUnavailable("away"))
    now[0] += 1
    failing(StorageUnavailable("still away"))

    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition("since")[0] for line in lines] == ["Answered 503 (1 times ", "Answered 503 (5 times "]
    assert lines[1].endswith(": still away")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            StorageUnavailable("away", is_in_doubt=True),
            "This request may or may not have been carried out; check before you repeat it.",
        ),
        (StorageUnavailable("locked"), "This request has changed nothing."),
        (SchemaMismatch("newer"), "This request has changed nothing."),
    ],
)
def test_an_outage_says_whether_anything_was_changed(
    error: RaffleError, sentence: str, failing: Callable[..., testing.Result]
) -> None:
    read, written = (failing(error, method=method) for method in ("GET", "POST"))

    assert read.json["detail"] == f"{error.sentence} Try again later."
    assert written.json["detail"].startswith(f"{error.sentence} Try again later. {sentence}")


def test_a_missing_key_is_for_the_organiser_to_mend(failing: Callable[..., testing.Result]) -> None:
    error = SigningKeyUnavailable("no key")

    assert failing(error).json["detail"] == f"{error.sentence} Tell the organiser."


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("{raffle}/participate", "repeat it with its Idempotency-Key to get the same ticket."),
        ("{raffle}/participate/", "repeat it with its Idempotency-Key to get the same ticket."),
        ("/raffles", "repeat it with its Idempotency-Key to get the same raffle."),
        ("{raffle}/winners", "check before you repeat it."),
    ],
)
def test_after_an_outage_a_key_gets_the_same_again(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, post: Post, path: str, advice: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable("away", is_in_doubt=True)

    for method in ("create", "participate", "draw"):
        monkeypatch.setattr(engine, method, fail)
    target = path.format(raffle="/raffles/00000000-0000-4000-8000-000000000000")
    body = RAFFLE if path == "/raffles" else {}

    with_key, without = (
        post(target, json=body, headers=headers) for headers in ({"Idempotency-Key": "a-key-of-its-own"}, {})
    )

    assert with_key.json["detail"].endswith(f" may or may not have been carried out; {advice}")
    assert without.json["detail"].endswith(" carried out; check before you repeat it.")


@pytest.mark.parametrize("error", [ZeroDivisionError(SECRET_PATH), InvalidSetting("X", SECRET_PATH, "is wrong")])
def test_an_unforeseen_failure_is_logged_under_its_incident(
    error: Exception, failing: Callable[[Exception], testing.Result], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = failing(error)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert SECRET_PATH not in answer.text
    assert type(error).__name__ not in answer.text
    incident = re.search(r"[0-9a-f]{16}", answer.json["detail"])
    assert incident
    assert incident.group() in caplog.text
    assert "Traceback" in caplog.text
    assert SECRET_PATH in caplog.text


def test_two_unforeseen_failures_have_two_incident_ids(failing: Callable[[Exception], testing.Result]) -> None:
    assert failing(ValueError()).json["detail"] != failing(ValueError()).json["detail"]


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (falcon.HTTPRouteNotFound(), 404, "Not Found"),
        (falcon.HTTPContentTooLarge(description="Too much."), 413, "Content Too Large"),
        (falcon.HTTPServiceUnavailable(), 503, "Service Unavailable"),
    ],
)
def test_a_bare_http_error_is_a_problem_without_a_type(
    failing: Callable[[Exception], testing.Result], error: falcon.HTTPError, status: int, title: str
) -> None:
    answer = failing(error)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {key: answer.json[key] for key in ("type", "title", "status")} == {
        "type": "about:blank",
        "title": title,
        "status": status,
    }
    assert answer.json["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/raffles/a/b", "/raffles//", "/Raffles", "/raffles/%00/nothing"])
def test_an_unknown_path_is_a_problem(client: testing.TestClient, path: str) -> None:
    answer = client.simulate_get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_details_of_a_problem_keep_their_languages(post: Post) -> None:
    answer = post("/raffles", json=RAFFLE | {"prìze": 1})

    assert answer.status_code == 400
    assert "prìze" in answer.json["detail"]


def test_not_found_says_where_to_look(failing: Callable[[Exception], testing.Result]) -> None:
    assert failing(RaffleNotFound()).json["detail"] == RaffleNotFound.sentence


@pytest.mark.parametrize(
    "error",
    [
        NotOpenYet(datetime(2030, 12, 5, tzinfo=UTC), retry_after_s=90),
        BeaconNotPublished(datetime(2030, 12, 5, tzinfo=UTC), retry_after_s=90),
    ],
)
def test_a_refusal_before_its_time_says_when_to_retry(
    error: RaffleError, failing: Callable[[Exception], testing.Result]
) -> None:
    answer = failing(error)

    assert (answer.status_code, answer.headers["Retry-After"]) == (403, "90")


def test_a_message_of_the_core_is_the_detail(failing: Callable[[Exception], testing.Result]) -> None:
    answer = failing(AlreadyParticipated("This invitation has been used already.")).json

    assert answer["title"] == "This participant already has a ticket for this raffle."
    assert answer["detail"] == "This invitation has been used already."
