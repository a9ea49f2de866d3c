"""Raffles that are drawn with a real beacon, and the paper about them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pypdfium2
import zxingcpp

from rafflekit import Prize, Raffle, Ticket
from rafflekit.core.certificates import audited_draw
from rafflekit.core.protocol.entropy.drand import Beacon, time_of
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.html.paper.certificate import certificate
from tests.databases import open_engine
from tests.raffles import people

ROUND = 1000
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
KEY = SignerKey.make("raffles.example.org")
CLOSED = datetime.fromtimestamp(time_of(ROUND) - 60, UTC)
ADDRESS = "https://raffles.example.org/raffles/49338c94-e918-42ec-8f64-c584761e7a58/"
PROOF_ADDRESS = f"{ADDRESS}proof/"
PRIZES = [Prize("Bicycle"), Prize("Dinner for two", 2), Prize("Hamper from the farm shop", 9)]
TERMS: dict[str, Any] = {
    "promoter": "Friends of Little Snoring Village Hall",
    "address": "The Old Forge, 3 Church Lane, Little Snoring, NR21 0HZ",
    "price": "£1.50",
    "licence": "Registered with North Norfolk District Council, no. SL/2026/118",
    "note": "Over 16s only. No cash alternative.",
    "collection": "at the bar of the village hall until 21:00, then by phone 01328 555 018",
    "tickets_each": 20,
    "closes_at": CLOSED + timedelta(minutes=1),
    "draw_at": CLOSED + timedelta(minutes=2),
    "claim_days": 14,
}
HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 160


class Fair:
    """An engine whose relays have the real beacon of a round, and whose clock is set by hand."""

    def __init__(self, url: str) -> None:
        self.now = CLOSED
        beacon = Beacon(ROUND, bytes.fromhex(SIGNATURE))
        self.engine = open_engine(url, clock=lambda: self.now, signing_key=KEY, beacons=lambda _: beacon)

    def drawn(
        self, tickets: int = 40, *, prizes: list[Prize] = PRIZES, value: str | None = None, **terms: Any
    ) -> tuple[Raffle, dict[int, Ticket]]:
        """Draw a raffle; return it with its tickets by number."""
        self.now = CLOSED
        raffle = self.engine.create("Summer fair", total_tickets=tickets, prizes=prizes, **TERMS | terms)
        issued = self.engine.participate_many(raffle.id, people(tickets))
        numbered = {each.number: each for each in issued if isinstance(each, Ticket)}
        self.now += timedelta(minutes=2)
        self.engine.draw(raffle.id, value=value)
        return self.engine.get(raffle.id), numbered

    def certificate(self, raffle: Raffle, language: str = "en", *, address: str | None = PROOF_ADDRESS) -> str:
        return certificate(audited_draw(self.engine, raffle.id), language, address=address)

    def numbers(self, raffle: Raffle) -> list[int]:
        return [each.drawn.ticket_number for each in self.engine.holdings(raffle.id)]


def text_of(html: str) -> str:
    """Return what people read: no tags, single spaces."""
    without = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", without)).split())


def printed(page: Any, html: str, folder: Path) -> pypdfium2.PdfDocument:
    """Print a page on paper."""
    (folder / "paper.html").write_text(html)
    page.open((folder / "paper.html").as_uri())
    page.print_pdf(folder / "paper.pdf")
    assert page.complaints == []
    return pypdfium2.PdfDocument((folder / "paper.pdf").read_bytes())


def words_on(page: pypdfium2.PdfPage) -> str:
    """Return the words on a page of paper without spaces, because a reader of PDF can only guess where these are."""
    return "".join(page.get_textpage().get_text_bounded().split())


def qr_codes_on(page: pypdfium2.PdfPage) -> list[str]:
    bitmap = page.render(scale=3, grayscale=True)
    rows = [bytes(bitmap.buffer)[y * bitmap.stride :][: bitmap.width] for y in range(bitmap.height)]
    picture = memoryview(b"".join(rows)).cast("B", (bitmap.height, bitmap.width))
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


def sizes_of(document: pypdfium2.PdfDocument) -> set[tuple[int, int]]:
    return {(round(width), round(height)) for width, height in (page.get_size() for page in document)}
