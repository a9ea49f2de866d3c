"""Prizes that passed on: who has which prize in the end, and what an audit says about it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol.audit import NOT_PROVEN, OK, WRONG, audit
from rafflekit.core.protocol.forfeits import Why
from rafflekit.core.protocol.notes import Note
from rafflekit.core.protocol.winners import DrawStatement
from tests.protocol.audit.reports import ANNOUNCED, EARLY, outcome, sentence
from tests.tamper.making.cases import LOSSES, Base, written
from tests.vectors.examples import DRAWN, Example, Loss, example


def numbers_in_order(base: Base) -> list[int]:
    """The ticket numbers in the order of the shuffle."""
    return [base.example.leaves[serial].ticket_number for serial in base.example.slots(base.proof.seed)]


def receipt_of(base: Base, number: int) -> str:
    serial = next(leaf.serial for leaf in base.example.leaves if leaf.ticket_number == number)
    return written(base.example.receipt(serial, len(base.example.leaves)).shape())


def statement_of(honest: Example) -> DrawStatement:
    return DrawStatement.read(Note.read(honest.proof().draw).text)


def test_a_report_shows_who_has_each_prize_in_the_end() -> None:
    order = numbers_in_order(ANNOUNCED)
    report = ANNOUNCED.given.audit()

    found = [(win.ticket_number, win.prize, win.in_place_of, win.lost is not None) for win in report.winners or ()]

    hug = "warm hug"
    assert found == [
        (order[0], "invisibility", None, True),
        (order[1], hug, None, True),
        (order[2], hug, None, True),
        (order[3], hug, None, False),
        (order[4], hug, order[1], True),
        (order[5], "invisibility", order[0], False),
        (order[6], hug, order[4], True),
        (order[7], hug, order[2], True),
        (order[8], hug, order[6], False),
    ]
    assert report.good
    assert outcome(report, "forfeits") == NOT_PROVEN
    assert sentence(report, "forfeits") == (
        "Prizes that passed on (5) went to the next tickets of the same shuffle. Prizes that lapsed because no ticket "
        "was left: 1. Only the operator says why each was lost, and that no forfeit is missing."
    )


def test_json_has_the_names_that_a_server_gives_to_forfeits() -> None:
    order = numbers_in_order(ANNOUNCED)
    shown = json.loads(json.dumps(ANNOUNCED.given.audit().shape()))["winners"]

    assert shown[3] == {"ticket_number": order[3], "prize": "warm hug"}
    assert shown[4] == {
        "ticket_number": order[4],
        "prize": "warm hug",
        "in_place_of": order[1],
        "forfeited_at": "2023-09-06T16:00:24Z",
        "why": "unclaimed",
        "reason": "not collected in time",
    }


@pytest.mark.parametrize(
    ("place", "won"),
    [
        (0, "won “invisibility” and lost it (renounced: “has one already”)"),
        (3, "won “warm hug”"),
        (5, "took over “invisibility” from ticket {0}"),
        (6, "took over “warm hug” from ticket {4} and lost it (renounced: “moved away”)"),
    ],
)
def test_a_receipt_step_says_what_became_of_a_prize(place: int, won: str) -> None:
    order = numbers_in_order(ANNOUNCED)

    report = audit(ANNOUNCED.given.proof, receipt=receipt_of(ANNOUNCED, order[place]))

    assert sentence(report, "receipt").endswith(f", is in the draw and {won.format(*order)}.")


def test_without_the_forfeits_nothing_is_said_about_prizes() -> None:
    receipt = receipt_of(ANNOUNCED, numbers_in_order(ANNOUNCED)[0])
    report = audit(ANNOUNCED.changed(forfeits=None).proof, receipt=receipt)

    assert report.good
    assert (outcome(report, "forfeits"), report.winners) == (NOT_PROVEN, None)
    assert "at most 1,000" in sentence(report, "forfeits")
    assert sentence(report, "receipt").endswith("is in the draw.")


def test_wrong_forfeits_leave_no_winners() -> None:
    report = ANNOUNCED.edited(lambda proof: proof["forfeits"].pop(0)).audit()

    assert (outcome(report, "winners"), outcome(report, "forfeits")) == (OK, WRONG)
    assert report.winners is None


def test_wrong_winners_do_not_make_forfeits_wrong() -> None:
    swapped = ANNOUNCED.edited(lambda proof: proof["winners"].reverse()).audit()
    both = ANNOUNCED.edited(lambda proof: (proof["winners"].reverse(), proof["forfeits"].pop(0))).audit()

    assert (outcome(swapped, "winners"), outcome(swapped, "forfeits")) == (WRONG, NOT_PROVEN)
    assert (outcome(both, "winners"), outcome(both, "forfeits")) == (WRONG, WRONG)


def test_unclaimed_prizes_without_a_deadline_are_mentioned() -> None:
    said = " At least one was lost as unclaimed, although no deadline was announced."
    assert sentence(EARLY.given.audit(), "forfeits").endswith(said)
    assert "deadline" not in sentence(ANNOUNCED.given.audit(), "forfeits")


def test_without_forfeits_only_the_list_is_called_empty() -> None:
    report = ANNOUNCED.changed(forfeits=[]).audit()

    assert outcome(report, "forfeits") == OK
    assert sentence(report, "forfeits") == "The proof lists no prize that passed on."


def test_a_forfeit_beyond_all_calendars_is_reported() -> None:
    late = Loss(1, Why.RENOUNCED, "much later", 10**12)
    given = EARLY.changed(forfeits=EARLY.example.forfeits(statement_of(EARLY.example), [late]))
    report = replace(given, now=None).audit()

    assert report.good
    assert json.loads(json.dumps(report.shape()))["winners"][0]["forfeited_at"] == "1000000000000 s after 1970"


@pytest.mark.parametrize(("count", "expected"), [(1_000, OK), (1_001, WRONG)])
def test_a_proof_lists_at_most_1_000_forfeits(count: int, expected: str) -> None:
    first = (EARLY.proof.forfeits or ())[0]

    report = EARLY.changed(forfeits=[first] * count).audit()

    assert outcome(report, "form") == expected
    # The same one again and again is wrong anyway.
    assert not report.good


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_honest_forfeits_are_good_and_no_ticket_has_two_prizes(data: st.DataObject) -> None:
    issued = data.draw(st.integers(4, 9), "issued")
    honest = example("property", tickets=data.draw(st.integers(issued, 12)), issued=issued, entropy="secrets")
    time, losses, lost = DRAWN, [], set[int]()
    for number in range(1, data.draw(st.integers(0, 7), "forfeits") + 1):
        # Wins that exist, are not lost, and have not lapsed.
        possible = sorted({*range(1, min(4 + number, issued + 1))} - lost)
        if not possible:
            break
        win = data.draw(st.sampled_from(possible))
        lost.add(win)
        time += data.draw(st.integers(0, 2))
        losses.append(Loss(win, data.draw(st.sampled_from(list(Why))), "some reason", time))

    report = audit(written(honest.proof(losses=losses).shape()))

    assert report.good
    numbers = [win.ticket_number for win in report.winners or ()]
    assert len(set(numbers)) == len(numbers) == min(issued, 4 + len(losses))
    kept = [win.prize for win in report.winners or () if win.lost is None]
    # Each prize has one holder, or it lapsed.
    assert len(kept) == 4 - max(0, 4 + len(losses) - issued)
    assert kept.count("invisibility") <= 1


def test_the_example_covers_every_kind_of_forfeit() -> None:
    assert {loss.why for loss in LOSSES} == set(Why)
