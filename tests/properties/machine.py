"""A state machine that drives the engine through whole raffles, next to the model.

Several raffles live in one database. Two sessions use it, and a clock moves between their calls.
"""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rafflekit import InvalidValue, RaffleEngine, RaffleError, Ticket, Win, check_database
from rafflekit.core.ledger.proofs import check_ticket
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.notes import Note, SignerKey
from tests.properties.modelled import (
    DAY,
    HOUR,
    SECOND,
    WRONG_CODE,
    Modelled,
    askings,
    by_name,
    places,
    sessions,
    some_terms,
    which,
    wrongly,
)
from tests.raffle_model import BEGINNING, UNDO, Asking, RaffleModel, Terms

SIGNER = SignerKey.make("raffles.example")
NO_TICKET = 99
LIKELY = 9
REASONS = {"unclaimed": "not collected", "renounced": "renounced by the winner", "disqualified": "too young"}


class RaffleMachine(RuleBasedStateMachine):
    """Several raffles in one database, used from two engine sessions at a time."""

    def __init__(self, new_url: Callable[[], str]) -> None:
        super().__init__()
        self.new_url = new_url

    @initialize(some=st.lists(some_terms(BEGINNING), min_size=2, max_size=2))
    def begin(self, some: list[Terms]) -> None:
        self.url = self.new_url()
        # With half a second, because times are stored and compared in whole seconds.
        self.clock = BEGINNING + timedelta(seconds=0.5)
        self.sessions = [self.new_session(), self.new_session()]
        self.created: list[Modelled] = []
        self.touched: Modelled | None = None
        for terms in (*some, Terms(4)):
            self.created_with(0, terms)

    def new_session(self) -> RaffleEngine:
        return RaffleEngine(self.url, clock=lambda: self.clock, signing_key=SIGNER)

    @property
    def now(self) -> datetime:
        """The time as the model has it."""
        return self.clock.replace(microsecond=0)

    def teardown(self) -> None:
        for session in self.sessions:
            session.close()
        report = check_database(self.url, signing_key=SIGNER)
        assert (report.problems, report.remains, report.missing_keys) == ((), (), ())
        finished = [each.model for each in self.created if each.model.is_finished]
        assert report.hashed_participants == sum(model.hashed_tickets for model in finished)

    @rule(session=sessions)
    def restart(self, session: int) -> None:
        self.sessions[session].close()
        self.sessions[session] = self.new_session()

    @rule(session=sessions, wait=st.sampled_from((HOUR, 2 * HOUR, DAY, -HOUR)), closes=st.booleans())
    def wait(self, session: int, wait: timedelta, closes: bool) -> None:
        self.clock += wait
        if not closes:
            return
        due = [each for each in self.created if each.model.is_due(self.now)]
        assert set(self.sessions[session].close_due()) == {each.raffle.id for each in due}
        for each in due:
            event("close_due")
            each.model = each.model.closed(self.now)

    def one(self, which: int, *states: str) -> Modelled:
        """Return a raffle, which is probably in one of these states."""
        likely = [each for each in self.created if each.model.state(self.now) in states]
        some = likely if likely and which < LIKELY else self.created
        self.touched = some[-1 - which % len(some)]
        return self.touched

    # Before the draw

    @rule(session=sessions, data=st.data(), sold=st.integers(0, 4))
    def create(self, session: int, data: st.DataObject, sold: int) -> None:
        chosen = self.created_with(session, data.draw(some_terms(self.clock)))
        if chosen is not None:
            self.hand_out(chosen, session, [Asking(name=f"person {n}") for n in range(sold)])

    @rule(session=sessions, data=st.data(), each=st.integers(1, 2), left=st.integers(0, 2))
    def create_and_draw(self, session: int, data: st.DataObject, each: int, left: int) -> None:
        terms = replace(data.draw(some_terms(self.clock)), opens_at=None, closes_at=None, tickets_each=each)
        chosen = self.created_with(session, replace(terms, total_tickets=terms.total_tickets + left))
        if chosen is not None:
            names = [Asking(name=f"person {n}") for n in range(max(terms.total_tickets, terms.wins))]
            self.hand_out(chosen, session, names)
            if chosen.model.closed_at is None:
                self.close_one(chosen, session)
            self.draw_one(chosen, session, value="3 17 22" if terms.entropy == "announced" else None)

    def created_with(self, session: int, terms: Terms) -> Modelled | None:
        engine = self.sessions[session]
        if not terms.are_possible(self.now):
            self.refused(InvalidValue, "create", lambda: engine.create("Impossible", **terms.given))
            return None
        raffle = engine.create(f"Raffle {len(self.created)}", **terms.given)
        self.touched = Modelled(raffle, RaffleModel(terms, self.now))
        self.created.append(self.touched)
        return self.touched

    @rule(which=which, session=sessions, data=st.data(), dry_run=st.booleans())
    def change(self, which: int, session: int, data: st.DataObject, dry_run: bool) -> None:
        chosen = self.one(which, "open", "upcoming")
        other = data.draw(some_terms(self.clock))
        names = data.draw(st.sets(st.sampled_from([each.name for each in fields(Terms)]), min_size=1))
        terms = replace(chosen.model.terms, **{name: getattr(other, name) for name in names})
        changes = {name: value for name, value in terms.given.items() if name in names}
        if "entropy" in names and terms.entropy == "announced":
            changes["source"] = terms.given["source"]
        refusal = chosen.model.refusal_to_change(terms)
        changed = self.answer(
            refusal, "change", lambda: self.sessions[session].change(chosen.raffle.id, dry_run=dry_run, **changes)
        )
        if refusal is None:
            assert (changed.terms.claim_days, changed.terms.price) == (terms.claim_days, terms.price)
            assert tuple(changed.prizes) == terms.prizes
            if not dry_run:
                chosen.model = replace(chosen.model, terms=terms)

    def print_invitations(self, chosen: Modelled, session: int) -> None:
        if chosen.model.terms.entry == "invitation" and not chosen.model.is_finished:
            printed = self.sessions[session].invitations(chosen.raffle.id, 2)
            assert chosen.invitations in ([], printed)
            chosen.invitations = printed

    @rule(which=which, session=sessions, asking=askings)
    def participate(self, which: int, session: int, asking: Asking) -> None:
        chosen = self.one(which, "open", "upcoming")
        self.print_invitations(chosen, session)
        engine, entry = self.sessions[session], chosen.entry(asking)
        expected = chosen.model.answer_to(asking, self.now)
        ticket = self.answer(
            expected,
            "participate",
            lambda: engine.participate(
                chosen.raffle.id,
                entry.participant,
                address=entry.address,
                invitation=entry.invitation,
                idempotency_key=entry.idempotency_key,
            ),
        )
        if isinstance(ticket, Ticket):
            receipt = check_ticket(ticket, SIGNER.verifier)
            announced = engine.get(chosen.raffle.id).terms.hash()
            assert Checkpoint.read(Note.read(receipt.checkpoint).text).terms == announced
        if expected is None:
            self.take(chosen, asking, ticket)

    @rule(which=which, session=sessions, askings=st.lists(by_name | askings, min_size=1, max_size=6))
    def participate_many(self, which: int, session: int, askings: list[Asking]) -> None:
        self.hand_out(self.one(which, "open", "upcoming"), session, askings)

    def hand_out(self, chosen: Modelled, session: int, askings: list[Asking]) -> None:
        self.print_invitations(chosen, session)
        engine, entries = self.sessions[session], [chosen.entry(asking) for asking in askings]
        try:
            answers: list[Ticket | RaffleError] = list(engine.participate_many(chosen.raffle.id, entries))
        except RaffleError as refusal:
            # A session that has not handed out tickets of this raffle before refuses the whole list.
            assert chosen.model.is_finished
            answers = [refusal] * len(entries)
        for asking, answer in zip(askings, answers, strict=True):
            expected = chosen.model.answer_to(asking, self.now)
            event(f"participate_many: {type(answer).__name__}")
            if expected is None:
                self.take(chosen, asking, answer)
            else:
                assert expected == (answer if isinstance(answer, Ticket) else type(answer))

    def take(self, chosen: Modelled, asking: Asking, ticket: Any) -> None:
        assert isinstance(ticket, Ticket)
        assert chosen.model.can_issue(ticket.number)
        chosen.model = chosen.model.with_ticket(asking, ticket, self.now)
        persons = [each.person for each in chosen.model.tickets]
        assert max(map(persons.count, persons)) <= chosen.model.terms.tickets_each

    @rule(which=which, session=sessions)
    def close(self, which: int, session: int) -> None:
        self.close_one(self.one(which, "open"), session)

    def close_one(self, chosen: Modelled, session: int) -> None:
        refusal = chosen.model.refusal_to_close()
        closed = self.answer(refusal, "close", lambda: self.sessions[session].close_raffle(chosen.raffle.id))
        if refusal is None:
            assert closed.available_tickets == 0
            chosen.model = chosen.model.closed(self.now)

    @rule(which=st.integers(8, 9), session=sessions)
    def cancel(self, which: int, session: int) -> None:
        chosen = self.one(which, "open", "closed", "upcoming")
        refusal = chosen.model.refusal_to_cancel()
        self.answer(refusal, "cancel", lambda: self.sessions[session].cancel(chosen.raffle.id, "No stage."))
        if refusal is None:
            chosen.model = replace(chosen.model, is_cancelled=True)

    @rule(which=which, session=sessions, value=st.sampled_from((None, None, " 3 17\t22")))
    def draw(self, which: int, session: int, value: str | None) -> None:
        self.draw_one(self.one(which, "closed"), session, value)

    def draw_one(self, chosen: Modelled, session: int, value: str | None) -> None:
        engine = self.sessions[session]
        model = chosen.model.closed(self.now) if chosen.model.is_due(self.now) else chosen.model
        refusal = model.refusal_to_draw(self.now, value)
        wins = self.answer(refusal, "draw", lambda: engine.draw(chosen.raffle.id, value=value))
        if refusal is not None:
            # A refused draw closes nothing.
            return
        queue = engine.queue(chosen.raffle.id).items
        model = model.drawn(wins, queue, self.now)
        # Each prize is won as often as announced, in the given order, and each ticket is in one place of the shuffle.
        assert [win.prize for win in wins] == [each.name for each in model.terms.prizes for _ in range(each.amount)]
        winners = [win.ticket_number for win in wins]
        assert sorted([*winners, *queue]) == sorted(each.ticket.number for each in model.tickets)
        chosen.model = model
        self.audit(chosen, session)

    # After the draw

    @rule(
        which=which,
        session=sessions,
        place=places,
        is_wrong=wrongly,
        undoes=st.lists(st.booleans(), min_size=1, max_size=3),
        wait=st.sampled_from((timedelta(0), UNDO, UNDO + SECOND)),
    )
    def redeem(
        self, *, which: int, session: int, place: tuple[str, int], is_wrong: bool, undoes: list[bool], wait: timedelta
    ) -> None:
        chosen = self.one(which, "drawn")
        shown = self.verified(chosen, session, place, is_wrong)
        for undo in undoes:
            self.redeem_one(chosen, session, *shown, undo=undo)
            self.clock += wait

    def redeem_one(self, chosen: Modelled, session: int, number: int, code: str, is_right: bool, *, undo: bool) -> None:
        refusal = chosen.model.refusal_to_redeem(number, is_right, self.now, undo=undo)
        shown = self.answer(
            refusal,
            "undo" if undo else "redeem",
            lambda: self.sessions[session].redeem(chosen.raffle.id, number, code, undo=undo),
        )
        if refusal is None:
            chosen.model = chosen.model.redeemed(number, None if undo else self.now)
            assert shown == chosen.model.verification(number, is_right=True)

    @rule(
        which=which,
        session=sessions,
        place=places,
        is_wrong=wrongly,
        why=st.sampled_from(list(REASONS)),
    )
    def forfeit(self, which: int, session: int, place: tuple[str, int], is_wrong: bool, why: str) -> None:
        chosen = self.one(which, "drawn")
        number, code, is_right = self.verified(chosen, session, place, is_wrong)
        reason = REASONS[why] if why == "disqualified" else None
        refusal = chosen.model.refusal_to_forfeit(number, is_right, self.now, why=why)
        heir = self.answer(
            refusal,
            f"forfeit {why}",
            lambda: self.sessions[session].forfeit(
                chosen.raffle.id, number, why=why, reason=reason, verification_code=code
            ),
        )
        if refusal is None:
            chosen.model, expected = chosen.model.forfeited(number, why, REASONS[why], self.now)
            assert heir == expected
            self.audit(chosen, session)

    @rule(which=which, session=sessions, wait=st.sampled_from((timedelta(0), DAY)))
    def forfeit_unclaimed(self, which: int, session: int, wait: timedelta) -> None:
        self.clock += wait
        chosen = self.one(which, "drawn")
        refusal = chosen.model.refusal_to_forfeit_unclaimed(self.now)
        heirs = self.answer(
            refusal, "forfeit_unclaimed", lambda: self.sessions[session].forfeit_unclaimed(chosen.raffle.id)
        )
        if refusal is None:
            expected: list[Win | None] = []
            for number in chosen.model.unclaimed(self.now):
                chosen.model, heir = chosen.model.forfeited(number, "unclaimed", REASONS["unclaimed"], self.now)
                expected.append(heir)
            assert heirs == expected

    @rule(which=which, session=sessions)
    def purge(self, which: int, session: int) -> None:
        chosen = self.one(which, "drawn")
        refusal = chosen.model.refusal_to_purge()
        purged = self.answer(refusal, "purge", lambda: self.sessions[session].purge(chosen.raffle.id))
        if refusal is None:
            assert purged == chosen.model.hashed_tickets
            chosen.model = replace(chosen.model, is_purged=True)

    def audit(self, chosen: Modelled, session: int) -> None:
        proofs = self.sessions[session].proofs
        report = audit(
            json.dumps(proofs.proof(chosen.raffle.id).shape()),
            key=str(SIGNER.verifier),
            raffle=str(chosen.raffle.id),
            leaves=[leaf_line(leaf) for leaf in proofs.leaves(chosen.raffle.id)],
        )
        assert report.first_wrong is None, report.first_wrong
        proven = [(win.ticket_number, win.prize, win.lost is None) for win in report.winners or ()]
        wins = chosen.model.wins or ()
        assert proven == [(win.ticket_number, win.prize, win.forfeited_at is None) for win in wins]

    def verified(self, chosen: Modelled, session: int, place: tuple[str, int], is_wrong: bool) -> tuple[int, str, bool]:
        """Return a ticket's number, a code that is shown with it, and whether it is the right one; verify it first."""
        held = chosen.ticket_at(place)
        is_right = held is not None and not is_wrong
        number = NO_TICKET if held is None else held.ticket.number
        code = held.ticket.verification_code if held is not None and is_right else WRONG_CODE
        expected = chosen.model.verification(number, is_right)
        self.answer(expected, "verify", lambda: self.sessions[session].verify(chosen.raffle.id, number, code))
        return number, code, is_right

    # What always holds

    @invariant()
    def every_session_lists_what_the_model_says(self) -> None:
        for session in self.sessions:
            shown = session.list(page_size=100).items
            assert [raffle.id for raffle in shown] == [each.raffle.id for each in reversed(self.created)]
            for raffle, each in zip(reversed(shown), self.created, strict=True):
                model = each.model
                assert raffle.state == model.state(self.now)
                assert raffle.available_tickets == model.available_tickets(self.now)
                assert raffle.issued == len(model.tickets)
                assert raffle.drawn_at == model.drawn_at

    @invariant()
    def each_prize_is_won_its_amount_of_times_or_lapses(self) -> None:
        if self.touched is None:
            return
        model, raffle, engine = self.touched.model, self.touched.raffle.id, self.sessions[1]
        wins = engine.winners(raffle).items
        assert tuple(wins) == (model.wins or ())
        if model.wins is not None:
            winners = [win.ticket_number for win in wins]
            assert len(set(winners)) == len(winners)
            standing = [win.prize for win in wins if win.forfeited_at is None]
            given = [prize.name for prize in model.terms.prizes for _ in range(prize.amount)]
            assert sorted([*standing, *model.lapsed]) == sorted(given)
            assert tuple(engine.queue(raffle).items) == model.queue
            unredeemed = engine.winners(raffle, unredeemed=True).items
            assert list(unredeemed) == [win for win in wins if win.forfeited_at is None and win.redeemed_at is None]

    def answer(self, expected: Any, what: str, ask: Callable[[], Any]) -> Any:
        """Return the engine's answer, which must be the expected one; with None, any answer is right."""
        if isinstance(expected, type) and issubclass(expected, RaffleError):
            return self.refused(expected, what, ask)
        event(what if expected is None else f"{what} again")
        found = ask()
        assert expected is None or found == expected
        return found

    def refused(self, expected: Any, what: str, ask: Callable[[], Any]) -> None:
        event(f"{what}: {expected.__name__}")
        with pytest.raises(RaffleError) as refusal:
            ask()
        assert type(refusal.value) is expected
