"""Draws that an operator chose among several, with honest witnesses: nothing is wrong, and not everything is proven."""

from dataclasses import replace

from rafflekit.core.protocol.audit import NOT_PROVEN, OK, STEPS, WRONG, Witnessed
from tests.protocol.audit.reports import outcome, sentence
from tests.tamper.making.cases import COSIGNED, written
from tests.tamper.making.forgeries import FRIEND, WITNESSES, Choice, a_closing_for_each_witness, many_ids
from tests.vectors.examples import Example, witness


def friend_wins(choice: Choice) -> bool:
    report = choice.given.audit()
    return choice.published.leaves[FRIEND].ticket_number in {win.ticket_number for win in report.winners or ()}


def other_than(published: Example, choice: Choice) -> Example:
    return next(each for each in choice.prepared if each != published)


def test_one_of_many_raffles_of_one_name_is_not_proven() -> None:
    choice = many_ids()
    report = choice.given.audit()

    assert friend_wins(choice)
    assert len({each.terms.id for each in choice.prepared}) == 14
    assert {each.terms.name for each in choice.prepared} == {"Harvest fair"}
    assert report.good
    # The witness is honest and in time, so this step is all that can warn.
    assert report.unproven == ["terms"]
    assert f"for the raffle {choice.published.terms.id}, created 2023-08-23 15:00:00 UTC" in sentence(report, "terms")


def test_a_receipt_of_another_of_these_raffles_is_evidence() -> None:
    choice = many_ids()
    other = other_than(choice.published, choice)

    wrong = replace(choice.given, receipt=written(other.receipt(4, 7).shape())).audit().first_wrong

    assert wrong is not None
    assert (wrong.name, wrong.is_mistaken) == ("receipt", False)
    assert "Keep both." in wrong.sentence


def test_who_knows_the_id_refuses_another_of_these_raffles() -> None:
    choice = many_ids()
    announced = str(other_than(choice.published, choice).terms.id)

    report = replace(choice.given, raffle=announced).audit()
    honest = replace(choice.given, raffle=str(choice.published.terms.id)).audit()

    assert outcome(report, "terms") == WRONG
    assert [outcome(honest, name) for name in STEPS[:10]] == [OK] * 10


def test_a_closing_for_each_witness_is_not_proven() -> None:
    choice = a_closing_for_each_witness()
    report = choice.given.audit()

    assert friend_wins(choice)
    assert len({each.checkpoint(20).text() for each in choice.prepared}) == len(WITNESSES) == 13
    assert report.good
    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (NOT_PROVEN, NOT_PROVEN)


def test_a_witness_with_another_closing_refutes_the_draw() -> None:
    choice = a_closing_for_each_witness()
    other = other_than(choice.published, choice)
    text = other.checkpoint(20).text()
    kept = other.sign(text) + witness(WITNESSES[choice.prepared.index(other)]).line(text, time=COSIGNED)

    wrong = replace(choice.given, witnessed=[Witnessed(kept)]).audit().first_wrong

    assert wrong is not None
    assert (wrong.name, wrong.is_mistaken) == ("witnessed", False)
