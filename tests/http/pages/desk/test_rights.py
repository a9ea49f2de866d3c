"""Who sees the desk, and what a desk pass lets one do there."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.http.pages.desk import DESK_PAGES
from tests.http.conftest import Clock
from tests.http.pages.conftest import BROWSER, FORM, Show
from tests.http.pages.desk.conftest import Ask, Drawn

STRANGER = "203.0.113.9"
PAGES = [path for path in DESK_PAGES if path.startswith("/desk/") and hasattr(DESK_PAGES[path], "on_get")]
FORMS = [path for path in DESK_PAGES if hasattr(DESK_PAGES[path], "on_post")]
FOR_ALL = ("/desk/", "/desk/raffles/{raffle_id}/", "winners/", "queue/", "/desk/pass/")
ALSO_FOR = {"redeem": ("redeem/",), "sell": ("tickets/",)}


def path_of(template: str, raffle: str) -> str:
    return template.format(raffle_id=raffle.strip("/").split("/")[1])


@pytest.mark.parametrize("may", ["redeem", "sell", "manage"])
def test_a_pass_opens_the_pages_of_its_rights(ask: Ask, drawn: Drawn, may: str) -> None:
    for template in PAGES:
        is_open = may == "manage" or template.endswith(tuple(ALSO_FOR[may])) or template in FOR_ALL[:2]
        is_open = is_open or template.endswith(FOR_ALL[2:])
        page = ask(path_of(template, drawn.path), may=may)
        assert page.status_code == (200 if is_open else 403), template
        assert page.headers["Cache-Control"] == "no-store", template
        if not is_open:
            assert f"“{may}”" in page.text
            assert "This needs another desk pass" in page.text


def test_buttons_that_a_pass_may_not_use_are_not_shown(ask: Ask, drawn: Drawn) -> None:
    desk = f"/desk{drawn.path}"
    linked = {may: set(re.findall(rf'href="{desk}(\w+)/"', ask(desk, may=may).text)) for may in ("redeem", "manage")}

    assert linked == {
        "redeem": {"redeem", "winners", "queue"},
        "manage": {"redeem", "winners", "queue", "forfeit", "unclaimed"},
    }
    assert "/desk/new/" not in ask("/desk/", may="redeem").text


def test_only_who_may_redeem_is_led_from_a_ticket_to_its_prize(ask: Ask, drawn: Drawn) -> None:
    led = {may: "Hand its prize out" in ask(drawn.path, may=may).text for may in ("sell", "redeem", "manage", None)}

    assert led == {"sell": False, "redeem": True, "manage": True, None: False}


def test_others_see_nothing_of_the_desk(ask: Ask, drawn: Drawn) -> None:
    for template in PAGES:
        page = ask(path_of(template, drawn.path), source=STRANGER)
        assert page.status_code == 403, template
        assert "/desk/" not in page.text
    for path in ("/raffles/", drawn.path):
        assert "/desk/" not in ask(path, source=STRANGER).text
        assert "/desk/" not in ask(path, may=None).text
        assert "/desk/" in ask(path).text


@pytest.mark.parametrize("headers", [{"Origin": ""}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("template", FORMS)
def test_forms_of_other_sites_are_refused(
    client: testing.TestClient, raffle: str, template: str, headers: dict[str, str]
) -> None:
    answer = client.simulate_post(
        path_of(template, raffle), headers=FORM | headers, body="name=x", remote_addr="198.51.100.7"
    )

    assert answer.status_code == 403
    assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.text


def test_a_pass_becomes_a_cookie_that_scripts_cannot_read(engine: RaffleEngine, submit: Show) -> None:
    made = engine.passes.make("Ann", may="redeem", lasts=timedelta(hours=12))

    taken = submit("/desk/pass/", {"token": f" {made.token} "})
    [cookie] = SimpleCookie(taken.headers["Set-Cookie"]).values()

    assert (taken.status_code, taken.headers["Location"]) == (303, "/desk/")
    assert (cookie.key, cookie.value, cookie["path"]) == ("rafflekit_pass", made.token, "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")
    assert cookie["expires"] == f"{made.desk_pass.expires_at:%a, %d %b %Y %H:%M:%S} GMT"


def test_over_https_the_cookie_stays_there(client: testing.TestClient, engine: RaffleEngine) -> None:
    token = engine.passes.make("Ann", may="redeem", lasts=timedelta(hours=12)).token

    taken = client.simulate_post(
        "/desk/pass/",
        headers=FORM | {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"},
        body=f"token={token}",
        remote_addr="10.0.0.1",
    )

    assert "; Secure" in taken.headers["Set-Cookie"]


@pytest.mark.parametrize("what", ["wrong", "expired", "revoked"])
def test_a_pass_that_is_not_valid_is_refused(engine: RaffleEngine, submit: Show, clock: Clock, what: str) -> None:
    token = engine.passes.make("Ann", may="redeem", lasts=timedelta(hours=1)).token
    if what == "expired":
        clock.advance(hours=1)
    elif what == "revoked":
        engine.passes.revoke("Ann")

    answer = submit("/desk/pass/", {"token": token[:-1] if what == "wrong" else token})

    assert answer.status_code == 400
    assert "not known here, or it has expired or been revoked" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert token[:-1] not in answer.text


def test_leaving_the_desk_clears_the_cookie(ask: Ask, submit: Show) -> None:
    assert "You use the desk pass of <bdi>sell</bdi>." in ask("/desk/", may="sell").text

    left = submit("/desk/leave/")

    [cookie] = SimpleCookie(left.headers["Set-Cookie"]).values()
    assert (cookie.value, cookie["path"]) == ("", "/")
    assert parsedate_to_datetime(cookie["expires"]) < datetime.now(UTC)
    assert left.headers["Location"] == "/desk/pass/?done=left"
    assert "This device no longer uses a desk pass." in ask("/desk/pass/?done=left", may=None).text
    assert "This device no longer uses a desk pass." not in ask("/desk/pass/?done=left").text


def test_a_ticket_of_the_desk_leads_back_to_the_desk(ask: Ask, submit: Show, engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=3, prizes=[Prize("hug")]).id
    fields = {"at_desk": "true", "participant": "ann@example.org", "idempotency_key": "k" * 16}

    at_desk = ask(f"/raffles/{raffle}/participate/", fields).text
    own = submit(f"/raffles/{raffle}/participate/", {"idempotency_key": "l" * 16}).text

    assert 'class="to-desk"' in at_desk
    assert f'<a class="button" href="/desk/raffles/{raffle}/">' in at_desk
    assert f'href="/raffles/{raffle}/">' not in at_desk
    assert "/desk/" not in own


def test_a_named_person_gets_one_ticket(ask: Ask, engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=3, prizes=[Prize("hug")], entry="desk").id
    fields = {"at_desk": "true", "participant": "ann@example.org", "idempotency_key": "k" * 16}
    path = f"/raffles/{raffle}/participate/"

    assert ask(path, fields, may="redeem").status_code == 403
    twice = [ask(path, fields, may="sell") for _ in range(2)]
    nameless = ask(path, fields | {"participant": " "}, may="sell")

    assert {answer.status_code for answer in twice} == {201}
    assert (nameless.status_code, '<a href="#participant">' in nameless.text) == (400, True)
    assert engine.get(raffle).issued == 1


def test_without_a_pass_the_desk_says_what_to_do(client: testing.TestClient, ask: Ask) -> None:
    page = ask("/desk/", may=None)

    assert page.status_code == 403
    assert "You need a desk pass" in page.text
    assert "Authorization" not in page.text
    assert 'href="/desk/"' not in ask("/desk/pass/", may=None).text
    assert client.simulate_get("/desk/", headers=BROWSER, remote_addr="198.51.100.7").status_code == 200
