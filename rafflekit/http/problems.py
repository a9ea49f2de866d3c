"""Errors as answers: problem details (RFC 9457), with one table from an error's class to its status.

The answer holds what a client may know, the log what the operator needs. An unforeseen failure gets an incident id,
which is in both.
"""

import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon
import msgspec

from rafflekit.core import errors, limits
from rafflekit.core.tickets.participants import normalise
from rafflekit.http import reading
from rafflekit.http.api import ROUTES
from rafflekit.http.monitoring.redaction import redacted
from rafflekit.http.monitoring.requests import known_method, route_of

MEDIA_PROBLEM = "application/problem+json"
_RETRY_AFTER_S = 5

STATUSES: dict[type[errors.RaffleError], HTTPStatus] = {
    errors.InvalidValue: HTTPStatus.BAD_REQUEST,
    errors.RaffleNotFound: HTTPStatus.NOT_FOUND,
    errors.PageNotFound: HTTPStatus.NOT_FOUND,
    errors.TicketNotFound: HTTPStatus.NOT_FOUND,
    errors.SoldOut: HTTPStatus.GONE,
    errors.Cancelled: HTTPStatus.GONE,
    errors.NotOpenYet: HTTPStatus.FORBIDDEN,
    errors.InvitationNeeded: HTTPStatus.FORBIDDEN,
    errors.ManagersOnly: HTTPStatus.FORBIDDEN,
    errors.AlreadyParticipated: HTTPStatus.FORBIDDEN,
    errors.TooFewTickets: HTTPStatus.CONFLICT,
    errors.TooLate: HTTPStatus.CONFLICT,
    errors.TooEarly: HTTPStatus.CONFLICT,
    errors.NoPrize: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TicketsRemaining: HTTPStatus.FORBIDDEN,
    errors.AlreadyDrawn: HTTPStatus.FORBIDDEN,
    errors.BeaconNotPublished: HTTPStatus.FORBIDDEN,
    errors.BeaconUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotDrawnYet: HTTPStatus.BAD_REQUEST,
    errors.InvalidVerificationCode: HTTPStatus.BAD_REQUEST,
    errors.StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SigningKeyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SchemaMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.InvalidSetting: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RaffleError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of every error of the core."""

WAITING = (errors.NotOpenYet, errors.BeaconNotPublished)
"""The refusals that say when to try again; so do all outages."""

BARE_DETAILS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "Nothing is at this address; the raffles are at /raffles/.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This method is not supported here; the Allow header lists those that are.",
}
"""Details for Falcon's own errors, which come without them."""

_READING = ("GET", "HEAD", "OPTIONS")
_OUTAGE_LINE_S = 1.0

# What a POST that is repeated with its Idempotency-Key gets, by the template of its path.
_REPEATS = {route.template: route.operations["POST"].repeat for route in ROUTES if "POST" in route.operations}

# Fields that clients know by another name.
_FIELD_NAMES = {"idempotency_key": "Idempotency-Key"}

_log = logging.getLogger(__name__)


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457); with `errors` only if a field of the request is at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET


ShowProblem = Callable[[falcon.Request, falcon.Response, Problem], bool]


def install(app: falcon.App[falcon.Request, falcon.Response], show: ShowProblem | None = None) -> None:
    """Make every error of an application a problem: rafflekit's, Falcon's and unforeseen ones.

    `show` answers people with a page instead, and returns False for all others.
    """
    _Answers(show).install(app)


def problem_of(error: errors.RaffleError) -> Problem:
    """Return the problem that answers a refusal; not of an outage, whose message is for the log."""
    if isinstance(error, errors.InvalidValue):
        field = _FIELD_NAMES.get(error.field, error.field)
        problem = plain_problem(type(error), f"{field}: {error.reason}")
        return msgspec.structs.replace(problem, errors=[FieldError(field, error.reason)])
    return plain_problem(type(error), str(error))


def plain_problem(kind: type[errors.RaffleError], detail: str = "") -> Problem:
    """Return the problem of an error; its detail is by default its sentence."""
    urn = f"urn:rafflekit:problem:{kind.code.replace('_', '-')}"
    return Problem(urn, kind.sentence, http_status_of(kind), detail or kind.sentence)


def bare_problem(status: int, detail: str) -> Problem:
    """Return a problem that has only a status (RFC 9457, 4.2.1: type "about:blank", with its phrase as the title)."""
    return Problem("about:blank", _phrase(status), status, detail)


class _Answers:
    """Answer errors; outages are logged as well, with at most one line per second, even in a rush."""

    def __init__(self, show: ShowProblem | None) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._since_last_line = 0
        self._quiet_until = 0.0

    def install(self, app: falcon.App[falcon.Request, falcon.Response]) -> None:
        app.add_error_handler(errors.RaffleError, self._on_refusal)
        app.add_error_handler(Exception, self._on_surprise)
        app.set_error_serializer(self._on_http_error)

    def _on_refusal(
        self, request: falcon.Request, response: falcon.Response, error: errors.RaffleError, parameters: dict[str, Any]
    ) -> None:
        status = http_status_of(type(error))
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            self._on_surprise(request, response, error, parameters)
            return
        request.context.refusal = error.code
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self._log(error)
            response.retry_after = _RETRY_AFTER_S
            self._answer(request, response, _outage_of(request, error))
        else:
            if isinstance(error, WAITING):
                response.retry_after = error.retry_after_s
            self._answer(request, response, problem_of(error))

    def _on_http_error(self, request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
        status = error.status_code
        request.context.refusal = _phrase(status).lower().replace(" ", "_")
        detail = error.description or BARE_DETAILS.get(status, f"{_phrase(status)}.")
        self._answer(request, response, bare_problem(status, detail))

    def _on_surprise(
        self, request: falcon.Request, response: falcon.Response, error: Exception, _parameters: dict[str, Any]
    ) -> None:
        incident = secrets.token_hex(8)
        request.context.incident = incident
        trace = redacted("".join(traceback.format_exception(error)), _secrets_of(request))
        _log.error(_Incident(incident, known_method(request), route_of(request), trace))
        detail = f"Something went wrong. The log explains it under incident {incident}."
        self._answer(request, response, bare_problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))

    def _answer(self, request: falcon.Request, response: falcon.Response, problem: Problem) -> None:
        if self._show is not None and self._show(request, response, problem):
            return
        response.status = problem.status
        response.content_type = MEDIA_PROBLEM
        response.data = msgspec.json.encode(problem)

    def _log(self, error: errors.RaffleError) -> None:
        # The message names files and versions: it is for the log, not for the client.
        with self._lock:
            self._since_last_line += 1
            now = time.monotonic()
            if now < self._quiet_until:
                return
            self._quiet_until = now + _OUTAGE_LINE_S
            answers, self._since_last_line = self._since_last_line, 0
        _log.error("Answered 503 (%d times since the last such line): %s", answers, error)


def _outage_of(request: falcon.Request, error: errors.RaffleError) -> Problem:
    """Return the problem of an outage: what to do and, if the request was to change something, whether it may have."""
    # Time alone brings no key.
    advice = "Tell the organiser." if isinstance(error, errors.SigningKeyUnavailable) else "Try again later."
    said = [error.sentence, advice]
    if request.method not in _READING:
        is_in_doubt = isinstance(error, errors.StorageUnavailable) and error.is_in_doubt
        said.append(_in_doubt(request) if is_in_doubt else "This request has changed nothing.")
    return plain_problem(type(error), " ".join(said))


def _in_doubt(request: falcon.Request) -> str:
    repeat = _REPEATS.get(request.uri_template or "")
    if repeat and request.get_header("Idempotency-Key") is not None:
        advice = f"repeat it with its Idempotency-Key to get {repeat}."
    elif repeat and getattr(request.context, "has_form_key", False):
        advice = f"reload this page to get {repeat}."
    else:
        advice = "check before you repeat it."
    return f"This request may or may not have been carried out; {advice}"


class _Incident(NamedTuple):
    """An unforeseen failure, as it is logged (`log_lines.Event`).

    The path is left out, since it may hold anything; secrets that the message quotes are removed from it.
    """

    incident: str
    method: str
    route: str
    traceback: str

    def fields(self) -> dict[str, Any]:
        return {"message": self._sentence(), **self._asdict()}

    def __str__(self) -> str:
        return f"{self._sentence()}\n{self.traceback}"

    def _sentence(self) -> str:
        return f"Incident {self.incident}: {self.method} {self.route} failed."


def _secrets_of(request: falcon.Request) -> list[str]:
    # The idempotency key as sent and as read, and the body's secrets, also in the one spelling that a participant has.
    # Other codes and addresses are recognised by their form.
    sent = request.env.get("HTTP_IDEMPOTENCY_KEY", "")
    try:
        read = reading.idempotency_key(request) or ""
    except errors.InvalidValue:
        read = ""
    # A shorter text is not a key, and may occur anywhere by chance.
    keys = [key for key in (sent, read) if len(key) >= limits.IDEMPOTENCY_KEY_CHARACTERS[0]]
    texts: list[str] = getattr(request.context, "secrets", [])
    return [*keys, *texts, *map(normalise, texts)]


def http_status_of(kind: type[errors.RaffleError]) -> HTTPStatus:
    """Return the status of an error of the core: its own, or that of its nearest parent."""
    return next(STATUSES[parent] for parent in kind.__mro__ if parent in STATUSES)


def _phrase(status: int) -> str:
    # The phrases of HTTPStatus are partly outdated, and differ between versions of Python.
    line: str = falcon.code_to_http_status(int(status))
    return line.partition(" ")[2]
