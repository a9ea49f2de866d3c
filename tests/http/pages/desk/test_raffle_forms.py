"""The forms in which raffles are written at the desk: what is read, what is refused, and what is asked first."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from rafflekit import Prize, RaffleEngine
from tests.http.pages.conftest import Show
from tests.http.pages.desk.conftest import Make, hidden_fields

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
        ({"name": " "}, "name", "“Name of the raffle” is missing."),
        ({"total_tickets": "many"}, "total_tickets", "“Number of tickets” must be a whole number, in digits."),
        ({"total_tickets": "2"}, "prizes", "Too many prizes: 6 for 2 tickets."),
        ({"total_tickets": "9" * 5000}, "total_tickets", "“Number of tickets” must be at most 1,000,000,000,000."),
        ({"tickets_each": "0"}, "tickets_each", "“Tickets for each person” must be at least 1."),
        ({"prizes": "tea: -1"}, "prizes", "has no whole number after its last colon"),
        ({"closes_at": "tomorrow"}, "closes_at", "“Last ticket” must be a date and a time"),
        ({"closes_at_offset": "+99:00"}, "closes_at", "“Last ticket” must be a date and a time"),
        ({"closes_at_offset": "skipped"}, "closes_at", "“Last ticket” does not exist: on that day, the clocks are put"),
        ({"closes_at": "2020-01-01T00:00"}, "closes_at", "“Last ticket” must be after the moment when"),
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


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        (dict.fromkeys(("name", "total_tickets", "prizes"), ""), "name total_tickets prizes"),
        (
            {"name": "n" * 257, "tickets_each": "0", "entropy": "announced", "source": "", "claim_days": "0"}
            | {"opens_at": "2999-01-01T00:00", "closes_at": "2998-01-01T00:00", "draw_at": "2020-01-01T00:00"}
            | {"price": "£1"},
            "name tickets_each source closes_at draw_at claim_days promoter",
        ),
        ({"prizes": "1.5 × wine", "tickets_each": "2000", "claim_days": "9" * 38}, "prizes tickets_each claim_days"),
        ({"price": "£1", "total_tickets": "1"}, "prizes draw_at promoter"),
        ({"entropy": "luck", "delay_s": "x", "entry": "all"}, "entry entropy"),
    ],
)
def test_all_mistakes_of_a_form_are_shown_at_once(
    submit: Show, show: Show, make: Make, changed: dict[str, str], fields: str
) -> None:
    edit = f"/desk/raffles/{make()}/edit/"
    shown = hidden_fields(show(edit).text)["shown"]

    for path in ("/desk/new/", "/raffles/", edit):
        page = submit(path, FIELDS | changed | {"shown": shown})

        assert re.findall(r'<a href="#(\w+)">', page.text) == fields.split(), path


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


def test_a_doubtful_amount_is_saved_only_the_second_time(
    engine: RaffleEngine, show: Show, submit: Show, make: Make
) -> None:
    raffle = make()
    path = f"/desk/raffles/{raffle}/edit/"
    fields = {"name": "Fair", "total_tickets": "50", "prizes": "Time: 10:30"}

    first = submit(path, fields | hidden_fields(show(path).text))
    assert (first.status_code, "30 was read as the amount in" in first.text) == (400, True)
    assert submit(path, fields | hidden_fields(first.text)).status_code == 303

    assert engine.get(raffle).prizes == (Prize("Time: 10", 30),)
    kept = fields | {"prizes": "Time: 10: 30", "name": "Fête"} | hidden_fields(show(path).text)
    assert submit(path, kept).status_code == 303
