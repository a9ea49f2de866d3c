"""The pages of a ticket: it is shown once, its code goes nowhere else, and later it says what it won."""

import html
import json
import re
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.core.errors import StorageUnavailable
from rafflekit.http.api import draws
from rafflekit.http.monitoring.log_lines import Log
from tests.http.conftest import MANAGER, Post
from tests.http.pages.conftest import FORM, Show
from tests.http.pages.test_raffle_pages import LATER, create, take, words_in

ANN, BEN = "192.0.2.1", "192.0.2.2"
TICKET = ("ticket_number", "verification_code")
KEY = {"idempotency_key": "a-key-of-the-page"}


def document_of(page: testing.Result) -> dict[str, Any]:
    [text] = re.findall(r'<pre id="document">(.*?)</pre>', page.text, re.DOTALL)
    found: dict[str, Any] = json.loads(html.unescape(text))
    return found


def test_a_form_gets_a_ticket_and_a_reload_the_same(post: Post, submit: Show) -> None:
    raffle = create(post)

    pages = [submit(f"{raffle}participate/", KEY, source=ANN) for _ in range(2)]

    assert [page.status_code for page in pages] == [201, 201]
    first, second = map(document_of, pages)
    assert (first["ticket_number"], first["verification_code"]) == (
        second["ticket_number"],
        second["verification_code"],
    )
    assert f"Your ticket {first['ticket_number']} Verification code {first['verification_code']}" in words_in(pages[0])
    assert first["receipt"]["leaf"]["ticket_number"] == first["ticket_number"]
    assert pages[0].headers["Cache-Control"] == "no-store"


def test_the_ticket_can_be_saved_without_a_script(post: Post, submit: Show) -> None:
    raffle = create(post)
    page = submit(f"{raffle}participate/", KEY, source=ANN)

    [link] = re.findall(r'download="ticket.json" href="data:application/json;charset=utf-8,([^"]+)"', page.text)
    assert json.loads(unquote(html.unescape(link))) == document_of(page)


def test_get_at_the_addresses_of_forms_leads_to_the_raffle(post: Post, show: Show) -> None:
    raffle = create(post)

    for path in ("participate", "verify-ticket"):
        page = show(f"{raffle}{path}/")
        assert (page.status_code, page.headers["Location"]) == (303, raffle)


@pytest.mark.parametrize(
    "case",
    [
        ({}, (1, 2, 3), 410, "There are no tickets left"),
        ({}, (9,), 403, "You already have a ticket of this raffle"),
        ({"entry": "invitation"}, (), 403, "A valid invitation code is needed"),
        ({"entry": "desk"}, (), 403, "The organisers hand out the tickets themselves"),
        ({"opens_at": LATER}, (), 403, "This raffle is not open yet"),
        ({"total_tickets": 2}, (), 410, "This raffle was called off"),
    ],
)
def test_a_refusal_is_explained_on_the_page_of_the_raffle(
    post: Post, submit: Show, case: tuple[dict[str, Any], tuple[int, ...], int, str]
) -> None:
    terms, guests, status, words = case
    raffle = create(post, **terms)
    take(post, raffle, *guests)
    if "called off" in words:
        post(f"{raffle}cancel/", json={"reason": "rain"})

    page = submit(f"{raffle}participate/", KEY, source="192.0.2.9")

    assert page.status_code == status
    assert words_in(page).startswith(words)
    assert "<title>Error: Fair</title>" in page.text
    assert 'id="problem" tabindex="-1" autofocus' in page.text


def test_a_raffle_that_closed_early_is_not_called_sold_out(post: Post, submit: Show) -> None:
    raffle = create(post)
    take(post, raffle, 1)
    post(f"{raffle}close/")

    page = submit(f"{raffle}participate/", KEY, source="192.0.2.9")

    assert page.status_code == 410
    assert words_in(page).startswith("The raffle is closed You did not get a ticket: no more are handed out.")
    assert "no tickets left" not in page.text


def test_a_wrong_invitation_stays_in_its_field(engine: RaffleEngine, post: Post, submit: Show) -> None:
    raffle = create(post, entry="invitation")
    wrong = submit(f"{raffle}participate/", KEY | {"invitation": '"><b>'}, source=ANN)
    [code] = engine.invitations(raffle.split("/")[2], 1)

    right = submit(f"{raffle}participate/", KEY | {"invitation": code.lower()}, source=ANN)

    assert wrong.status_code == 403
    assert 'value="&#34;&gt;&lt;b&gt;"' in wrong.text
    assert 'aria-invalid="true" aria-describedby="invitation-error invitation-hint"' in wrong.text
    assert right.status_code == 201


def test_a_cancelled_raffle_says_that_nothing_is_drawn(post: Post, show: Show, submit: Show) -> None:
    raffle = create(post)
    ticket = post(f"{raffle}participate/", source=ANN).json
    post(f"{raffle}cancel/", json={"reason": "rain"})

    result = submit(f"{raffle}verify-ticket/", {name: ticket[name] for name in TICKET}, source=ANN)

    for page in (result, show(f"{raffle}winners/")):
        assert "There will be no draw. The organiser's reason: rain" in words_in(page)
        assert "have not been drawn yet" not in page.text


@pytest.mark.parametrize(
    ("host", "can_be_scanned"), [("127.0.0.1:8080", False), ("localhost:8080", False), ("192.0.2.7:8080", True)]
)
def test_no_one_is_told_to_scan_what_leads_nowhere(
    client: testing.TestClient, post: Post, host: str, can_be_scanned: bool
) -> None:
    raffle = create(post, entry="desk")
    headers = FORM | {"Host": host, "Origin": f"http://{host}"}
    body = urlencode(KEY | {"at_desk": "true", "participant": "Ann"})

    page = client.simulate_post(f"{raffle}participate/", headers=headers, body=body, remote_addr=MANAGER)

    assert page.status_code == 201
    assert ("let the person scan the QR code" in page.text) is can_be_scanned
    assert (f"The QR codes lead to http://{host}{raffle}." in page.text) is not can_be_scanned


def test_a_ticket_is_told_what_it_won(post: Post, show: Show, submit: Show) -> None:
    raffle = create(post, collection="at the bar", claim_days=1)
    tickets = {}
    for guest in (1, 2, 3):
        ticket = post(f"{raffle}participate/", source=f"192.0.2.{guest}").json
        tickets[ticket["ticket_number"]] = {name: ticket[name] for name in TICKET}

    def said(number: int, status: int = 200) -> str:
        page = submit(f"{raffle}verify-ticket/", tickets[number], source=ANN)
        assert page.status_code == status
        return words_in(page)

    assert "The winners have not been drawn yet" in said(1, status=400)
    [win] = post(f"{raffle}winners/").json
    winner = win["ticket_number"]
    order = [int(number) for number in re.findall(r"Ticket (\d)", words_in(show(f"{raffle}winners/?queue=true")))]

    assert "You won: warm hug Collect it: at the bar Collect it before" in said(winner)
    assert "you are the next in the queue" in said(order[0])
    assert "you are number 2 in the queue" in said(order[1])
    post(f"{raffle}forfeit/", json={"ticket_number": winner, "why": "disqualified", "reason": "never came"})
    assert re.search(r"won a prize \(warm hug\), but lost it .* The organiser's reason: never came", said(winner))
    assert "You won: warm hug" in said(order[0])
    assert "you are the next in the queue" in said(order[1])
    post(f"{raffle}redeem/", json=tickets[order[0]])
    assert re.search("You won: warm hug It was handed out on", said(order[0]))


@pytest.mark.parametrize(
    ("fields", "wrong", "heading"),
    [
        ({"ticket_number": "1", "verification_code": "wrong"}, "verification_code", "was not found"),
        ({"ticket_number": "9" * 30, "verification_code": "wrong"}, "verification_code", "was not found"),
        ({"ticket_number": "1", "verification_code": "X" * 1_000}, "verification_code", "was not found"),
        ({"ticket_number": "1.5", "verification_code": "wrong"}, "ticket_number", "did not work"),
        ({"ticket_number": "seven", "verification_code": " "}, "ticket_number verification_code", "did not work"),
        ({"ticket_number": "1"}, "verification_code", "did not work"),
        ({}, "ticket_number verification_code", "did not work"),
    ],
)
def test_a_wrong_ticket_is_an_error_next_to_its_field(
    post: Post, submit: Show, fields: dict[str, str], wrong: str, heading: str
) -> None:
    raffle = create(post)
    take(post, raffle, 1, 2, 3)
    post(f"{raffle}winners/")

    page = submit(f"{raffle}verify-ticket/", fields, source=ANN)

    assert page.status_code == 400
    assert heading in words_in(page)
    assert re.findall(r'aria-describedby="(\w+)-error', page.text) == wrong.split()
    assert re.findall(r'<a href="#(\w+)">', page.text) == wrong.split()
    assert all(f'value="{value}"' in page.text for value in fields.values())


def test_a_code_appears_only_in_its_own_answer(post: Post, submit: Show, capsys: pytest.CaptureFixture[str]) -> None:
    raffle = create(post, total_tickets=1)
    with Log("json", requests=True).written():
        page = submit(f"{raffle}participate/", KEY, source=ANN)
        ticket = document_of(page)
        post(f"{raffle}winners/")
        fields = {name: ticket[name] for name in TICKET}
        result = submit(f"{raffle}verify-ticket/", fields, source=ANN)
        result_of_wrong = submit(f"{raffle}verify-ticket/", fields | {"ticket_number": "2"}, source=ANN)

    assert (result.status_code, result_of_wrong.status_code) == (200, 400)
    logged = capsys.readouterr().err
    assert "participate" in logged
    code = ticket["verification_code"]
    for spelling in (code, code.replace("-", ""), KEY["idempotency_key"]):
        assert spelling not in logged
        assert not any(spelling in str(answer.headers) for answer in (page, result, result_of_wrong))
    # In addresses only as a fragment, which is never sent; the QR code is a picture.
    assert f"c={code}" not in re.sub(r"<pre.*?</pre>", "", page.text, flags=re.DOTALL)


def test_a_form_from_another_site_gets_no_ticket(client: testing.TestClient, post: Post, engine: RaffleEngine) -> None:
    raffle = create(post)
    foreign = FORM | {"Origin": "https://evil.example"}

    answer = client.simulate_post(f"{raffle}participate/", headers=foreign, body="", remote_addr=MANAGER)

    assert answer.status_code == 403
    assert engine.get(raffle.split("/")[2]).issued == 0


@pytest.mark.parametrize(
    ("is_in_doubt", "sentence"),
    [
        (True, "This request may or may not have been carried out; reload this page to get the same ticket."),
        (False, "This request has changed nothing."),
    ],
)
def test_an_outage_says_how_to_get_the_same_ticket(
    engine: RaffleEngine, submit: Show, monkeypatch: pytest.MonkeyPatch, is_in_doubt: bool, sentence: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise StorageUnavailable(is_in_doubt=is_in_doubt)

    raffle = f"/raffles/{engine.create('Fair', total_tickets=3, prizes=[Prize('warm hug')]).id}/"
    monkeypatch.setattr(engine, "participate", fail)

    page = submit(f"{raffle}participate/", KEY, source=ANN)

    assert page.status_code == 503
    assert sentence in page.text


def test_a_busy_queue_does_not_hide_the_result(
    engine: RaffleEngine, post: Post, submit: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = create(post, total_tickets=2)
    tickets = [post(f"{raffle}participate/", source=source).json for source in (ANN, BEN)]
    [winner] = [win.ticket_number for win in engine.draw(raffle.split("/")[2])]
    [loser] = [ticket for ticket in tickets if ticket["ticket_number"] != winner]

    # As if the draw had many wins, and too many others were waiting.
    monkeypatch.setattr(draws, "CHEAP_WINS", 0)
    monkeypatch.setattr("rafflekit.http.kept._AT_ONCE", 0)
    monkeypatch.setattr("rafflekit.http.kept._WAIT_S", 0)
    page = submit(f"{raffle}verify-ticket/", {name: loser[name] for name in TICKET}, source=BEN)

    assert page.status_code == 200
    assert "Your ticket has not won a prize." in words_in(page)
