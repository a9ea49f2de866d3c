"""schemathesis reads /openapi.json of a real server and tries to get an undocumented answer or a 5xx.

`RAFFLEKIT_TEST_CASES` says how many cases to try, at least: `make soak` tries 10,000 on each database. Without it, one
round of some 900 cases runs on SQLite.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rafflekit import Prize
from tests.databases import KINDS, new_database_url, open_engine
from tests.fuzz.hooks import MANAGER
from tests.live_server import Serve

CASES = int(os.environ.get("RAFFLEKIT_TEST_CASES", "0"))
EXAMPLES = max(7, CASES // 100)
"""Of each operation and in each phase; schemathesis adds the edges of every schema, and so more cases."""
# `make soak` tries ten thousand cases.
LIMIT_S = 1_800

FOLDER = Path(__file__).parent
_ANSWERS = {
    "POST /raffles/": "201 400:invalid-value 403:",
    "PATCH /raffles/{raffle_id}/": "200 400:invalid-value 403: 404:raffle-not-found 409:too-late",
    "POST /raffles/{raffle_id}/participate/": "201 400:invalid-value 403:already-participated 403:not-open-yet "
    "403:invitation-needed 403:managers-only 404:raffle-not-found 410:sold-out 410:cancelled",
    "POST /raffles/{raffle_id}/close/": "200 403: 404:raffle-not-found 409:too-few-tickets 409:too-late 410:cancelled",
    "POST /raffles/{raffle_id}/cancel/": "200 400:invalid-value 403: 404:raffle-not-found 409:too-late",
    "POST /raffles/{raffle_id}/winners/": "201 403: 403:already-drawn 403:tickets-remaining 410:cancelled",
    "POST /raffles/{raffle_id}/verify-ticket/": "200 400:invalid-value 400:invalid-verification-code 400:not-drawn-yet",
    "POST /raffles/{raffle_id}/redeem/": "200 400:invalid-value 400:invalid-verification-code 400:not-drawn-yet 403: "
    "409:no-prize",
    "POST /raffles/{raffle_id}/forfeit/": "200 400:invalid-value 400:not-drawn-yet 403: 404:ticket-not-found "
    "409:no-prize",
    "GET /raffles/{raffle_id}/": "200",
    "GET /raffles/{raffle_id}/winners/": "200 404:page-not-found",
}
OUTCOMES = {
    f"{operation} {answer}".replace(":", " about:blank" if answer.endswith(":") else " urn:rafflekit:problem:")
    for operation, answers in _ANSWERS.items()
    for answer in answers.split()
}
"""What must have been answered at least once, or the cases have not got to the bottom of it."""


@pytest.fixture(params=KINDS if CASES else KINDS[:1])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind."""
    return new_database_url(request)


def raffles_in_every_state(url: str) -> dict[str, list[object]]:
    """Make raffles in each state that `hooks` knows, and return their ids; and tickets of drawn raffles.

    The manager has taken part in those that are open.
    """
    made: dict[str, list[object]] = {"tickets": [], "winners": []}

    def make(state: str, tickets: int, *, total: int = 10**9, prizes: int = 1, **options: Any) -> UUID:
        raffle = engine.create(state, total_tickets=total, prizes=[Prize("hug", prizes)], **options).id
        held = [engine.participate(raffle, MANAGER if n == 0 else f"participant {n}") for n in range(tickets)]
        if state == "drawn":
            winners = {win.ticket_number for win in engine.draw(raffle)}
            for ticket in held:
                kind = "winners" if ticket.number in winners else "tickets"
                made[kind].append([str(raffle), ticket.number, ticket.verification_code])
        else:
            made.setdefault(state, []).append(str(raffle))
        return raffle

    with open_engine(url) as engine:
        for _ in range(5):
            make("open", 1, prizes=3)
            make("new", 0)
            make("short", 1, prizes=2)
            make("not open", 0, opens_at=datetime(2999, 1, 1, tzinfo=UTC))
            make("invited", 0, entry="invitation")
            make("desk", 0, entry="desk")
            engine.cancel(make("cancelled", 1), "rain")
        for _ in range(10):
            make("drawn", 4, total=4, prizes=2)
        for _ in range(20):
            make("sold out", 1, total=1)
            make("to be closed", 2)
            make("to be cancelled", 1)
    return made


def test_every_answer_is_in_the_document(url: str, tmp_path: Path, serve: Serve) -> None:
    settings = {"RAFFLEKIT_DATABASE_URL": url, "MANAGER_IPS": MANAGER, "RAFFLEKIT_TRUSTED_PROXIES": "127.0.0.1"}
    server = serve(**settings)
    answers: Counter[str] = Counter()
    cases = seed = 0
    while not cases or cases < CASES:
        seed += 1
        (tmp_path / "raffles.json").write_text(json.dumps(raffles_in_every_state(url)))
        environment = {"RAFFLES": "raffles.json", "ANSWERS": "answers.json"}
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", FOLDER / "schemathesis.toml", "run"),
                *("--checks=all", f"--max-examples={EXAMPLES}", f"--seed={seed}", f"{server.url}/openapi.json"),
            ],
            check=False,
            timeout=LIMIT_S,
            cwd=tmp_path,
            env=os.environ | environment | {"PYTHONPATH": str(FOLDER.parent.parent)},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        found = re.search(r"^  (\d+) generated", ran.stdout, flags=re.MULTILINE)
        assert found, ran.stdout
        cases += int(found[1])
        answers.update(json.loads((tmp_path / "answers.json").read_text()))
    kind = "PostgreSQL" if url.startswith("postgresql") else "SQLite"
    statuses: Counter[str] = Counter()
    for answer, times in answers.items():
        statuses[answer.split()[2]] += times
    counted = ", ".join(f"{times:,} × {status}" for status, times in sorted(statuses.items()))
    print(f"\n{cases:,} cases of schemathesis on {kind}, all as documented: {counted}")

    assert OUTCOMES - answers.keys() == set()
    assert "Traceback" not in server.log.read_text()
