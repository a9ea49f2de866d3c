"""Creating, changing, closing, cancelling and drawing raffles at the desk."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from rafflekit import Prize, RaffleEngine
from tests.http.conftest import Clock
from tests.http.pages.conftest import Show

FIELDS = {
    "name": "Summer <fair>",
    "total_tickets": "1,000",
    "prizes": "3 × hamper\nwarm hug: 2\n\ntea",
    "entry": "desk",
    "closes_at": "2023-12-24T18:00",
    "closes_at_offset": "+01:00",
    "collection": "at the bar",
    # Of another source: it does not count.
    "source": "dice",
}
Make = Callable[..., str]


@pytest.fixture
def make(engine: RaffleEngine) -> Make:
    """Create a raffle with these options, hand out tickets and return its id: `make(tickets=0, **options)`."""

    def create(*, tickets: int = 0, **options: Any) -> str:
        raffle = engine.create("Fair", total_tickets=3, prizes=[Prize("hug")], **options).id
        for n in range(tickets):
            engine.participate(raffle, f"p{n}")
        return str(raffle)

    return create


def hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(text) for name, text in found}


def test_a_raffle_is_checked_and_then_created_once(engine: RaffleEngine, show: Show, submit: Show) -> None:
    key = hidden_fields(show("/desk/new/").text)["idempotency_key"]

    checked = submit("/desk/new/", FIELDS | {"idempotency_key": key})
    assert checked.status_code == 200
    assert engine.list().count == 0
    for part in ("<bdi>Summer &lt;fair&gt;</bdi>", "3 ×", "<bdi>hamper</bdi>", "2023-12-24 17:00 UTC", "at the bar"):
        assert part in checked.text

    answers = [submit("/raffles/", hidden_fields(checked.text)) for _ in range(2)]

    [raffle] = engine.list().items
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (303, f"/desk/raffles/{raffle.id}/?done=created")
    }
    terms = raffle.terms
    assert terms.prizes == (Prize("hamper", 3), Prize("warm hug", 2), Prize("tea", 1))
    assert (terms.total_tickets, terms.entry, terms.collection) == (1000, "desk", "at the bar")
    assert (terms.closes_at, terms.source) == (datetime(2023, 12, 24, 17, tzinfo=UTC), None)
    desk = show(f"/desk/raffles/{raffle.id}/?done=created").text
    for page in ("", "poster/", "live/"):
        assert f'href="/raffles/{raffle.id}/{page}"' in desk


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": " "}, "name", "Name of the raffle is missing."),
        ({"total_tickets": "many"}, "total_tickets", "Number of tickets must be a whole number, in digits."),
        ({"total_tickets": "2"}, "prizes", "Too many prizes: 6 for 2 tickets."),
        ({"prizes": "tea: -1"}, "prizes", "has no whole number after its last colon"),
        ({"closes_at": "tomorrow"}, "closes_at", "Last ticket must be a date and a time"),
        ({"closes_at_offset": "+99:00"}, "closes_at", "Last ticket must be a date and a time"),
        ({"closes_at": "2020-01-01T00:00"}, "closes_at", "Last ticket must be after the moment when"),
        ({"price": "£1"}, "promoter", "is missing: a raffle with a price must name its promoter."),
    ],
)
@pytest.mark.parametrize("path", ["/desk/new/", "/raffles/"])
def test_a_mistake_is_shown_and_the_input_kept(
    submit: Show, path: str, changed: dict[str, str], field: str, sentence: str
) -> None:
    page = submit(path, FIELDS | changed)

    assert page.status_code == 400
    text = unescape(page.text)
    assert f'<a href="#{field}">' in text
    assert text.count(sentence) == 2
    assert re.search(rf'aria-describedby="[^"]*{field}-error" aria-invalid="true"', text)
    for name, typed in (FIELDS | changed).items():
        assert typed in text, name


def test_all_mistakes_of_a_form_are_shown_at_once(submit: Show) -> None:
    page = submit("/desk/new/", {})

    assert re.findall(r'<a href="#(\w+)">', page.text) == ["name", "total_tickets", "prizes"]


def test_only_what_was_edited_changes(engine: RaffleEngine, show: Show, submit: Show, make: Make) -> None:
    raffle = make(claim_days=3, closes_at=datetime(2023, 12, 24, 17, 0, 5, tzinfo=UTC))
    page = show(f"/desk/raffles/{raffle}/edit/").text
    assert 'value="2023-12-24T17:00:05"' in page

    before = engine.get(raffle).terms
    fields = {"name": "Fête", "total_tickets": "3", "prizes": "hug: 1", "claim_days": ""}
    fields["shown"] = hidden_fields(page)["shown"]
    answer = submit(f"/desk/raffles/{raffle}/edit/", fields | {"closes_at": "2023-12-24T17:00:05"})

    assert answer.headers["Location"] == f"/desk/raffles/{raffle}/?done=changed"
    after = engine.get(raffle).terms
    assert (after.name, after.claim_days, after.closes_at) == ("Fête", None, before.closes_at)


def test_a_stale_form_reverts_nothing_unasked(engine: RaffleEngine, show: Show, submit: Show, make: Make) -> None:
    raffle = make()
    path = f"/desk/raffles/{raffle}/edit/"
    fields = {"name": "Fête", "total_tickets": "3", "prizes": "hug", **hidden_fields(show(path).text)}
    engine.change(raffle, prizes=[Prize("kiss", 2)])

    stale = submit(path, fields)

    assert (stale.status_code, "The raffle was changed meanwhile" in stale.text) == (409, True)
    assert "<bdi>kiss</bdi>" in stale.text
    assert 'value="Fête"' in stale.text
    assert (engine.get(raffle).name, engine.get(raffle).prizes) == ("Fair", (Prize("kiss", 2),))

    saved = submit(path, fields | hidden_fields(stale.text))
    assert saved.status_code == 303
    assert (engine.get(raffle).name, engine.get(raffle).prizes) == ("Fête", (Prize("hug"),))


def test_a_form_that_is_changed_afterwards_makes_a_second(engine: RaffleEngine, show: Show, submit: Show) -> None:
    first = FIELDS | {"idempotency_key": hidden_fields(show("/desk/new/").text)["idempotency_key"]}
    submit("/raffles/", first)
    [raffle] = engine.list().items

    refused = submit("/raffles/", first | {"name": "Winter fair"})

    assert (refused.status_code, "has already created a raffle" in refused.text) == (409, True)
    assert f'href="/desk/raffles/{raffle.id}/"' in refused.text
    assert engine.list().count == 1
    assert submit("/raffles/", first | hidden_fields(refused.text) | {"name": "Winter fair"}).status_code == 303
    assert [each.name for each in engine.list().items] == ["Winter fair", "Summer <fair>"]


def test_an_amount_that_may_be_a_name_is_pointed_out(submit: Show) -> None:
    checked = submit("/desk/new/", FIELDS | {"prizes": "Dinner at 19:30\nhug: 2"}).text

    assert "30 was read as the amount in “<bdi>Dinner at 19:30</bdi>”." in checked
    assert checked.count("was read as") == 1


def test_only_what_was_done_is_announced(show: Show, make: Make) -> None:
    desk = f"/desk/raffles/{make()}/"

    assert "The raffle is closed." in show(f"{desk}?done=closed").text
    assert 'id="done"' not in show(f"{desk}?done=anything").text
    assert 'id="done"' not in show(f"{desk}?done=left").text


def test_after_the_first_ticket_the_form_refuses(show: Show, submit: Show, make: Make) -> None:
    raffle = make(tickets=1)

    page = show(f"/desk/raffles/{raffle}/edit/").text
    assert "The terms are final: 1 ticket has been handed out." in page
    answer = submit(f"/desk/raffles/{raffle}/edit/", FIELDS | {"shown": hidden_fields(page)["shown"]})

    assert answer.status_code == 409
    assert answer.text.count("The terms are final") == 1
    assert "Summer &lt;fair&gt;" in answer.text


def test_closing_and_cancelling_lead_back_to_the_desk(engine: RaffleEngine, submit: Show, make: Make) -> None:
    empty, raffle = make(), make(tickets=1)

    refused = submit(f"/raffles/{empty}/close/")
    assert (refused.status_code, "1 prize, 0 tickets" in refused.text) == (409, True)
    assert submit(f"/raffles/{raffle}/close/").headers["Location"] == f"/desk/raffles/{raffle}/?done=closed"

    refused = submit(f"/raffles/{raffle}/cancel/", {"reason": " "})
    assert (refused.status_code, "Reason, for everyone to read must not be empty." in refused.text) == (400, True)
    cancelled = submit(f"/raffles/{raffle}/cancel/", {"reason": "rain"})
    assert cancelled.headers["Location"] == f"/desk/raffles/{raffle}/?done=cancelled"
    assert engine.get(raffle).state == "cancelled"


def test_a_draw_needs_the_raffles_name(engine: RaffleEngine, submit: Show, make: Make) -> None:
    raffle = make(tickets=3, entropy="announced", source="dice on stage")

    wrong = submit(f"/raffles/{raffle}/winners/", {"confirm": "Fare", "value": "1 2 3"})
    assert (wrong.status_code, 'value="1 2 3"' in wrong.text) == (400, True)
    missing = submit(f"/raffles/{raffle}/winners/", {"confirm": "fair"})
    assert (missing.status_code, '<a href="#value">' in missing.text) == (400, True)
    assert not engine.get(raffle).winners_drawn

    drawn = submit(f"/raffles/{raffle}/winners/", {"confirm": " fair ", "value": " 1  2 3 "})

    assert drawn.headers["Location"] == f"/desk/raffles/{raffle}/?done=drawn"
    assert engine.get(raffle).winners_drawn
    again = submit(f"/raffles/{raffle}/winners/", {"confirm": "fair", "value": "1 2 3"})
    assert "have already been drawn" in again.text


def test_before_its_beacon_a_draw_is_too_early(show: Show, submit: Show, make: Make, clock: Clock) -> None:
    raffle = make(tickets=3, entropy="drand-quicknet")

    early = submit(f"/raffles/{raffle}/winners/", {"confirm": "Fair"})

    assert early.status_code == 403
    assert "has not been published yet" in early.text
    assert "data-countdown" in early.text
    clock.advance(minutes=5)
    assert "data-countdown" in show(f"/desk/raffles/{raffle}/draw/").text


def test_invitations_are_cards_or_a_file(engine: RaffleEngine, submit: Show, make: Make) -> None:
    raffle = make(entry="invitation")
    codes = engine.invitations(raffle, 2, first=5)

    cards = submit(f"/desk/raffles/{raffle}/invitations/", {"first": "5", "count": "2"})
    file = submit(f"/desk/raffles/{raffle}/invitations/", {"first": "5", "count": "2", "as_file": "true"})
    refused = submit(f"/desk/raffles/{raffle}/invitations/", {"first": "1", "count": "201"})

    assert cards.text.count("<svg") == 2
    assert all(code in cards.text for code in codes)
    assert file.headers["Content-Disposition"] == 'attachment; filename="invitations.csv"'
    assert file.headers["Cache-Control"] == "no-store"
    assert file.text.splitlines()[1] == f"5,{codes[0]},http://127.0.0.1:8080/raffles/{raffle}/#i={codes[0]}"
    assert (refused.status_code, 'value="201"' in refused.text) == (400, True)


def test_no_page_has_a_text_of_people_as_markup(show: Show, engine: RaffleEngine) -> None:
    name = "<script>alert(1)</script>\u202e"
    raffle = engine.create(name, total_tickets=1, prizes=[Prize(name)], note=name, promoter=name).id

    for page in ("", "edit/", "close/", "cancel/", "draw/", "tickets/"):
        text = show(f"/desk/raffles/{raffle}/{page}").text
        assert "<script>alert" not in text
        assert page == "edit/" or "\u202e" not in text
