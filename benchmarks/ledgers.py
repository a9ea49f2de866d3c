"""The ledger: what it adds to a ticket, and what a proof costs among a million tickets."""

import random
from collections.abc import Iterator
from http.client import HTTPConnection
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.participating import many_at_once
from benchmarks.ratio import Figure, Finding, at_least, at_most, interleaved, microseconds, ratios, seconds_of
from benchmarks.sizes import GROUP
from benchmarks.stock import Stock
from rafflekit import RaffleEngine
from rafflekit.core.ledger.books import Edge
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.tree import leaf_hash

_CODE_HASH = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
_REQUESTS = 100
_PROOFS = 5


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the engine's throughput with the ledger ÷ without its work, and the costs of proofs."""
    yield from _throughput(stock)
    yield from _proof_of_a_ticket(stock)
    yield from _proof_of_a_draw(stock)


def _throughput(stock: Stock) -> Iterator[Finding]:
    ours = stock.fresh()
    tickets = stock.sizes.rush_tickets
    with RaffleEngine(ours.url) as engine:
        book = engine._ledgers.book_to_sign(engine.get(ours.raffle))

        def ledger_alone() -> float:
            """Do the ledger's work for this number of tickets in groups: leaves, tree, signature, paths."""

            def work() -> None:
                growing = GrowingTree()
                for first in range(0, tickets, GROUP):
                    serials = range(first, first + GROUP)
                    leaves = [leaf_hash(leaf_data(ours.raffle, serial, serial + 1, _CODE_HASH)) for serial in serials]
                    growing, _ = growing.grown(leaves)
                    edge = Edge(book, growing, None, _CODE_HASH)
                    for serial in serials:
                        receipt = edge.receipt(serial, serial + 1, _CODE_HASH)
                        assert receipt is not None
                        receipt.shape()

            return seconds_of(work)

        whole, ledger = interleaved(
            lambda: many_at_once(engine, ours.raffle, tickets), ledger_alone, rounds=stock.sizes.rounds
        )
    without = [all_of_it - part for all_of_it, part in zip(whole, ledger, strict=True)]
    yield Figure(
        "engine, 32 threads: throughput with the ledger ÷ without its work",
        ratios(without, whole),
        at_least(0.85),
        f"{microseconds(ledger, each=tickets)} of {microseconds(whole, each=tickets)} per ticket; receipts included",
    )


def _proof_of_a_ticket(stock: Stock) -> Iterator[Finding]:
    sold = stock.sold_out
    with servers.rafflekit(sold.url) as url:
        connection = HTTPConnection(urlsplit(url).netloc)

        def timed(path: str) -> float:
            begun = perf_counter()
            connection.request("GET", path, headers={"Forwarded": "for=192.0.2.1"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            return perf_counter() - begun

        detail, proof = interleaved(
            lambda: timed(f"/raffles/{sold.raffle}/"),
            lambda: timed(
                f"/raffles/{sold.raffle}/ledger/proof/?ticket_number={random.randint(1, sold.total_tickets)}"
            ),
            rounds=stock.sizes.rounds,
            repeats=_REQUESTS,
        )
        connection.close()
    yield Figure(
        f"HTTP, waitress: proof among {sold.total_tickets:,} tickets ÷ GET detail",
        ratios(proof, detail),
        at_most(5),
        f"{microseconds(proof, each=_REQUESTS)}, detail {microseconds(detail, each=_REQUESTS)}",
    )


def _proof_of_a_draw(stock: Stock) -> Iterator[Finding]:
    small = stock.fresh(total_tickets=1_000)
    with RaffleEngine(small.url) as few, RaffleEngine(stock.drawn.url) as many:
        list(few.participate_many(small.raffle, [f"participant {n}" for n in range(1_000)]))
        few.draw(small.raffle)
        large, little = interleaved(
            lambda: seconds_of(lambda: many.proofs.proof(stock.drawn.raffle)),
            lambda: seconds_of(lambda: few.proofs.proof(small.raffle)),
            rounds=stock.sizes.rounds,
            repeats=_PROOFS,
        )
    yield Figure(
        f"proof of a draw: {stock.drawn.total_tickets:,} tickets and prizes ÷ 1,000 tickets, 3 prizes",
        ratios(large, little),
        None,
        f"{microseconds(large, each=_PROOFS)}, of 1,000 tickets {microseconds(little, each=_PROOFS)}",
    )
