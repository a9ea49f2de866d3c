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
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from tests.databases import KINDS, new_database_url
from tests.fuzz.hooks import MANAGER
from tests.live_server import Serve

CASES = int(os.environ.get("RAFFLEKIT_TEST_CASES", "0"))
EXAMPLES = max(7, CASES // 100)
"""Of each operation and in each phase; schemathesis adds the edges of every schema, and so more cases."""
# `make soak` tries ten thousand cases.
LIMIT_S = 1_800

FOLDER = Path(__file__).parent
OUTCOMES = {
    "POST /raffles/ 201",
    "POST /raffles/ 400 urn:rafflekit:problem:invalid-value",
    "POST /raffles/ 403 about:blank",
    "POST /raffles/{raffle_id}/participate/ 201",
    "POST /raffles/{raffle_id}/participate/ 400 urn:rafflekit:problem:invalid-value",
    "POST /raffles/{raffle_id}/participate/ 403 urn:rafflekit:problem:already-participated",
    "POST /raffles/{raffle_id}/participate/ 404 urn:rafflekit:problem:raffle-not-found",
    "POST /raffles/{raffle_id}/participate/ 410 urn:rafflekit:problem:sold-out",
    "POST /raffles/{raffle_id}/winners/ 201",
    "POST /raffles/{raffle_id}/winners/ 403 about:blank",
    "POST /raffles/{raffle_id}/winners/ 403 urn:rafflekit:problem:already-drawn",
    "POST /raffles/{raffle_id}/winners/ 403 urn:rafflekit:problem:tickets-remaining",
    "POST /raffles/{raffle_id}/verify-ticket/ 200",
    "POST /raffles/{raffle_id}/verify-ticket/ 400 urn:rafflekit:problem:invalid-value",
    "POST /raffles/{raffle_id}/verify-ticket/ 400 urn:rafflekit:problem:invalid-verification-code",
    "POST /raffles/{raffle_id}/verify-ticket/ 400 urn:rafflekit:problem:not-drawn-yet",
    "GET /raffles/{raffle_id}/ 200",
    "GET /raffles/{raffle_id}/winners/ 200",
    "GET /raffles/{raffle_id}/winners/ 404 urn:rafflekit:problem:page-not-found",
}
"""What must have been answered at least once, or the cases have not got to the bottom of it."""


@pytest.fixture(params=KINDS if CASES else KINDS[:1])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind."""
    return new_database_url(request)


def raffles_in_every_state(url: str) -> dict[str, list[object]]:
    """Make raffles that are open (the manager has taken part), sold out and drawn; give the ids, and drawn tickets."""
    raffles: dict[str, list[object]] = {"open": [], "sold out": [], "tickets": []}
    with RaffleEngine(url) as engine:
        for _ in range(5):
            is_open = engine.create("Open", total_tickets=10**9, prizes=[Prize("hug", 3)]).id
            engine.participate(is_open, MANAGER)
            raffles["open"].append(str(is_open))
            drawn = engine.create("Drawn", total_tickets=3, prizes=[Prize("hug", 1), Prize("kiss", 1)]).id
            tickets = [engine.participate(drawn, f"participant {person}") for person in range(3)]
            engine.draw(drawn)
            raffles["tickets"] += [[str(drawn), ticket.number, ticket.verification_code] for ticket in tickets]
        for _ in range(20):
            sold_out = engine.create("Sold out", total_tickets=1, prizes=[Prize("hug")]).id
            engine.participate(sold_out, "participant")
            raffles["sold out"].append(str(sold_out))
    return raffles


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
