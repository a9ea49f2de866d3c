"""Tickets on paper: `rafflekit print tickets`, against the bare QR codes of the same links."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import segno

from benchmarks import children
from benchmarks.ratio import Figure, Finding, at_least, at_most, microseconds, seconds_of
from benchmarks.stock import Stock
from rafflekit import Prize, RaffleEngine
from rafflekit.cli.lists.output import HEADER

SERVER = "https://raffles.example.org"
_MB = 1_000_000
_BARE_CODES = 500


class _Printed(NamedTuple):
    each_s: float
    peak_mib: float
    bytes: int


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield bare codes ÷ time per ticket, the memory of many tickets ÷ of few, and the size of the file."""
    few, many = stock.sizes.few_printed, stock.sizes.printed
    half = stock.sizes.rounds // 2
    small = _printed(stock, few)
    bare = [_bare_code_s() for _ in range(half)]
    large = _printed(stock, many)
    bare += [_bare_code_s() for _ in range(stock.sizes.rounds - half)]
    yield Figure(
        f"print tickets, {many:,}: a bare QR code (segno) ÷ time per ticket",
        [each / large.each_s for each in bare],
        # 300 tickets a second, where a bare code takes 1.3 ms.
        at_least(0.4),
        f"{1 / large.each_s:,.0f} tickets/s, {few:,} at {1 / small.each_s:,.0f}; bare code {microseconds(bare)}",
    )
    yield Figure(
        f"print tickets: peak memory with {many:,} ÷ with {few:,}",
        [large.peak_mib / small.peak_mib],
        at_most(1.2),
        f"{large.peak_mib:.0f} MiB, few {small.peak_mib:.0f} MiB",
    )
    yield Figure(
        "print tickets: MB of the file with 10,000",
        [large.bytes * 10_000 / many / _MB],
        at_most(60),
        f"{large.bytes / _MB:.1f} MB with {many:,}, {small.bytes / _MB:.1f} MB with {few:,}",
    )


def _printed(stock: Stock, tickets: int) -> _Printed:
    url, raffle, listed = _handed_out(stock, tickets)
    out, result = stock.new_path(".html"), stock.new_path(".json")
    arguments = ("print", "tickets", raffle, "--tickets", str(listed), "--out", str(out), "--url", SERVER)
    measured = children.measured(result, "command", *arguments, "--database-url", url)
    return _Printed(measured.seconds / tickets, measured.peak_mib, out.stat().st_size)


def _handed_out(stock: Stock, tickets: int) -> tuple[str, str, Path]:
    """Hand out tickets of a raffle that says as much as raffles usually do; return where they are."""
    url, listed, now = f"sqlite:///{stock.new_path()}", stock.new_path(".csv"), datetime.now(UTC)
    with RaffleEngine(url) as engine, listed.open("w") as file:
        raffle = engine.create(
            "Village fair",
            total_tickets=tickets,
            prizes=[Prize("bicycle"), Prize("basket of bread and ham", 3), Prize("voucher for the bakery", 10)],
            closes_at=now + timedelta(days=10),
            draw_at=now + timedelta(days=11),
            claim_days=14,
            collection="at the bar until 23:00, then at the club house",
            promoter="Sports club Oberdorf",
            address="Hauptstr. 1, 12345 Oberdorf",
            price="2 €",
            licence="4711/2026, district of Oberland",
            note="For people over 18. The proceeds go to the youth team.",
        )
        file.write(HEADER)
        people = [f"participant{line}@example.org" for line in range(tickets)]
        for line, (who, ticket) in enumerate(zip(people, engine.participate_many(raffle.id, people), strict=True), 1):
            assert not isinstance(ticket, Exception), ticket
            file.write(f"{line},{who},{ticket.number},{ticket.verification_code},\n")
    return url, str(raffle.id), listed


def _bare_code_s() -> float:
    """Return how long segno takes for the matrix of a ticket's code."""
    page = f"{SERVER}/raffles/b3b0c6a1-5f0e-4f43-9d0a-1f4a7c0e2a11/"

    def encode() -> None:
        for number in range(_BARE_CODES):
            segno.make_qr(f"{page}#t={number}&c=K7QF-M2XA-9TRC-W4ND-H8ZP-3VBE", error="m", mask=0)

    return seconds_of(encode) / _BARE_CODES
