"""Tickets in groups: lists of participants and crowds of callers share transactions."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from rafflekit import (
    AlreadyParticipated,
    Entry,
    InvalidValue,
    RaffleEngine,
    RaffleError,
    RaffleNotFound,
    SoldOut,
    StorageUnavailable,
    Ticket,
)
from rafflekit.core.ledger.books import Edge
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import raffles as queries
from rafflekit.core.storage.statements import tickets as statements
from rafflekit.core.tickets import groups as groups_module
from rafflekit.core.tickets.deciding import Given
from rafflekit.core.tickets.issuing import SaleWish
from tests.databases import open_engine, run
from tests.raffles import keyed, new_raffle
from tests.waiting import LIMIT_S, wait_until


def test_everyone_on_a_list_gets_a_ticket_in_order(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 2_500)

    outcomes = list(engine.participate_many(raffle.id, [f"person {n}" for n in range(2_500)]))

    tickets = [outcome for outcome in outcomes if isinstance(outcome, Ticket)]
    assert sorted(ticket.number for ticket in tickets) == list(range(1, 2_501))
    assert len({ticket.verification_code for ticket in tickets}) == 2_500
    engine.draw(raffle.id)
    for ticket in (*tickets[::500], tickets[-1]):
        engine.verify(raffle.id, ticket.number, ticket.verification_code)


def test_each_entry_of_a_list_has_its_own_outcome(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 3)
    engine.participate(raffle.id, "ann")
    people = ["bob", "ann", "\x00", "bob", "", "cid", "dan", "bob"]

    outcomes = list(engine.participate_many(raffle.id, people))

    kinds: list[type[Ticket | RaffleError]] = [type(outcome) for outcome in outcomes]
    assert kinds == [
        Ticket,
        AlreadyParticipated,
        InvalidValue,
        AlreadyParticipated,
        InvalidValue,
        Ticket,
        SoldOut,
        SoldOut,
    ]
    assert engine.get(raffle.id).available_tickets == 0


def test_a_sold_out_raffle_refuses_without_waiting_for_a_writer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A caller that waits nevertheless fails soon.
    monkeypatch.setattr("rafflekit.core.storage.sqlite.BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr("rafflekit.core.storage.postgresql.LOCK_TIMEOUT_S", 0.1)
    with open_engine(database_url) as seller, open_engine(database_url) as newcomer:
        raffle = new_raffle(seller, 2)
        ticket = seller.participate(raffle.id, "ann", idempotency_key="the secret key of ann")
        seller.participate(raffle.id, "ben")

        def hold(connection: Connection) -> None:
            queries.lock_raffle(connection, raffle.id)
            for engine in (seller, newcomer):
                with pytest.raises(SoldOut):
                    engine.participate(raffle.id, "cat")
                repeated, refused = engine.participate_many(raffle.id, [*keyed(["ann"]), "cat"])
                assert (repeated, type(refused)) == (ticket, SoldOut)

        with closing(Database(database_url)) as other:
            other.write(hold)


def test_a_repeat_in_a_sold_out_raffle_is_confirmed_first(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written then, so nothing else waits for the standby; a refusal needs no confirmation."""
    raffle = new_raffle(engine, 1)
    ticket = engine.participate(raffle.id, "ann", idempotency_key="the secret key of ann")
    confirmed: list[None] = []
    monkeypatch.setattr(engine._database, "confirm", lambda: confirmed.append(None))

    with pytest.raises(SoldOut):
        engine.participate(raffle.id, "ben")
    assert confirmed == []
    assert list(engine.participate_many(raffle.id, keyed(["ann"]))) == [ticket]

    assert confirmed == [None]


def test_a_list_ends_with_an_error_if_the_database_fails(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 9)
    outcomes = engine.participate_many(raffle.id, ["ann", "ben"])
    engine.close()

    with pytest.raises(StorageUnavailable, match="has been closed"):
        list(outcomes)


def test_a_repeated_list_gets_the_same_tickets_until_the_draw(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 4)
    entries = keyed(["ann", "bob", "cid"])
    first = list(engine.participate_many(raffle.id, entries[:2]))

    again = list(engine.participate_many(raffle.id, [*entries, *entries]))
    engine.participate(raffle.id, "dan")
    sold_out = list(engine.participate_many(raffle.id, [*entries, Entry("eve")]))

    assert again[:2] == first
    assert again[3:] == again[:3]
    assert sold_out[:3] == again[:3]
    assert isinstance(sold_out[3], SoldOut)
    engine.draw(raffle.id)
    with pytest.raises(SoldOut):
        list(engine.participate_many(raffle.id, entries))


def test_an_endless_list_is_read_a_part_at_a_time(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 10**12)
    read = count()

    outcomes = engine.participate_many(raffle.id, (f"person {n}" for n in read))
    some = list(islice(outcomes, 10))

    assert len({ticket.number for ticket in some if isinstance(ticket, Ticket)}) == 10
    assert next(read) <= 2_000
    assert engine.get(raffle.id).available_tickets == 10**12 - 1_000


def test_a_single_text_is_not_a_list(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 20)

    with pytest.raises(InvalidValue, match="entries: must be a list"):
        engine.participate_many(raffle.id, "ann@example.org")

    assert engine.get(raffle.id).available_tickets == 20


def test_a_list_for_an_unknown_raffle_is_refused_unread(engine: RaffleEngine) -> None:
    with pytest.raises(RaffleNotFound):
        engine.participate_many("no raffle", iter(["ann"]))


def test_a_crowd_of_several_raffles_is_served_in_groups(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first caller waits in the hasher until all others queue, so that they join its group."""
    monkeypatch.setattr(groups_module, "_JOINING_S", LIMIT_S)
    people = 24
    hashed = []
    groups: list[tuple[int, int]] = []

    class MeetingHasher(CodeHasher):
        def hash_all(self, codes: Sequence[str]) -> list[str]:
            if not hashed:
                wait_until(lambda: len(engine._issuing._groups._waiting) == people - len(codes))
            hashed.append(len(codes))
            return super().hash_all(codes)

    with (
        open_engine(
            database_url,
            code_hasher=MeetingHasher(),
            on_group=lambda *, callers, tickets: groups.append((callers, tickets)),
        ) as engine,
        ThreadPoolExecutor(people) as crowd,
    ):
        raffles = [new_raffle(engine, tickets) for tickets in (3, 5, 100)]
        asked = [(raffles[n % 3].id, f"person {n // 6}") for n in range(people)]
        futures = [crowd.submit(engine.participate, *each) for each in asked]
        outcomes = [future.exception(LIMIT_S) or future.result() for future in futures]

        left = [engine.get(raffle.id).available_tickets for raffle in raffles]

    assert (len(hashed), sum(hashed)) == (2, people)
    assert groups == [(people, 3 + 4 + 4)]
    tickets = [outcome for outcome in outcomes if isinstance(outcome, Ticket)]
    assert Counter(ticket.raffle_id for ticket in tickets) == {raffles[0].id: 3, raffles[1].id: 4, raffles[2].id: 4}
    assert {type(outcome) for outcome in outcomes} <= {Ticket, AlreadyParticipated, SoldOut}
    assert left == [0, 1, 96]


def test_a_damaged_raffle_does_not_spoil_the_group(database_url: str) -> None:
    """A counter behind its rows makes serials collide: that raffle fails, and the other continues."""
    with open_engine(database_url) as engine:
        damaged, sound = new_raffle(engine, 10), new_raffle(engine, 10)
        engine.participate(damaged.id, "ann")
        run(database_url, "DROP TRIGGER counters_forward" + (" ON counters" if "postgresql" in database_url else ""))
        run(database_url, "UPDATE counters SET issued = 0 WHERE issued = 1")
        issuing = engine._issuing
        wishes = [
            SaleWish(raffle.id, issuing._sales.of(raffle.id), Entry(person))
            for raffle, person in ((sound, "ann"), (damaged, "bob"), (sound, "cid"))
        ]

        issuing._prepare(wishes)
        answers = [answer for answer, _ in issuing._serve(wishes)]

        assert [isinstance(answer, Given) for answer in answers] == [True, False, True]
        assert isinstance(answers[1], StorageUnavailable)
        assert [engine.get(raffle.id).available_tickets for raffle in (sound, damaged)] == [8, 10]


def test_a_failing_receipt_costs_no_one_else_an_answer(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller's ticket is stored as well, and the caller asks for the receipt again."""
    with open_engine(database_url, signing_key=SignerKey.make("raffles.example.org")) as engine:
        raffle = new_raffle(engine, 10)
        issuing = engine._issuing
        wishes = [SaleWish(raffle.id, issuing._sales.of(raffle.id), Entry(person)) for person in ("ann", "bob", "cid")]
        issuing._prepare(wishes)
        receipt = Edge.receipt

        def fail_for_the_second(edge: Edge, serial: int, number: int, code_hash: str) -> Any:
            if serial == 1:
                raise MemoryError
            return receipt(edge, serial, number, code_hash)

        monkeypatch.setattr(Edge, "receipt", fail_for_the_second)

        answers = issuing._tickets(wishes)

        assert [isinstance(answer, Ticket) and answer.receipt is not None for answer in answers] == [True, False, True]
        monkeypatch.setattr(issuing, "_groups", AnsweredGroups(answers[1]))
        ticket = engine.participate(raffle.id, "bob")
        assert ticket.receipt is not None
        assert ticket.receipt.leaf.ticket_number == ticket.number


class AnsweredGroups:
    """Groups that always give the same answer."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def submit(self, _wish: object) -> object:
        return self.answer


def test_a_group_that_runs_again_gives_no_second_ticket(engine: RaffleEngine) -> None:
    """Like after a lost connection: committed tickets are recognised, with an idempotency key or without."""
    raffle = new_raffle(engine, 3)
    issuing = engine._issuing
    sale = issuing._sales.of(raffle.id)
    wishes = [SaleWish(raffle.id, sale, entry) for entry in (Entry("ann"), *keyed(["bob", "cid"]))]

    issuing._prepare(wishes)
    first = [answer for answer, _ in issuing._serve(wishes)]

    numbers = [answer.number for answer in first if isinstance(answer, Given)]
    issuing._prepare(wishes)
    again = [answer.number for answer, _ in issuing._serve(wishes) if isinstance(answer, Given)]
    assert again == numbers
    assert sorted(numbers) == [1, 2, 3]
    assert engine.get(raffle.id).available_tickets == 0


def test_a_deleted_raffle_does_not_spoil_the_group(database_url: str, engine: RaffleEngine) -> None:
    """Like after restoring a backup that does not have it."""
    gone, sound = new_raffle(engine, 10), new_raffle(engine, 10)
    issuing = engine._issuing
    wishes = [SaleWish(raffle.id, issuing._sales.of(raffle.id), Entry("ann")) for raffle in (sound, gone, sound, gone)]
    for table in ("secrets", "counters", "prizes"):
        # The raffle that was created first goes.
        run(database_url, f"DELETE FROM {table} WHERE raffle = (SELECT id FROM raffles WHERE sequence = 1)")
    run(database_url, "DELETE FROM raffles WHERE sequence = 1")

    issuing._prepare(wishes)
    answers = [answer for answer, _ in issuing._serve(wishes)]

    assert [type(answer) for answer in answers] == [Given, RaffleNotFound, AlreadyParticipated, RaffleNotFound]
    with pytest.raises(RaffleNotFound):
        engine.participate(gone.id, "bob")


def test_a_request_repeats_until_any_process_draws(database_url: str, engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 1)
    entry = keyed(["ann"])[0]
    ticket = engine.participate(raffle.id, entry.participant, idempotency_key=entry.idempotency_key)
    assert list(engine.participate_many(raffle.id, [entry])) == [ticket]

    with open_engine(database_url) as another_process:
        another_process.draw(raffle.id)

    with pytest.raises(SoldOut):
        engine.participate(raffle.id, entry.participant, idempotency_key=entry.idempotency_key)
    assert raffle.id not in engine._issuing._sales._known


def test_a_crowd_costs_few_transactions(database_url: str) -> None:
    with open_engine(database_url) as engine, ThreadPoolExecutor(32) as crowd:
        raffle = new_raffle(engine, 1_000)
        transactions = 0

        def count_them(*_: object) -> None:
            nonlocal transactions
            transactions += 1

        event.listen(engine._database._engine, "commit", count_them)
        list(crowd.map(lambda n: engine.participate(raffle.id, f"person {n}"), range(1_000)))

    # About 16 tickets per group on an idle machine; without groups, one transaction per ticket.
    assert transactions < 500


def test_lists_of_every_length_need_few_statements(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 10**6)
    for size in range(1, 130):
        list(engine.participate_many(raffle.id, [f"{size}/{n}" for n in range(size)]))

    assert statements._insert.cache_info().currsize <= 110
    assert statements._held.cache_info().currsize <= 110


@pytest.mark.parametrize("entry", [None, 5, b"ann", Entry("ann", "short"), Entry("ann", 7)])  # type: ignore[arg-type]  # what is no key is the point
def test_invalid_entries_are_refused_among_valid_ones(engine: RaffleEngine, entry: Any) -> None:
    raffle = new_raffle(engine, 3)

    outcomes = list(engine.participate_many(raffle.id, ["bob", entry, "cid"]))

    assert [type(outcome) for outcome in outcomes] == [Ticket, InvalidValue, Ticket]


def test_a_wish_does_not_show_its_code(engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 3)
    [entry] = keyed(["somebody's name"])
    wish = SaleWish(raffle.id, engine._issuing._sales.of(raffle.id), entry)
    wish.identify()

    assert wish.code
    for secret in (wish.code, entry.participant, entry.idempotency_key):
        assert str(secret) not in repr(wish) + repr(entry)
    assert repr(wish.keys.code_key) not in repr(wish)


def test_an_observer_is_called_for_every_stored_group(database_url: str) -> None:
    groups: list[tuple[int, int]] = []
    with open_engine(database_url, on_group=lambda *, callers, tickets: groups.append((callers, tickets))) as engine:
        raffle = new_raffle(engine, 1_504)
        for _ in range(2):
            engine.participate(raffle.id, "ann", idempotency_key="a key of sixteen or more")
        with pytest.raises(AlreadyParticipated):
            engine.participate(raffle.id, "ann")
        list(engine.participate_many(raffle.id, ["ann", *(f"person {n}" for n in range(1_500))]))

    assert groups == [(1, 1), (1, 0), (1, 0), (1_000, 999), (501, 501)]


def test_an_observer_is_not_called_for_an_unstored_group(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[dict[str, int]] = []
    with open_engine(database_url, on_group=lambda **group: groups.append(group)) as engine:
        raffle = new_raffle(engine, 2)
        with monkeypatch.context() as patched:
            patched.setattr(statements, "set_counters", _fail)
            with pytest.raises(StorageUnavailable):
                engine.participate(raffle.id, "ann")
        assert groups == []

        engine.participate(raffle.id, "ann")

    assert groups == [{"callers": 1, "tickets": 1}]


def _fail(*_: object) -> None:
    raise StorageUnavailable


def test_a_failing_observer_costs_no_one_a_ticket(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    def on_group(*, callers: int, tickets: int) -> None:
        raise OSError(f"no room for {callers} and {tickets}")

    with open_engine(f"sqlite:///{database}", on_group=on_group) as engine:
        raffle = new_raffle(engine, 3)

        assert engine.participate(raffle.id, "ann").number in (1, 2, 3)

    assert caplog.messages == ["The observer of groups failed; the tickets are stored."]
