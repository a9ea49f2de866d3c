"""What is printed after a draw: the list of winners and the return sheet, as HTML and on paper, and what all share."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rafflekit import Prize
from rafflekit.core.protocol.quoting import visible
from rafflekit.html import rendering
from rafflekit.html.paper.return_sheet import return_sheet
from rafflekit.html.paper.winner_list import winner_list
from tests.html.escaped import BEGIN, END, Marked, escaped_texts
from tests.html.paper.fairs import ADDRESS, CLOSED, HOSTILE, PRIZES, TERMS, Fair, printed, sizes_of, text_of, words_on
from tests.http.pages.browser import NewPage


def test_a_winner_list_shows_who_has_each_prize_now(fair: Fair) -> None:
    raffle, _ = fair.drawn(12)
    first, *_ = fair.numbers(raffle)
    fair.engine.forfeit(raffle.id, first, why="disqualified", reason="a relative")

    html = winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now, address=ADDRESS)

    text = text_of(html)
    assert f"{first} lapsed" in text
    assert f"Collecting prizes: {TERMS['collection']}" in text
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

    text = text_of(winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now))

    drawn = CLOSED + timedelta(minutes=2)
    assert f"Collect prizes before {drawn + timedelta(days=14):%Y-%m-%d %H:%M} UTC" in text
    deadline = f"{drawn + timedelta(days=17):%Y-%m-%d %H:%M} UTC"
    assert f"{heir.ticket_number} passed on from {first} collect before {deadline}" in text


def test_a_winner_list_has_no_deadline_that_is_over(fair: Fair) -> None:
    raffle, tickets = fair.drawn(prizes=[Prize("tea", 2)])
    first, second = fair.numbers(raffle)

    def shows_deadline(made_at: datetime, begin: str = "Collect prizes before") -> bool:
        holdings = fair.engine.holdings(raffle.id)
        return begin in text_of(winner_list(raffle, holdings, "en", made_at=made_at))

    deadline = fair.now + timedelta(days=14)
    assert shows_deadline(deadline - timedelta(seconds=1))
    assert not shows_deadline(deadline)
    # What is redeemed, or passed on with a later deadline, is no longer to be collected before this one.
    fair.engine.redeem(raffle.id, first, tickets[first].verification_code)
    fair.engine.forfeit(raffle.id, second, why="disqualified", reason="a relative")
    assert not shows_deadline(fair.now)
    assert shows_deadline(fair.now, "collect before")
    assert not shows_deadline(deadline, "collect before")


def test_a_winner_list_names_every_ticket_that_lost(fair: Fair) -> None:
    raffle, _ = fair.drawn(7, prizes=[Prize("radio"), Prize("tea", 2)])
    radio, tea = ([number] for number in fair.numbers(raffle)[:2])
    for chain in (radio, radio, radio, tea, tea):
        heir = fair.engine.forfeit(raffle.id, chain[-1], why="disqualified", reason="a relative")
        if heir is not None:
            chain.append(heir.ticket_number)

    text = text_of(winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now))

    assert f"radio{radio[3]} passed on from {radio[0]}, {radio[1]}, {radio[2]} collect before" in text
    # No ticket was left for the last time.
    assert f"{tea[1]} lapsed passed on from {tea[0]}" in text


@pytest.mark.parametrize(
    ("terms", "shown"),
    [
        (
            {"entropy": "drand-quicknet"},
            "A public random number decided who won. Anyone can check the proof of the draw. Ask",
        ),
        (
            {"entropy": "announced", "source": "two dice", "value": "3 4"},
            "What decided who won: “two dice”. Anyone can check the proof of the draw. Ask",
        ),
        (
            {"entropy": "secrets"},
            "Anyone can check the proof of the draw. It cannot show that the computer drew only once. Ask",
        ),
    ],
)
def test_a_winner_list_says_no_more_than_is_proven(fair: Fair, terms: dict[str, str], shown: str) -> None:
    raffle, _ = fair.drawn(12, **terms)

    assert shown in text_of(winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now))


def test_a_winner_list_with_names_says_that_it_is_private(fair: Fair) -> None:
    raffle, _ = fair.drawn(prizes=[Prize("tea", 2)])
    first, second = fair.numbers(raffle)

    html = winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now, owners={first: HOSTILE})

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
        *("Society or organiserFriends of Little Snoring Village Hall", "Price of a ticket, as announced£1.50"),
        *("Tickets available40", "Tickets handed out40", "Tickets not handed out (unsold)0"),
    ):
        assert row in rows
    assert "Proceeds of the ticket sales (gross)" in rows
    assert "winner disqualified – a relative" in text
    assert "All prizes12 1 1 0 11 Value of all:" in rows
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


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ending", "until"),
    [
        ("drawn", CLOSED + 2 * DAY),
        ("closed", CLOSED + DAY),
        ("cancelled", CLOSED + DAY),
        ("cancelled early", None),
    ],
)
def test_a_return_says_until_when_there_were_tickets(fair: Fair, ending: str, until: datetime | None) -> None:
    opens_at = CLOSED if ending == "cancelled early" else None
    fair.now = CLOSED - DAY
    terms = {"draw_at": CLOSED + 3 * DAY, "opens_at": opens_at, "closes_at": CLOSED + 2 * DAY}
    raffle = fair.engine.create("Fair", total_tickets=9, prizes=PRIZES[:1], **TERMS | terms)
    if ending == "cancelled early":
        fair.engine.cancel(raffle.id, "rain")
    else:
        fair.engine.participate(raffle.id, "ann")
        fair.now = CLOSED + DAY
        if ending == "closed":
            fair.engine.close_raffle(raffle.id)
        if ending == "cancelled":
            fair.engine.cancel(raffle.id, "rain")
        fair.now = CLOSED + 6 * DAY
        if ending in ("drawn", "closed"):
            fair.engine.draw(raffle.id)
    ended = fair.engine.get(raffle.id)
    holdings = () if ended.cancellation else fair.engine.holdings(raffle.id)

    text = text_of(return_sheet(ended, holdings, "en", made_at=fair.now))

    shown = "They were never available." if until is None else f"{until:%Y-%m-%d %H:%M} UTC"
    assert f"Tickets available until{shown}" in text


def test_no_text_of_a_report_escapes_the_catalogue(fair: Fair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "texts_in", lambda _language: Marked())
    monkeypatch.setattr(rendering, "visible", lambda text: f"{BEGIN}{visible(text)}{END}")
    announced = {"entropy": "announced", "source": "dice", "value": "6"}
    for source in (announced, {"entropy": "secrets"}, {"entropy": "drand-quicknet"}):
        raffle, _ = fair.drawn(13, claim_days=None, **source)
        # The first prize passes on, the second one lapses.
        for number in fair.numbers(raffle)[:2]:
            fair.engine.forfeit(raffle.id, number, why="unclaimed")
        holdings = fair.engine.holdings(raffle.id)
        # An audit now finds all dates in the future.
        fair.now -= timedelta(days=3)

        for html in (
            fair.certificate(raffle, "xx"),
            fair.certificate(raffle, "xx", address=None),
            winner_list(raffle, holdings, "xx", made_at=fair.now, owners={}, address=ADDRESS),
            winner_list(raffle, holdings, "xx", made_at=fair.now),
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
        winner_list(raffle, holdings, "en", made_at=fair.now),
        return_sheet(raffle, holdings, "en", made_at=fair.now),
    ):
        assert "<script>alert" not in html
        assert "<b>3" not in html
        assert "\u202e" not in html
        assert "\\u202e" in html


@pytest.mark.browser
def test_every_page_of_a_long_winner_list_has_its_header(fair: Fair, new_page: NewPage, tmp_path: Path) -> None:
    raffle, _ = fair.drawn(1_200, prizes=[*(Prize(f"prize {place}") for place in range(50)), Prize("tea", 950)])

    paper = printed(new_page(), winner_list(raffle, fair.engine.holdings(raffle.id), "en", made_at=fair.now), tmp_path)

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
