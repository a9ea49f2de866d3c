"""Everyone takes part at the same moment, from 32 threads in each of 2 processes on one database."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from rafflekit import Prize, Raffle, RaffleEngine, Ticket, Win, Wins
from tests.databases import open_engine
from tests.races.conftest import Call, Outcome
from tests.raffles import sell_all, sold_out

AtOnce = Callable[[Sequence[Call]], list[Outcome]]


def new_raffle(engine: RaffleEngine, tickets: int) -> Raffle:
    return engine.create("Rush", total_tickets=tickets, prizes=[Prize("hug", min(5, tickets))])


def test_too_few_tickets_go_to_different_participants(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 200)
    rush = [Call("participate", str(raffle.id), (f"participant {n}",)) for n in range(500)]

    outcomes = at_once(rush)

    tickets = [outcome.value for outcome in outcomes if outcome.value]
    assert sorted(ticket.number for ticket in tickets) == list(range(1, 201))
    assert len({ticket.verification_code for ticket in tickets}) == 200
    assert Counter(outcome.refusal for outcome in outcomes) == {None: 200, "sold_out": 300}
    assert engine.get(raffle.id).available_tickets == 0


def test_one_participant_many_times_at_once_gets_one_ticket(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle, other = new_raffle(engine, 100), new_raffle(engine, 100)
    rush = [Call("participate", str(each.id), ("203.0.113.7",)) for _ in range(100) for each in (raffle, other)]

    outcomes = at_once(rush)

    assert Counter(outcome.refusal for outcome in outcomes) == {None: 2, "already_participated": 198}
    assert [engine.get(each.id).available_tickets for each in (raffle, other)] == [99, 99]


def test_simultaneous_repeats_get_one_ticket_and_one_code(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 3)
    key = (("idempotency_key", "the key of one request"),)
    rush = [Call("participate", str(raffle.id), ("203.0.113.7",), key) for _ in range(200)]

    outcomes = at_once(rush)

    assert {outcome.refusal for outcome in outcomes} == {None}
    assert len({outcome.value for outcome in outcomes}) == 1
    assert engine.get(raffle.id).available_tickets == 2


def test_the_last_ticket_is_repeated_and_not_sold_out(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 1)
    rush = [
        Call("participate", str(raffle.id), (person,), (("idempotency_key", f"the key of {person}"),))
        for _ in range(50)
        for person in ("203.0.113.7", "203.0.113.8", "203.0.113.9")
    ]

    outcomes = at_once(rush)

    assert Counter(outcome.refusal for outcome in outcomes) == {None: 50, "sold_out": 100}
    assert len({outcome.value for outcome in outcomes if outcome.value}) == 1


def test_one_of_many_draws_at_once_draws(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffles = [sold_out(engine, tickets=20, prizes=(Prize("hug", 7),)) for _ in range(3)]
    rush = [Call("draw", str(raffle.id)) for _ in range(64) for raffle in raffles]

    outcomes = at_once(rush)

    assert Counter(outcome.refusal for outcome in outcomes) == {None: 3, "already_drawn": 189}
    drawn = [list(outcome.value) for outcome in outcomes if outcome.value]
    listed = [list(engine.winners(raffle.id).items) for raffle in raffles]
    assert sorted(drawn, key=repr) == sorted(listed, key=repr)


def test_a_draw_comes_before_or_after_the_last_participants(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 60)
    rush = [
        call
        for n in range(60)
        for call in (Call("participate", str(raffle.id), (f"participant {n}",)), Call("draw", str(raffle.id)))
    ]

    outcomes = at_once(rush)

    refusals = Counter(outcome.refusal for outcome in outcomes)
    drawn = [outcome.value for outcome in outcomes if isinstance(outcome.value, Wins)]
    assert set(refusals) <= {None, "tickets_remaining", "already_drawn"}
    assert len(drawn) <= 1
    assert engine.get(raffle.id).available_tickets == 0
    assert engine.get(raffle.id).winners_drawn == bool(drawn)


def test_tickets_at_once_are_in_the_closing_or_refused(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 200)
    early = [engine.participate(raffle.id, f"early {n}").number for n in range(5)]
    rush = [Call("participate", str(raffle.id), (f"participant {n}",)) for n in range(120)]
    rush[60:60] = [Call("close_raffle", str(raffle.id))] * 8

    outcomes = at_once(rush)

    numbers = [*early, *(outcome.value.number for outcome in outcomes if isinstance(outcome.value, Ticket))]
    refusals = Counter(outcome.refusal for outcome in outcomes)
    assert refusals["too_late"] == 7
    assert refusals["sold_out"] == 125 - len(numbers)
    assert engine.get(raffle.id).issued == len(set(numbers)) == len(numbers)
    assert {win.ticket_number for win in engine.draw(raffle.id)} <= set(numbers)


def test_a_raffle_is_drawn_or_cancelled_and_not_both(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffles = [sold_out(engine, tickets=5, prizes=(Prize("hug", 2),)) for _ in range(4)]
    both = (Call("draw", ""), Call("cancel", "", ("No stage.",)))
    rush = [replace(call, raffle_id=str(raffle.id)) for _ in range(8) for raffle in raffles for call in both]

    outcomes = at_once(rush)

    assert Counter(outcome.refusal for outcome in outcomes)[None] == 4
    for raffle in raffles:
        found = engine.get(raffle.id)
        assert (found.drawn_at is None) != (found.cancellation is None)
        assert engine.winners(raffle.id).count == (2 if found.winners_drawn else 0)


def test_a_first_ticket_has_the_terms_that_stay(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 50)
    rush = [
        call
        for n in range(40)
        for call in (
            Call("change", str(raffle.id), (), (("total_tickets", 60 + n),)),
            Call("participate", str(raffle.id), (f"participant {n}",)),
        )
    ]

    outcomes = at_once(rush)

    assert set(Counter(outcome.refusal for outcome in outcomes)) <= {None, "too_late"}
    tickets = [outcome.value for outcome in outcomes if isinstance(outcome.value, Ticket)]
    found = engine.get(raffle.id)
    assert len({ticket.number for ticket in tickets}) == found.issued == 40
    assert max(ticket.number for ticket in tickets) <= found.total_tickets


def test_a_prize_is_redeemed_once_or_passes_on_once(engine: RaffleEngine, at_once: AtOnce) -> None:
    raffle = new_raffle(engine, 9)
    tickets = {ticket.number: ticket for ticket in sell_all(engine, raffle)}
    winners = [tickets[win.ticket_number] for win in engine.draw(raffle.id)]
    queue = list(engine.queue(raffle.id).items)
    disqualified = (("why", "disqualified"), ("reason", "too young"))
    rush = [
        call
        for _ in range(12)
        for ticket in winners
        for call in (
            Call("redeem", str(raffle.id), (ticket.number, ticket.verification_code)),
            Call("forfeit", str(raffle.id), (ticket.number,), disqualified),
        )
    ]

    outcomes = at_once(rush)

    assert Counter(outcome.refusal for outcome in outcomes) == {None: 5, "too_late": 115}
    wins = engine.winners(raffle.id).items
    assert sum(win.redeemed_at is not None for win in wins) + sum(win.forfeited_at is not None for win in wins) == 5
    heirs = [outcome.value for outcome in outcomes if isinstance(outcome.value, Win)]
    # The queue has four tickets; a fifth forfeit would lapse.
    assert sorted(heir.ticket_number for heir in heirs) == sorted(queue[: len(heirs)])
    assert [win.ticket_number for win in wins[5:]] == queue[: len(heirs)]


def test_raffles_created_at_once_are_all_listed(engine: RaffleEngine, at_once: AtOnce) -> None:
    rush = [Call("create", f"Raffle {n}", (), (("total_tickets", 5), ("prizes", (Prize("hug"),)))) for n in range(100)]

    outcomes = at_once(rush)

    assert {outcome.refusal for outcome in outcomes} == {None}
    listed = engine.list(page_size=100).items
    assert {raffle.id for raffle in listed} == {outcome.value.id for outcome in outcomes}
    assert len(listed) == 100


def test_a_new_database_is_opened_by_several_processes_at_once(database_url: str, at_once: AtOnce) -> None:
    outcomes = at_once([Call("get", "no raffle")] * 64)

    assert {outcome.refusal for outcome in outcomes} == {"raffle_not_found"}
    with open_engine(database_url) as engine:
        assert engine.list().count == 0
