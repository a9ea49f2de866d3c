"""Handing prizes out at the desk, and passing them on."""

import re
from typing import Any, NoReturn

import pytest

from rafflekit import Prize, RaffleEngine, StorageUnavailable, Ticket
from rafflekit.http.pages.desk.scans import read_scan
from tests.http.conftest import Clock
from tests.http.pages.conftest import Show
from tests.http.pages.desk.conftest import Ask, Drawn


def fields_of(ticket: Ticket) -> dict[str, str]:
    return {"ticket_number": str(ticket.number), "verification_code": ticket.verification_code}


@pytest.mark.parametrize(
    "scan",
    [
        "http://127.0.0.1:8080{path}#t={number}&c={code}",
        "#t={number}&c={code}",
        "{number} {code}",
        "Ticket {number}: {code}",
        " {number},{plain} ",
    ],
)
def test_a_scanned_ticket_shows_what_it_won(submit: Show, engine: RaffleEngine, drawn: Drawn, scan: str) -> None:
    code = drawn.winner.verification_code
    text = scan.format(path=drawn.path, number=drawn.winner.number, code=code, plain=code.replace("-", "").lower())

    page = submit(f"/desk{drawn.path}redeem/", {"scan": text})

    assert page.status_code == 200
    assert "Won: <bdi>hamper</bdi>" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert engine.winners(drawn.winner.raffle_id, unredeemed=True).count == 2


@pytest.mark.parametrize("number", ["1,234", "1\u202f234", "1 234", "1.234", "001234"])
@pytest.mark.parametrize("code", ["0023-45H7-X45Z-H67Q-AAAA-9999", "002345h7x45zh67qaaaa9999"])
@pytest.mark.parametrize("text", ["{number} {code}", "Ticket {number}: {code}", "{number}, {code}"])
def test_a_number_is_read_as_the_ticket_prints_it(text: str, number: str, code: str) -> None:
    scan = read_scan(text.format(number=number, code=code))

    assert (scan.number, scan.code) == (1234, code)


def test_a_code_that_is_divided_otherwise_lends_no_digits() -> None:
    code = "234 X45ZH67QAAAABBBB99991"

    assert read_scan(f"1 {code}")[:2] == (1, code)


def test_a_prize_is_handed_out_once_and_by_whom_is_kept(ask: Ask, engine: RaffleEngine, drawn: Drawn) -> None:
    fields = fields_of(drawn.winner)

    done = ask(f"{drawn.path}redeem/", fields, may="redeem")
    again = ask(f"{drawn.path}redeem/", fields, may="redeem")
    looked = ask(f"/desk{drawn.path}redeem/", fields, may="redeem")

    assert (done.status_code, "✓ Handed out: <bdi>hamper</bdi>" in done.text) == (200, True)
    assert (again.status_code, "Already handed out: <bdi>hamper</bdi>" in again.text) == (409, True)
    assert "Already handed out" in looked.text
    assert 'name="undo" value="true"' in done.text
    assert engine.winners(drawn.winner.raffle_id).items[0].redeemed_by == "redeem"
    assert "by <bdi>redeem</bdi>" in ask(f"/desk{drawn.path}winners/", may="redeem").text
    assert ask(f"{drawn.path}redeem/", fields, may="sell").status_code == 403


@pytest.mark.parametrize(
    ("by", "advice"),
    [
        ("redeem", "If you have just confirmed it yourself"),
        ("Bob", "Do not give a second prize, and call the organiser."),
        (None, "Do not give a second prize, and call the organiser."),
    ],
)
def test_a_mark_of_someone_else_is_not_undone_in_passing(
    ask: Ask, engine: RaffleEngine, drawn: Drawn, by: str | None, advice: str
) -> None:
    ticket = drawn.winner
    engine.redeem(ticket.raffle_id, ticket.number, ticket.verification_code, by=by)

    page = ask(f"/desk{drawn.path}redeem/", fields_of(ticket), may="redeem").text

    [verdict] = re.findall(r'id="verdict".*?</section>', page, re.DOTALL)
    assert by is None or f"by <bdi>{by}</bdi>" in verdict
    assert advice in verdict
    assert 'name="undo" value="true"' in verdict
    assert ("<details" in verdict) is (by != "redeem")


def test_a_redemption_can_be_undone_for_a_while(submit: Show, drawn: Drawn, clock: Clock) -> None:
    fields = fields_of(drawn.winner)
    submit(f"{drawn.path}redeem/", fields)

    undone = submit(f"{drawn.path}redeem/", fields | {"undo": "true"})
    assert "Undone: <bdi>hamper</bdi>" in undone.text
    submit(f"{drawn.path}redeem/", fields)
    # Without passes, every desk may have done it.
    assert "<summary>It was marked by mistake" in submit(f"/desk{drawn.path}redeem/", fields).text
    clock.advance(minutes=16)

    late = submit(f"{drawn.path}redeem/", fields | {"undo": "true"})
    assert late.status_code == 409
    assert "that can be undone for 15 minutes" in late.text
    assert 'name="undo"' not in late.text


@pytest.mark.parametrize("claim_days", [None, 1])
def test_a_prize_that_a_colleague_takes_back_is_there(
    submit: Show, engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, claim_days: int | None
) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("hug")], claim_days=claim_days).id
    ticket = engine.participate(raffle, "ann")
    engine.draw(raffle)
    engine.redeem(raffle, ticket.number, ticket.verification_code)
    verify = engine.verify

    def verify_after_a_colleague_undid_it(*of: Any) -> Any:
        engine.redeem(raffle, ticket.number, ticket.verification_code, undo=True)
        return verify(*of)

    monkeypatch.setattr(engine, "verify", verify_after_a_colleague_undid_it)

    page = submit(f"/desk/raffles/{raffle}/redeem/", fields_of(ticket))

    assert (page.status_code, "Won: <bdi>hug</bdi>" in page.text) == (200, True)
    assert 'id="confirm"' in page.text


def test_after_a_prize_is_handed_out_nothing_can_fail(
    ask: Ask, engine: RaffleEngine, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeem = engine.redeem

    def fail(*_: object) -> NoReturn:
        raise StorageUnavailable

    def redeem_and_lose_the_database(*of: Any, **how: Any) -> Any:
        done = redeem(*of, **how)
        monkeypatch.setattr(engine._database, "read", fail)
        monkeypatch.setattr(engine._database, "query", fail)
        monkeypatch.setattr(engine._database, "fetch", fail)
        return done

    monkeypatch.setattr(engine, "redeem", redeem_and_lose_the_database)

    page = ask(f"{drawn.path}redeem/", fields_of(drawn.winner), may="redeem")

    assert (page.status_code, "✓ Handed out: <bdi>hamper</bdi>" in page.text) == (200, True)


def test_tickets_without_a_prize_say_so(submit: Show, drawn: Drawn, clock: Clock) -> None:
    desk = f"/desk{drawn.path}redeem/"
    assert "This ticket has not won." in submit(desk, fields_of(drawn.loser)).text
    assert submit(f"{drawn.path}redeem/", fields_of(drawn.loser)).status_code == 409

    clock.advance(days=1)

    late = submit(desk, fields_of(drawn.winner))
    assert "Too late: <bdi>hamper</bdi>" in late.text
    assert 'id="confirm"' not in late.text


@pytest.mark.parametrize(
    ("scan", "sentence"),
    [
        ("{loser} {code}", "do not belong together"),
        ("{code}", "must be a ticket&#39;s QR code, or its number, a space and its code."),
        ("", "must be a ticket&#39;s QR code"),
        ("http://x/raffles/{other}/#t={loser}&c={code}", "This ticket belongs to another raffle."),
    ],
)
def test_what_names_no_ticket_of_the_raffle_is_kept(
    submit: Show, drawn: Drawn, raffle: str, scan: str, sentence: str
) -> None:
    other = raffle.rpartition("/")[2]
    text = scan.format(loser=drawn.loser.number, code=drawn.winner.verification_code, other=other)

    page = submit(f"/desk{drawn.path}redeem/", {"scan": text})

    assert page.status_code == 400
    assert page.text.count(sentence) == 2
    assert f'value="{text.replace("&", "&amp;")}"' in page.text
    assert (f"/desk/raffles/{other}/redeem/" in page.text) == ("other" in scan)


def test_a_prize_passes_on_after_a_look(ask: Ask, engine: RaffleEngine, drawn: Drawn) -> None:
    raffle = drawn.winner.raffle_id
    [heir] = engine.queue(raffle, page_size=1).items
    fields = {"ticket_number": str(drawn.winner.number), "why": "disqualified", "reason": ""}

    refused = ask(f"/desk{drawn.path}forfeit/", fields)
    assert (refused.status_code, '<a href="#reason">' in refused.text) == (400, True)
    fields["reason"] = "sold <twice>"
    looked = ask(f"/desk{drawn.path}forfeit/", fields)
    assert f"Ticket {drawn.winner.number} loses <bdi>hamper</bdi>" in looked.text
    assert f"passes on to ticket {heir}" in looked.text
    assert "everyone to read: <bdi>sold &lt;twice&gt;</bdi>" in looked.text
    assert engine.winners(raffle).count == 2

    done = ask(f"{drawn.path}forfeit/", fields)

    assert done.headers["Location"] == f"/desk{drawn.path}?done=passed_on"
    first, _, third = engine.winners(raffle).items
    assert (first.reason, first.forfeited_by, third.ticket_number) == ("sold <twice>", "manage", heir)
    assert ask(f"{drawn.path}forfeit/", fields).status_code == 409
    assert "lost: <bdi>sold &lt;twice&gt;</bdi>" in ask(f"{drawn.path}winners/").text
    assert "Lost: <bdi>hamper</bdi>" in ask(f"/desk{drawn.path}redeem/", fields_of(drawn.winner)).text


def test_no_page_says_that_a_lapsed_prize_passed_on(submit: Show, show: Show, engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("hug")]).id
    ticket = engine.participate(raffle, "ann")
    engine.draw(raffle)
    assert engine.forfeit(raffle, ticket.number, why="unclaimed") is None

    public, desk = f"/raffles/{raffle}/", f"/desk/raffles/{raffle}/"
    pages = [show(f"{path}{page}").text for path in (public, desk) for page in ("", "winners/")]
    pages += [submit(f"{path}/", fields_of(ticket)).text for path in (f"{public}verify-ticket", f"{desk}redeem")]

    for page in pages:
        assert "passed" not in page.lower()
    for page in (pages[0], pages[1], pages[3], *pages[4:]):
        assert re.search(r"\blost\b", page, re.IGNORECASE)


def test_an_outage_admits_that_some_prizes_passed_on(
    submit: Show, engine: RaffleEngine, drawn: Drawn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(days=1)
    write = engine._database.write

    def fail(*_: object) -> NoReturn:
        raise StorageUnavailable

    def write_once(*of: Any) -> Any:
        monkeypatch.setattr(engine._database, "write", fail)
        return write(*of)

    monkeypatch.setattr(engine._database, "write", write_once)
    page = submit(f"/desk{drawn.path}unclaimed/", {"reason": ""})

    assert (page.status_code, engine.count_forfeits(drawn.winner.raffle_id)) == (503, 1)
    assert "may or may not have been carried out" in page.text
    assert "may or may not" not in submit(f"/desk{drawn.path}unclaimed/", {"reason": ""}).text


def test_unclaimed_prizes_pass_on_together_in_time(ask: Ask, engine: RaffleEngine, drawn: Drawn, clock: Clock) -> None:
    path, raffle = f"/desk{drawn.path}unclaimed/", drawn.winner.raffle_id
    early = ask(path, {"reason": ""})
    assert (early.status_code, "can still be redeemed" in early.text) == (409, True)
    assert "<bdi>hamper</bdi>" not in ask(path).text

    # A prize that was taken over can be collected for longer.
    clock.advance(hours=20)
    heir = engine.forfeit(raffle, drawn.other_winner.number, why="disqualified", reason="sold twice")
    assert heir is not None
    clock.advance(hours=20)
    listed = ask(path).text
    assert "1 prize was not collected in time" in listed
    assert f"Ticket {drawn.winner.number}: <bdi>hamper</bdi>" in listed
    assert f"Ticket {heir.ticket_number}:" not in listed

    passed = ask(path, {"reason": ""})

    assert passed.headers["Location"] == f"/desk{drawn.path}?done=all_passed_on"
    assert f"instead of ticket {drawn.winner.number}" in ask(f"/desk{drawn.path}winners/?unredeemed=true").text
    assert heir.ticket_number in [win.ticket_number for win in engine.winners(raffle, unredeemed=True).items]
    assert "Reason: winner disqualified – <bdi>sold twice</bdi>" in ask(f"/desk{drawn.path}winners/").text
