"""Participants without HTTP: one at a time, and many at once from threads."""

import threading
from collections.abc import Iterator
from itertools import count
from time import perf_counter
from uuid import UUID

from benchmarks.baselines.floor import RawRaffle
from benchmarks.machine import file_system
from benchmarks.ratio import Figure, Finding, at_least, at_most, interleaved, microseconds, ratios, seconds_of
from benchmarks.sizes import EACH, GROUP, THREADS
from benchmarks.stock import Stock
from rafflekit import RaffleEngine, Ticket

_people = count(1)


def one_at_a_time(engine: RaffleEngine, raffle: UUID, tickets: int) -> float:
    """Let this number of new participants take part, one after the other; return how long it takes."""
    people = [f"participant {next(_people)}" for _ in range(tickets)]
    return seconds_of(lambda: [engine.participate(raffle, person) for person in people])


def many_at_once(engine: RaffleEngine, raffle: UUID, tickets: int, *, threads: int = THREADS) -> float:
    """Let this number of new participants take part at once, in whole rounds of all threads; return the time."""
    each = tickets // threads
    start = threading.Barrier(threads + 1)
    failures: list[BaseException] = []

    def take_part(people: list[str]) -> None:
        start.wait()
        try:
            for person in people:
                engine.participate(raffle, person)
        except BaseException as failure:
            failures.append(failure)
            raise

    workers = [
        threading.Thread(target=take_part, args=([f"participant {next(_people)}" for _ in range(each)],))
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    begun = perf_counter()
    for worker in workers:
        worker.join()
    seconds = perf_counter() - begun
    if failures:
        raise RuntimeError(f"{len(failures)} of {threads} threads failed") from failures[0]
    return seconds


def lone_figures(stock: Stock) -> Iterator[Finding]:
    """Yield one participant at a time ÷ raw sqlite3's commit of the same rows, and a hash."""
    ours, raw = stock.fresh(), stock.fresh()
    tickets = stock.sizes.lone_tickets
    with RaffleEngine(ours.url) as engine, RawRaffle(raw, group=1) as baseline:
        measured, compared = interleaved(
            lambda: one_at_a_time(engine, ours.raffle, tickets),
            lambda: baseline.seconds_of_storing_and_hashing(tickets),
            rounds=stock.sizes.rounds,
            repeats=stock.sizes.lone_turns,
        )
    each = tickets * stock.sizes.lone_turns
    yield Figure(
        "one participant at a time ÷ raw sqlite3 commit of the rows and a hash",
        ratios(measured, compared),
        at_most(2.5),
        f"{microseconds(measured, each=each)} per ticket, raw {microseconds(compared, each=each)}, "
        f"on {file_system(stock.folder)}",
    )


def several_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the 100th ticket of a participant ÷ the first one, in the same raffle."""
    raffle = stock.fresh(tickets_each=EACH)
    at_once = stock.sizes.lone_tickets
    with RaffleEngine(raffle.url) as engine:

        def asking(held: int) -> float:
            """Let participants who hold this number of tickets ask for one more, one after the other."""
            people, others = ([f"participant {next(_people)}" for _ in range(at_once)] for _ in range(2))
            # Beforehand, the same work is done and the same is left in the journal, whoever asks.
            entries = (people if held else others) * (EACH - 1)
            assert all(isinstance(each, Ticket) for each in engine.participate_many(raffle.raffle, entries))
            return seconds_of(lambda: [engine.participate(raffle.raffle, person) for person in people])

        last, first = interleaved(
            lambda: asking(EACH - 1),
            lambda: asking(0),
            rounds=stock.sizes.rounds,
            repeats=stock.sizes.lone_turns,
        )
    each = at_once * stock.sizes.lone_turns
    yield Figure(
        f"tickets_each = {EACH}: a participant's {EACH}th ticket ÷ the first one",
        ratios(last, first),
        at_most(1.2),
        f"{microseconds(last, each=each)}, the first {microseconds(first, each=each)}",
    )


def rush_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the engine alone with 32 threads: floor ÷ time per ticket."""
    ours, raw = stock.fresh(), stock.fresh()
    tickets = stock.sizes.rush_tickets
    with RaffleEngine(ours.url) as engine, RawRaffle(raw, group=GROUP) as baseline:
        measured, floor = interleaved(
            lambda: many_at_once(engine, ours.raffle, tickets),
            lambda: baseline.seconds_of_floor(tickets),
            rounds=stock.sizes.rounds,
            repeats=stock.sizes.rush_turns,
        )
    each = tickets * stock.sizes.rush_turns
    yield Figure(
        f"engine alone, {THREADS} threads: floor ÷ time per ticket",
        ratios(floor, measured),
        at_least(0.5),
        f"{microseconds(measured, each=each)} per ticket, floor {microseconds(floor, each=each)}",
    )
