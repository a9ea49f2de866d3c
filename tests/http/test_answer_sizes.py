"""No answer is large: whoever reads slowly holds little of a server's memory, and no thread."""

import ast
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from falcon import testing

import rafflekit.http
from rafflekit import Prize, Raffle, RaffleEngine, Win
from rafflekit.core import limits, shapes
from rafflekit.core.models import Page
from rafflekit.core.protocol.checkpoints import Cancellation, End
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.terms import TEXTS, Terms

MOST_BYTES = 2 * 1024 * 1024
LONGEST = "\N{GRINNING FACE}" * limits.NAME_CHARACTERS
URL = "https://raffle.example/raffles/?" + "x" * 16_000
NOW = datetime(2026, 11, 29, tzinfo=UTC)
PRIZES = tuple(Prize(LONGEST, limits.PRIZES // limits.PRIZE_KINDS) for _ in range(limits.PRIZE_KINDS))
TERMS = Terms(
    UUID(int=1),
    LONGEST,
    NOW,
    limits.TICKETS,
    PRIZES,
    "announced",
    source=LONGEST,
    entry="invitation",
    tickets_each=limits.TICKETS_EACH,
    opens_at=NOW,
    closes_at=NOW,
    draw_at=NOW,
    claim_days=limits.CLAIM_DAYS,
    **dict.fromkeys(TEXTS, LONGEST),
)
LARGEST = Raffle(TERMS, limits.TICKETS, End(1_800_000_000), Cancellation(1_800_000_000, LONGEST), NOW)
LISTED = replace(LARGEST, terms=replace(TERMS, prizes=PRIZES[: limits.LISTED_PRIZES]), more_prizes=985)
WIN = Win(limits.TICKETS, LONGEST, None, NOW, LONGEST, limits.TICKETS, "disqualified")


def page(item: Any, count: int) -> Page[Any]:
    return Page((item,) * count, limits.TICKETS, 1, count)


@pytest.mark.parametrize(
    "answer",
    [
        shapes.raffle_shape(LARGEST),
        shapes.raffle_page_shape(page(LISTED, limits.RAFFLES_PAGE_SIZE_MOST), next_url=URL, previous_url=URL),
        shapes.win_page_shape(page(WIN, limits.PAGE_SIZE), next_url=URL, previous_url=URL),
        shapes.queue_page_shape(page(limits.TICKETS, limits.PAGE_SIZE), next_url=URL, previous_url=URL),
    ],
    ids=["a raffle", "raffles", "winners", "the queue"],
)
def test_a_page_of_the_longest_texts_is_at_most_two_mib(answer: object) -> None:
    assert MOST_BYTES / 100 < len(msgspec.json.encode(answer)) <= MOST_BYTES


def test_a_part_of_the_longest_leaves_is_at_most_two_mib() -> None:
    leaf = Leaf(limits.TICKETS - 1, limits.TICKETS, CodeHasher().hash("a code", bytes(16)))

    assert len(f"{leaf_line(leaf)}\n") * limits.LEAVES_AT_ONCE <= MOST_BYTES


def test_no_answer_is_a_stream() -> None:
    """A stream that a client does not read keeps the thread that sends it."""
    folder = Path(rafflekit.http.__file__).parent
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    changed = [each.attr for each in nodes if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)]
    called = [each.attr for each in nodes if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load)]

    assert "data" in changed
    assert "stream" not in changed
    assert "set_stream" not in called


def test_a_list_cuts_long_lists_of_prizes_and_says_so(client: testing.TestClient, engine: RaffleEngine) -> None:
    for count in (limits.LISTED_PRIZES + 2, limits.LISTED_PRIZES, 1):
        engine.create(f"{count} prizes", total_tickets=100, prizes=[Prize(f"prize {n}") for n in range(count)])

    few, exact, many = client.simulate_get("/raffles/").json["results"]
    found = client.simulate_get("/raffles/", query_string=f"name={limits.LISTED_PRIZES + 2}").json["results"]
    whole = client.simulate_get(f"/raffles/{many['id']}/").json

    assert "more_prizes" not in few | exact | whole
    assert [len(each["prizes"]) for each in (few, exact, whole)] == [1, limits.LISTED_PRIZES, limits.LISTED_PRIZES + 2]
    assert many == whole | {"prizes": whole["prizes"][: limits.LISTED_PRIZES], "more_prizes": 2}
    assert found == [many]
    # The library omits nothing unless it is asked to.
    assert engine.list().items[2].prizes == engine.get(many["id"]).prizes
