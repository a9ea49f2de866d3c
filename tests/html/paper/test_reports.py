"""What is printed after a draw: the list of winners, the certificate and the return sheet, as HTML and on paper."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from rafflekit import Prize, Raffle, Ticket
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.audit.form import read_parts
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.entropy.drand import Beacon, time_of
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.quoting import visible
from rafflekit.html import rendering
from rafflekit.html.paper.certificate import CertifiedDraw, certificate
from rafflekit.html.paper.return_sheet import return_sheet
from rafflekit.html.paper.winner_list import winner_list
from tests.databases import open_engine
from tests.html.escaped import BEGIN, END, Marked, escaped_texts
from tests.http.pages.browser import NewPage
from tests.raffles import people

ROUND = 1000
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
KEY = SignerKey.make("raffles.example.org")
CLOSED = datetime.fromtimestamp(time_of(ROUND) - 60, UTC)
ADDRESS = "https://raffles.example.org/raffles/"
PRIZES = [Prize("Bicycle"), Prize("Dinner for two", 2), Prize("Hamper from the farm shop", 9)]
TERMS: dict[str, Any] = {
    "promoter": "Friends of Westbrook School",
    "address": "12 Mill Lane, Westbrook",
    "price": "£1.50",
    "licence": "Westbrook District Council, SL/2026/0417",
    "note": "In aid of the new climbing frame",
    "collection": "at the tombola stand until 20:00",
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

    def audited(self, raffle: Raffle) -> CertifiedDraw:
        engine, now = self.engine, self.now
        document = json.dumps(engine.proofs.proof(raffle.id).shape())
        leaves = map(leaf_line, engine.proofs.leaves(raffle.id))
        report = audit(document, leaves=leaves, now=int(now.timestamp()))
        return CertifiedDraw(raffle, read_parts(document), report, engine.holdings(raffle.id), now)

    def certificate(self, raffle: Raffle, language: str = "en", *, address: str | None = ADDRESS) -> str:
        return certificate(self.audited(raffle), language, address=address)

    def numbers(self, raffle: Raffle) -> list[int]:
        return [each.drawn.ticket_number for each in self.engine.holdings(raffle.id)]


@pytest.fixture
def fair(database_url: str) -> Iterator[Fair]:
    """An engine on an empty database."""
    made = Fair(database_url)
    with made.engine:
        yield made


def text_of(html: str) -> str:
    """Return what people read: no tags, single spaces."""
    without = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", without)).split())


def section(html: str, name: str) -> str:
    """Return what people read of the first element of a class."""
    return text_of(html.split(f'class="{name}"', 1)[1].split("</ul>", 1)[0])


def step_names(html: str, which: str) -> list[str]:
    """Return the steps of a certificate that are proven, or open."""
    return re.findall(r"<code>(\w+)</code>", html.split(f'<ul class="{which}">')[1].split("</ul>", maxsplit=1)[0])


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


def test_a_certificate_shows_the_raffle_and_its_draw(fair: Fair) -> None:
    raffle, _ = fair.drawn(entropy="drand-quicknet")

    html = fair.certificate(raffle)

    text, proof = text_of(html), fair.engine.proofs.proof(raffle.id)
    words = fair.engine.proofs.words(raffle)
    assert words is not None
    for shown in (
        *("Summer fair", str(raffle.id), "40 of 40 handed out", "round 1,000", SIGNATURE, " ".join(words)),
        *(proof.seed.hex(), proof.key, read_parts(json.dumps(proof.shape())).draw.note.text.split()[-1]),
        *(value for value in TERMS.values() if isinstance(value, str)),
        *(f"{prize.name} " for prize in PRIZES),
        "0 prizes were collected, 0 passed on to other tickets, 0 lapsed, 12 are not collected yet.",
    ):
        assert shown in text
    assert " · ".join(map(str, fair.numbers(raffle)[3:])) in text
    assert f"{ADDRESS}. The page checks the draw in the browser." in text
    assert "<svg" in html
    assert "<svg" not in fair.certificate(raffle, address=None)
    assert not re.search(r"src=|<link rel=\"stylesheet|url\(", html)


@pytest.mark.parametrize(
    ("terms", "proven", "unproven"),
    [
        (
            {"entropy": "drand-quicknet"},
            ["form", "closing", "entropy", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "witnessed"],
        ),
        (
            {"entropy": "announced", "source": "Lotto of 5 December", "value": "3 17 22"},
            ["form", "closing", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "entropy", "witnessed"],
        ),
        (
            {"entropy": "secrets"},
            ["form", "closing", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "entropy", "witnessed"],
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_certificate_calls_proven_what_the_audit_proved(
    fair: Fair, language: str, terms: dict[str, Any], proven: list[str], unproven: list[str]
) -> None:
    raffle, _ = fair.drawn(**terms)

    html = fair.certificate(raffle, language)

    steps = {name: step_names(html, name) for name in ("proven", "open")}
    assert steps == {"proven": proven, "open": unproven}
    # Every outcome of an honest draw has a sentence of its own, in each language.
    assert '<span lang="en">' not in html


def test_a_certificate_of_secrets_says_that_trust_is_needed(fair: Fair) -> None:
    raffle, _ = fair.drawn(entropy="secrets")

    assert "Only the organiser says that this happened once, and after the closing." in section(
        fair.certificate(raffle), "open"
    )


def test_a_certificate_follows_prizes_that_passed_on(fair: Fair) -> None:
    raffle, tickets = fair.drawn()
    first, second, *_ = fair.numbers(raffle)
    fair.engine.redeem(raffle.id, second, tickets[second].verification_code)
    heir = fair.engine.forfeit(raffle.id, first, why="disqualified", reason=HOSTILE)
    assert heir is not None

    html = fair.certificate(raffle)

    assert "1 prize was collected, 1 passed on to another ticket, 0 lapsed, 11 are not collected yet." in text_of(html)
    assert f"Bicycle: from ticket {first} to ticket {heir.ticket_number}, " in text_of(html)
    assert "Why prizes passed on" in section(html, "open")
    assert "\u202e" not in html


def test_a_certificate_of_many_winners_shows_the_first(fair: Fair) -> None:
    raffle, _ = fair.drawn(1_100, prizes=[Prize("tea", 1_001)])

    text = text_of(fair.certificate(raffle))

    assert "These are the first 60 of 1,001 winners, in draw order." in text
    assert " · ".join(f"{number:,}" for number in fair.numbers(raffle)[:60]) + " These" in text


def test_a_certificate_never_calls_a_doubtful_date_proven(fair: Fair) -> None:
    """The outcome decides, also where the certificate has no sentence of its own."""
    raffle, _ = fair.drawn()
    fair.now -= timedelta(days=3)

    html = fair.certificate(raffle)

    assert "in the future" in section(html, "open")
    assert {"closing", "winners"} <= set(step_names(html, "open"))
    assert not {"closing", "winners"} & set(step_names(html, "proven"))


def test_a_certificate_shows_winners_without_their_forfeits(fair: Fair) -> None:
    """A proof does not list more than 1,000 forfeits, and the audit then says of no one that they have a prize."""
    raffle, _ = fair.drawn()
    audited = fair.audited(raffle)

    html = certificate(replace(audited, report=replace(audited.report, winners=None)), "en")

    assert " · ".join(map(str, fair.numbers(raffle)[3:])) in text_of(html)


def test_a_winner_list_shows_who_has_each_prize_now(fair: Fair) -> None:
    raffle, _ = fair.drawn(12)
    first, *_ = fair.numbers(raffle)
    fair.engine.forfeit(raffle.id, first, why="disqualified", reason="a relative")

    html = winner_list(raffle, fair.engine.holdings(raffle.id), "en", address=ADDRESS)

    text = text_of(html)
    assert f"{first} lapsed" in text
    assert "Collecting prizes: at the tombola stand until 20:00" in text
    assert "2 × Dinner for two" in text
    found = [int(number) for number in re.findall(r'class="number">(?:<s>)?(\d+)<', html)]
    assert found[1:3] == sorted(fair.numbers(raffle)[1:3])
    # The reason is for those who ask, and not for the wall.
    assert "a relative" not in text


def test_a_winner_list_dates_what_passed_on(fair: Fair) -> None:
    raffle, _ = fair.drawn()
    first, *_ = fair.numbers(raffle)
    fair.now += timedelta(days=3)
    heir = fair.engine.forfeit(raffle.id, first, why="disqualified", reason="a relative")
    assert heir is not None

    text = text_of(winner_list(raffle, fair.engine.holdings(raffle.id), "en"))

    drawn = CLOSED + timedelta(minutes=2)
    assert f"Collect prizes before {drawn + timedelta(days=14):%Y-%m-%d %H:%M} UTC" in text
    assert f"{heir.ticket_number} passed on from {first} until {drawn + timedelta(days=17):%Y-%m-%d %H:%M} UTC" in text


def test_a_winner_list_with_names_says_that_it_is_private(fair: Fair) -> None:
    raffle, _ = fair.drawn(prizes=[Prize("tea", 2)])
    first, second = fair.numbers(raffle)

    html = winner_list(raffle, fair.engine.holdings(raffle.id), "en", owners={first: HOSTILE})

    assert "for the organiser only" in text_of(html)
    assert f"{second} not in the list" in text_of(html)
    assert "\\u202e" in html
    assert "<script>alert" not in html


def test_a_return_counts_tickets_and_prizes(fair: Fair) -> None:
    raffle, tickets = fair.drawn()
    first, second, *_ = fair.numbers(raffle)
    fair.engine.redeem(raffle.id, second, tickets[second].verification_code)
    fair.engine.forfeit(raffle.id, first, why="disqualified", reason="a relative")

    html = return_sheet(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now)

    text = text_of(html)
    rows = [text_of(row.replace("</td>", " ")) for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)]
    for row in (
        *("Bicycle 1 0 1 0 1", "Dinner for two 2 1 0 0 1", "Hamper from the farm shop 9 0 0 0 9"),
        *("Society or organiserFriends of Westbrook School", "Price of a ticket, as announced£1.50"),
        *("Tickets available40", "Tickets handed out40", "Tickets not handed out (unsold)0"),
    ):
        assert row in rows
    assert "Proceeds of the ticket sales (gross)" in rows
    assert "a relative" in text
    assert "participant" not in text


def test_a_return_of_a_cancelled_raffle_awards_nothing(fair: Fair) -> None:
    raffle = fair.engine.create("Rained off", total_tickets=9, prizes=PRIZES[:2], **TERMS)
    fair.engine.participate(raffle.id, "ann")
    fair.engine.cancel(raffle.id, "The hall is flooded")

    text = text_of(return_sheet(fair.engine.get(raffle.id), (), "en", made_at=fair.now))

    assert "No prize was awarded. The organiser's reason: The hall is flooded" in text
    assert "Tickets handed out1 " in text
    assert "Of these: paid back to participants" in text
    assert "certificate of the draw" not in text


def test_no_text_of_a_report_escapes_the_catalogue(fair: Fair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "texts_in", lambda _language: Marked())
    monkeypatch.setattr(rendering, "visible", lambda text: f"{BEGIN}{visible(text)}{END}")
    raffle, _ = fair.drawn(12, entropy="announced", source="dice", value="6")
    for number in fair.numbers(raffle)[:2]:
        fair.engine.forfeit(raffle.id, number, why="disqualified", reason="a relative")
    holdings = fair.engine.holdings(raffle.id)

    for html in (
        fair.certificate(raffle, "xx"),
        winner_list(raffle, holdings, "xx", owners={}, address=ADDRESS),
        return_sheet(raffle, holdings, "xx", made_at=fair.now),
    ):
        assert BEGIN in html
        assert escaped_texts(html) == []


def test_no_text_of_people_is_markup(fair: Fair) -> None:
    texts = dict.fromkeys(("promoter", "address", "price", "licence", "note", "collection", "source"), HOSTILE)
    raffle, _ = fair.drawn(3, prizes=[Prize(HOSTILE)], value="<b>3", entropy="announced", **texts)
    holdings = fair.engine.holdings(raffle.id)

    for html in (
        fair.certificate(raffle),
        winner_list(raffle, holdings, "en"),
        return_sheet(raffle, holdings, "en", made_at=fair.now),
    ):
        assert "<script>alert" not in html
        assert "<b>3" not in html
        assert "\u202e" not in html
        assert "\\u202e" in html


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "de"])
def test_an_ordinary_certificate_is_one_sheet_of_a4(
    fair: Fair, new_page: NewPage, tmp_path: Path, language: str
) -> None:
    raffle, _ = fair.drawn(entropy="drand-quicknet")
    fair.engine.forfeit(raffle.id, fair.numbers(raffle)[0], why="disqualified", reason="a member of the committee")

    paper = printed(new_page(), fair.certificate(raffle, language), tmp_path)

    assert sizes_of(paper) == {(595, 842)}
    assert len(paper) == 1
    assert "verify_draw.py" in words_on(paper[0])
    assert qr_codes_on(paper[0]) == [ADDRESS]


@pytest.mark.browser
def test_every_page_of_a_long_winner_list_has_its_header(fair: Fair, new_page: NewPage, tmp_path: Path) -> None:
    raffle, _ = fair.drawn(1_200, prizes=[*(Prize(f"prize {place}") for place in range(50)), Prize("tea", 950)])

    paper = printed(new_page(), winner_list(raffle, fair.engine.holdings(raffle.id), "en"), tmp_path)

    pages = [words_on(page) for page in paper]
    assert len(pages) > 10
    assert sizes_of(paper) == {(595, 842)}
    assert {page.count("SummerfairWINNERS") for page in pages} == {1}
    assert all("950×tea" in page for page in pages[-10:])


@pytest.mark.browser
def test_a_long_return_repeats_the_heads_of_its_tables(fair: Fair, new_page: NewPage, tmp_path: Path) -> None:
    raffle, _ = fair.drawn(200, prizes=[Prize(f"prize {place}") for place in range(150)])

    paper = printed(new_page(), return_sheet(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now), tmp_path)

    with_prizes = [page for page in map(words_on, paper) if re.search(r"prize\d+10001", page)]
    assert len(with_prizes) > 2
    assert all("Boughtordonated" in page for page in with_prizes)
    assert "Signature" in words_on(paper[len(paper) - 1])
