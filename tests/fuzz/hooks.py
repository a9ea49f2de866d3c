"""What schemathesis knows about raffles; it loads this in its own process, as schemathesis.toml says.

A schema cannot say which raffles exist and who asks. Here most valid ids become those of real raffles, in one state
after the other. Participants ask from different addresses, a manager names some of them, and a stranger tries what only
managers may do; a proxy reports their addresses. Three kinds of failures do not count, because no schema can express
the contract's rule: see `filter_failure`.
"""

import atexit
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, count, cycle
from pathlib import Path
from typing import Any

import schemathesis

from rafflekit.core.errors import Cancelled, IdempotencyKeyReused, InvalidVerificationCode, NotDrawnYet, SoldOut

MANAGER = "192.0.2.1"
STRANGER = "192.0.2.2"

CREATE = "POST /raffles/"
CHANGE = "PATCH /raffles/{raffle_id}/"
PARTICIPATE = "POST /raffles/{raffle_id}/participate/"
CLOSE = "POST /raffles/{raffle_id}/close/"
CANCEL = "POST /raffles/{raffle_id}/cancel/"
DRAW = "POST /raffles/{raffle_id}/winners/"
VERIFY = "POST /raffles/{raffle_id}/verify-ticket/"
REDEEM = "POST /raffles/{raffle_id}/redeem/"
FORFEIT = "POST /raffles/{raffle_id}/forfeit/"

_STATES = {
    CHANGE: ("new", "open", "cancelled", "unknown"),
    PARTICIPATE: (
        "open",
        "taken part",
        "open",
        "sold out",
        "drawn",
        "not open",
        "invited",
        "desk",
        "cancelled",
        "unknown",
    ),
    CLOSE: ("short", "to be closed", "drawn", "cancelled", "unknown"),
    CANCEL: ("to be cancelled", "drawn", "cancelled", "unknown"),
    DRAW: ("open", "to be drawn", "drawn", "cancelled", "unknown"),
    VERIFY: ("open", "ticket", "drawn", "ticket", "unknown"),
    REDEEM: ("open", "winner", "ticket", "drawn", "unknown"),
    FORFEIT: ("open", "winner", "ticket", "drawn", "unknown"),
}
_OTHER_STATES = ("sold out", "open", "drawn", "unknown")

_ID = re.compile(r"[a-f0-9]{8}-([a-f0-9]{4}-){3}[a-f0-9]{12}")
# Rules between the fields of a body, of which characters are visible, and between a request and its raffle's state.
_RULES = (
    "must have a visible character",
    "has only invisible characters",
    "Too many prizes",
    "is only for",
    "is missing: ",
    "must be after the moment",
    "must be a time from 1970 to 9999",
    "value: ",
    "must be a size from 0",
    "the size of the ledger now",
    *(error.sentence for error in (Cancelled, IdempotencyKeyReused, InvalidVerificationCode, NotDrawnYet, SoldOut)),
)


class _Run:
    """What this process has to remember."""

    def __init__(self) -> None:
        made = json.loads(Path(os.environ["RAFFLES"]).read_text())
        self.tickets: dict[str, Iterator[tuple[str, int, str]]] = {
            "ticket": cycle(made.pop("tickets")),
            # Each of them once.
            "winner": chain(made["winners"], cycle(made["winners"])),
        }
        """Those of drawn raffles: an id, a number, a code."""
        drawn = cycle([raffle for raffle, _, _ in made.pop("winners")])
        self.raffles = {state: cycle(raffles) for state, raffles in made.items()} | {
            "taken part": cycle(made["open"]),
            # Each of them once.
            "to be drawn": chain(made["sold out"], drawn),
            "drawn": drawn,
        }
        self.participants = count()
        self.turns: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        """How often an operation gave an answer: by name, status and the problem's type."""
        atexit.register(self._write_answers)

    def turn(self, what: str) -> int:
        """Return the number of earlier calls, so that a cycle of choices needs few cases for all of them."""
        self.turns[what] += 1
        return self.turns[what]

    def _write_answers(self) -> None:
        Path(os.environ["ANSWERS"]).write_text(json.dumps(self.answers))


@cache
def _run() -> _Run:
    return _Run()


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict[str, Any]) -> None:
    """Choose the raffle and who asks."""
    assert case.meta is not None
    label = case.operation.label
    if case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        case.body = _with_digits_only(case.body)
        if label == CREATE and _run().turn("one ticket") % 2:
            # One that participants can sell out.
            case.body = case.body | {"total_tickets": 1, "prizes": [case.body["prizes"][0] | {"amount": 1}]}
        if label in (CREATE, CHANGE) and _run().turn("no options") % 2:
            case.body = {name: case.body[name] for name in ("name", "total_tickets", "prizes") if name in case.body}
        if label == DRAW and _run().turn("no value") % 3:
            case.body = {}
    # In the stateful phase answers give the ids.
    is_free = case.meta.phase.name.value != "stateful" and _ID.fullmatch(str(case.path_parameters.get("raffle_id")))
    state = _choose_raffle(case, label) if is_free else "unknown"
    case.headers["X-Forwarded-For"] = _asker(case, label, state)


def _with_digits_only(body: Any) -> Any:
    """Return a body with whole numbers in digits: JSON Schema accepts 1.0 as one, and rafflekit does not."""
    if isinstance(body, dict):
        return {name: _with_digits_only(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_digits_only(value) for value in body]
    return int(body) if isinstance(body, float) else body


def _choose_raffle(case: schemathesis.Case, label: str) -> str:
    """Put a real raffle into an address, most of the time; return its state."""
    run = _run()
    states = _STATES.get(label, _OTHER_STATES)
    state = states[run.turn(f"{label} {case.meta.generation.mode}") % len(states)]
    if state in run.raffles:
        case.path_parameters["raffle_id"] = next(run.raffles[state])
    elif state in run.tickets and case.meta.generation.mode.is_positive:
        raffle, number, code = next(run.tickets[state])
        case.path_parameters["raffle_id"] = raffle
        case.body = case.body | {"ticket_number": number, "verification_code": code}
    return state


def _asker(case: schemathesis.Case, label: str, state: str) -> str:
    names_someone = isinstance(case.body, dict) and case.body.get("participant") is not None
    if label == PARTICIPATE and state != "taken part" and not (names_someone and _run().turn("desk") % 2):
        number = next(_run().participants)
        return str(IPv6Address((0x20010DB8 << 96) + (number << 64)) if number % 2 else IPv4Address((10 << 24) + number))
    if label == PARTICIPATE:
        return MANAGER
    return STRANGER if _run().turn(f"who asks {label}") % 7 == 0 else MANAGER


@schemathesis.hook
def after_call(_context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Count the answer."""
    is_problem = response.headers.get("content-type", [""])[0] == "application/problem+json" and response.content
    kind = f" {json.loads(response.content)['type']}" if is_problem else ""
    _run().answers[f"{case.method} {case.operation.path} {response.status_code}{kind}"] += 1


@schemathesis.hook
def filter_failure(
    _context: schemathesis.HookContext, failure: Any, case: schemathesis.Case, response: schemathesis.Response
) -> bool:
    """Return whether a failure counts."""
    # Valid by the schema, but refused.
    if failure.code == "ST202":
        # The answer to HEAD does not say which rule it was; that to GET does.
        return case.method != "HEAD" and not any(rule in response.text for rule in _RULES)
    # Parameters that a list does not have are ignored: a link may carry any. A schema cannot say it of a query.
    if failure.code == "ST201":
        return "x-schemathesis-unknown-property" not in (case.query or {})
    # A new raffle has no ticket, and without one nothing in its ledger.
    if failure.code == "ST302":
        return "/ledger/" not in case.operation.path
    return True
