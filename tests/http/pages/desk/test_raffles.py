"""Raffles at the desk: what can be done in each state, closing, cancelling, drawing and inviting."""

import re
from html import unescape
from typing import Any, NoReturn

import pytest

from rafflekit import Prize, RaffleEngine, StorageUnavailable
from tests.http.conftest import Clock
from tests.http.pages.conftest import Show
from tests.http.pages.desk.conftest import InState, Make, hidden_fields
from tests.http.pages.desk.test_raffle_forms import FIELDS


@pytest.mark.parametrize(
    ("state", "announced"),
    [
        ("upcoming", {"created", "changed"}),
        ("open", {"created", "changed"}),
        ("closed", {"closed"}),
        ("drawn", {"drawn", "none_passed_on"}),
        ("cancelled", {"cancelled"}),
    ],
)
def test_only_what_can_have_been_done_is_announced(
    show: Show, in_state: InState, state: str, announced: set[str]
) -> None:
    desk = f"/desk/raffles/{in_state(state)}/"
    passed = ("passed_on", "lapsed", "all_passed_on", "none_passed_on")
    said = ("created", "changed", "closed", "cancelled", "drawn", "anything", "left", *passed)

    assert {done for done in said if 'id="done"' in show(f"{desk}?done={done}").text} == announced


def test_a_prize_that_passed_on_counts_once(engine: RaffleEngine, show: Show, make: Make) -> None:
    raffle = make(tickets=3, prizes=[Prize("hug", 2)])
    first = engine.draw(raffle)[0].ticket_number
    engine.forfeit(raffle, first, why="unclaimed")

    desk = show(f"/desk/raffles/{raffle}/?done=passed_on").text

    assert "The prize passed on to the next ticket." in desk
    assert "<strong>2</strong> of 2 prizes still to hand out" in desk


def test_lists_keep_their_query_from_page_to_page(engine: RaffleEngine, show: Show, make: Make) -> None:
    raffle = make(tickets=3)
    engine.draw(raffle)
    make(tickets=3), make()

    raffles = show("/desk/?state=closed&page_size=1").text
    assert f'href="/desk/raffles/{raffle}/"' not in raffles
    assert raffles.count('class="title"') == 1
    assert 'href="?page_size=1&amp;page=2"' in show("/desk/?page_size=1").text
    desk = f"/desk/raffles/{raffle}/"
    assert 'href="?page_size=1&amp;page=2"' in show(f"{desk}queue/?page_size=1").text
    assert 'href="?unredeemed=true&page_size=1"' in show(f"{desk}winners/?page_size=1").text


@pytest.mark.parametrize(
    ("state", "actions", "sentence"),
    [
        ("upcoming", "tickets", "not open yet"),
        ("upcoming", "draw", "not closed yet"),
        ("open", "draw", "not closed yet"),
        ("open", "edit", "The terms are final"),
        ("open", "invitations", "need no invitation"),
        ("open", "redeem forfeit unclaimed winners queue", "have not been drawn yet"),
        ("closed", "close tickets", "is closed"),
        ("drawn", "edit tickets close cancel draw", "have already been drawn"),
        ("drawn", "unclaimed", "no deadline"),
        ("cancelled", "edit tickets close cancel draw redeem forfeit unclaimed winners queue", "is called off"),
    ],
)
def test_a_page_says_why_its_action_is_impossible(
    show: Show, in_state: InState, state: str, actions: str, sentence: str
) -> None:
    raffle = in_state(state)
    for action in actions.split():
        page = show(f"/desk/raffles/{raffle}/{action}/")
        assert page.status_code == 200
        assert sentence in unescape(page.text), action
        assert "<form" not in page.text
        assert page.text.count(f'href="/desk/raffles/{raffle}/"') == 2


@pytest.mark.parametrize(
    ("state", "path", "fields"),
    [
        ("open", "/desk/raffles/{}/edit/", FIELDS),
        ("open", "/raffles/{}/winners/", {"confirm": "Fair"}),
        ("closed", "/raffles/{}/participate/", {"at_desk": "true", "participant": "x", "idempotency_key": "k" * 16}),
        ("closed", "/raffles/{}/close/", {}),
        ("drawn", "/raffles/{}/cancel/", {"reason": "rain"}),
        ("drawn", "/raffles/{}/winners/", {"confirm": "Fair"}),
        ("cancelled", "/raffles/{}/redeem/", {"ticket_number": "1", "verification_code": "A" * 24}),
    ],
)
def test_a_form_that_comes_too_late_is_not_shown_again(
    submit: Show, in_state: InState, state: str, path: str, fields: dict[str, str]
) -> None:
    raffle = in_state(state)

    late = submit(path.format(raffle), fields)

    assert late.status_code == 409
    assert "<form" not in late.text
    assert f'href="/desk/raffles/{raffle}/"' in late.text


@pytest.mark.parametrize("tickets", [0, 1])
def test_a_raffle_without_enough_tickets_leads_to_a_way_out(
    show: Show, submit: Show, make: Make, clock: Clock, tickets: int
) -> None:
    raffle = make(tickets=tickets, prizes=[Prize("hug", 2)], closes_at=clock.later(hours=1))
    clock.advance(hours=2)

    desk = show(f"/desk/raffles/{raffle}/").text
    assert "This raffle cannot be drawn." in desk
    assert f'href="/desk/raffles/{raffle}/cancel/"' in desk
    assert (f'href="/desk/raffles/{raffle}/edit/"' in desk) is (tickets == 0)
    assert not re.search(r'href="[^"]*/(draw|close)/"', desk + show("/desk/").text)
    for answer in (
        show(f"/desk/raffles/{raffle}/draw/"),
        show(f"/desk/raffles/{raffle}/close/"),
        submit(f"/raffles/{raffle}/winners/", {"confirm": "Fair"}),
    ):
        assert "there are more prizes than tickets" in answer.text
        assert "<form" not in answer.text
    public = show(f"/raffles/{raffle}/").text
    assert "The draw cannot take place: there are more prizes than tickets." in public
    assert "The draw can begin." not in public
    assert "<dt>Draw</dt>" not in public


def test_a_called_off_raffle_offers_nothing(show: Show, in_state: InState) -> None:
    assert "What you can do now" in show(f"/desk/raffles/{in_state('open')}/").text
    assert "What you can do now" not in show(f"/desk/raffles/{in_state('cancelled')}/").text


@pytest.mark.parametrize("ending", ["close", "cancel"])
def test_after_an_ending_nothing_can_fail(
    engine: RaffleEngine, submit: Show, make: Make, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    raffle = make(tickets=1)
    write = engine._database.write

    def fail(*_: object) -> NoReturn:
        raise StorageUnavailable

    def write_and_lose_the_database(*of: Any) -> Any:
        done = write(*of)
        for name in ("read", "query", "fetch", "write"):
            monkeypatch.setattr(engine._database, name, fail)
        return done

    monkeypatch.setattr(engine._database, "write", write_and_lose_the_database)

    assert submit(f"/raffles/{raffle}/{ending}/", {"reason": "rain"}).status_code == 303


def test_closing_and_cancelling_lead_back_to_the_desk(engine: RaffleEngine, submit: Show, make: Make) -> None:
    empty, raffle = make(), make(tickets=1)

    refused = submit(f"/raffles/{empty}/close/")
    assert (refused.status_code, "1 prize, 0 tickets" in refused.text) == (409, True)
    assert submit(f"/raffles/{raffle}/close/").headers["Location"] == f"/desk/raffles/{raffle}/?done=closed"

    refused = submit(f"/raffles/{raffle}/cancel/", {"reason": " "})
    assert (refused.status_code, "“Reason, for everyone to read” must not be empty." in refused.text) == (400, True)
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


def test_the_value_that_decides_is_seen_before_a_draw(
    engine: RaffleEngine, show: Show, submit: Show, make: Make
) -> None:
    raffle = make(tickets=3, entropy="announced", source="dice on stage")
    desk, draw = f"/desk/raffles/{raffle}/draw/", f"/raffles/{raffle}/winners/"
    assert 'name="confirm"' not in show(desk).text

    missing = submit(desk, {"value": " "})
    assert (missing.status_code, '<a href="#value">' in missing.text) == (400, True)
    looked = submit(desk, {"value": " ３  17\t22\u200b "})
    assert '<p class="deciding"><bdi>3 17 22</bdi></p>' in looked.text
    assert 'name="confirm"' in looked.text
    again = submit(desk, hidden_fields(looked.text) | {"again": "1"})
    assert 'name="value" type="text" value="3 17 22"' in again.text
    assert not engine.get(raffle).winners_drawn

    assert "deciding" in submit(draw, hidden_fields(looked.text) | {"confirm": "Fare"}).text
    assert submit(draw, hidden_fields(looked.text) | {"confirm": "Fair"}).status_code == 303
    assert engine.proofs.proof(engine.get(raffle).id).entropy.value == b"3 17 22"


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

    path, fields, asked = f"/desk/raffles/{raffle}/invitations/", {"first": "5", "count": "2"}, {"Host": "203.0.113.5"}
    origin = asked | {"Origin": "http://203.0.113.5"}

    cards = submit(path, fields, headers=origin)
    file = submit(path, fields | {"as_file": "true"}, headers=origin)
    refused = submit(path, {"first": "1", "count": "201"})

    assert cards.text.count('class="qr"') == 2
    assert cards.headers["Cache-Control"] == "no-store"
    # On paper, a code is in two lines.
    assert all(f"{code[:15]}<br>{code[15:]}" in cards.text for code in codes)
    assert file.headers["Content-Disposition"] == 'attachment; filename="invitations.csv"'
    assert file.headers["Cache-Control"] == "no-store"
    assert file.text.splitlines()[1] == f"5,{codes[0]},http://203.0.113.5/raffles/{raffle}/#i={codes[0]}"
    assert (refused.status_code, 'value="201"' in refused.text) == (400, True)


def test_no_invitation_leads_to_an_address_of_this_machine(
    engine: RaffleEngine, show: Show, submit: Show, make: Make
) -> None:
    raffle = make(entry="invitation")
    [code] = engine.invitations(raffle, 1)
    path = f"/desk/raffles/{raffle}/invitations/"

    asked, cards = show(path), submit(path, {"first": "1", "count": "1"})
    file = submit(path, {"first": "1", "count": "1", "as_file": "true"})

    for page in (asked, cards):
        assert "Phones cannot open this address" in page.text
        assert 'class="qr"' not in page.text
    assert f"{code[:15]}<br>{code[15:]}" in cards.text
    assert file.text.splitlines() == ["\ufeffnumber,invitation", f"1,{code}"]


def test_no_page_has_a_text_of_people_as_markup(show: Show, engine: RaffleEngine) -> None:
    name = "<script>alert(1)</script>\u202e"
    raffle = engine.create(name, total_tickets=1, prizes=[Prize(name)], note=name, promoter=name).id

    for page in ("", "edit/", "close/", "cancel/", "draw/", "tickets/"):
        text = show(f"/desk/raffles/{raffle}/{page}").text
        assert "<script>alert" not in text
        assert page == "edit/" or "\u202e" not in text
