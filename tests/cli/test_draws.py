"""`rafflekit draw`."""

import io
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.cli import main
from rafflekit.core.ledger.keys import make_signing_key
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.shapes import win_shape
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.protocol.entropy.beacons import ROUND, relay_json
from tests.raffles import sell_all


@pytest.fixture
def awaiting(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Raffle:
    """A sold-out raffle of three tickets that round `ROUND` decides, which came long ago; no relay is in reach."""
    # Port 1, where nothing listens.
    monkeypatch.setenv("RAFFLEKIT_DRAND_RELAYS", "http://127.0.0.1:1")
    a_minute_before = datetime.fromtimestamp(time_of(ROUND) - 60, UTC)
    with RaffleEngine(database_url, clock=lambda: a_minute_before) as engine:
        raffle = engine.create("Beacon", total_tickets=3, prizes=[Prize("tea", 2)], entropy="drand-quicknet")
        sell_all(engine, raffle)
        return engine.get(raffle.id)


def test_draw_prints_the_winners_in_draw_order(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    drawn = terminal(f"draw {sold_out.id} --yes")

    wins = engine.winners(sold_out.id).items
    assert drawn == Session(0, "".join(f"{win.ticket_number}\t{win.prize}\n" for win in wins), "")
    assert [win.prize for win in wins] == ["invisibility", "warm hug"]


def test_draw_prints_the_contracts_flat_array(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    drawn = terminal(f"draw {sold_out.id} -y --json")

    assert json.loads(drawn.out) == [win_shape(win) for win in engine.winners(sold_out.id).items]


def test_draw_prints_more_winners_than_a_page_holds(terminal: Terminal, engine: RaffleEngine) -> None:
    many = engine.create("Many", total_tickets=150, prizes=[Prize("tea", 150)])
    for who in range(150):
        engine.participate(many.id, str(who))

    drawn = terminal(f"draw {many.id} --yes")

    assert len(drawn.out.splitlines()) == 150


@pytest.mark.parametrize("option", ["", "--yes"])
def test_draw_refuses_while_tickets_remain_without_asking(terminal: Terminal, raffle: Raffle, option: str) -> None:
    drawn = terminal(f"draw {raffle.id} {option}")

    sentence = "Winners can't be drawn when tickets are still available: 3 of 3 are left. "
    advice = (
        "Hand them out first, with 'rafflekit participate' or over HTTP. Once there is a ticket for each prize, "
        "'rafflekit close' can end that."
    )
    assert drawn == Session(1, "", f"rafflekit: {sentence}{advice}\n")


def test_draw_advises_closing_only_if_it_is_possible(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    for who in ("ada", "bob"):
        engine.participate(raffle.id, who)
    engine.create("Later", total_tickets=9, prizes=[Prize("tea")], opens_at=datetime(2999, 12, 5, 18, tzinfo=UTC))

    one_left, upcoming = terminal(f"draw {raffle.id}"), terminal("draw Later")

    advice = "Hand them out first, with 'rafflekit participate' or over HTTP, or end that with 'rafflekit close'."
    assert one_left.err.endswith(f" available: 1 of 3 is left. {advice}\n")
    assert upcoming.err.endswith(" available: 9 of 9 are left. It opens on 2999-12-05 18:00:00 UTC.\n")


@pytest.mark.parametrize("option", ["", "--yes"])
def test_draw_says_when_the_beacon_comes_without_asking(terminal: Terminal, engine: RaffleEngine, option: str) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("tea")], entropy="drand-quicknet", delay_s=100_000)
    engine.participate(raffle.id, "ann")

    drawn = terminal(f"draw {raffle.id} {option}")

    beacon = r"it comes on 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, in 1 day 3 hours\. Draw after that, or with --wait"
    assert drawn.status == 1
    assert re.search(rf"The draw's beacon round has not been published yet: {beacon}", drawn.err)


def test_show_says_from_when_a_beacon_allows_the_draw(
    terminal: Terminal, screen: OnScreen, engine: RaffleEngine, awaiting: Raffle
) -> None:
    plain, shown = terminal(f"show {awaiting.id}"), screen(f"show {awaiting.id}")

    published_at = datetime.fromtimestamp(time_of(ROUND), UTC)
    assert f"draw_possible_at: {published_at:%Y-%m-%dT%H:%M:%SZ}\n" in plain.out
    assert f"Draw from   {published_at:%Y-%m-%d %H:%M:%S} UTC, now" in without_styles(shown.text)
    engine.create("Open", total_tickets=1, prizes=[Prize("tea")], entropy="drand-quicknet")
    assert "draw_possible_at" not in terminal("show Open").out


@pytest.mark.parametrize("option", ["", "--yes"])
def test_draw_refuses_a_second_time_without_asking(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, option: str
) -> None:
    wins = engine.draw(sold_out.id)

    drawn = terminal(f"draw {sold_out.id} {option}")

    assert drawn == Session(1, "", "rafflekit: Winners for the raffle have already been drawn\n")
    assert engine.winners(sold_out.id).items == wins


def test_draw_needs_yes_without_a_terminal(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    status, out, err = terminal(f"draw {sold_out.id}")

    assert (status, out) == (2, "")
    assert "--yes" in err
    assert not engine.get(sold_out.id).winners_drawn


def test_draw_takes_the_beacon_from_a_file(
    terminal: Terminal, engine: RaffleEngine, awaiting: Raffle, tmp_path: Path
) -> None:
    file = tmp_path / "beacon.json"
    # With the byte order mark that Windows' editors put in front.
    file.write_text(relay_json(), encoding="utf-8-sig")
    without = terminal(f"draw {awaiting.id} --yes")
    assert without.status == 3
    sentence, advice, relay = without.err.splitlines()
    assert sentence == f"rafflekit: No relay gave the beacon of round {ROUND} of drand's quicknet."
    assert re.search(rf"save https://\S+/public/{ROUND} on another machine, and .* --beacon FILE\.$", advice)
    assert relay == "  http://127.0.0.1:1: it cannot be reached: Connection refused"

    drawn = terminal(f"draw {awaiting.id} --yes --beacon '{file}'")

    wins = engine.winners(awaiting.id).items
    assert drawn == Session(0, "".join(f"{win.ticket_number}\ttea\n" for win in wins), "")
    assert len(wins) == 2


def test_draw_takes_the_beacon_from_standard_input(
    engine: RaffleEngine, awaiting: Raffle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(relay_json().encode())))

    assert main(["draw", str(awaiting.id), "--yes", "--json", "--beacon", "-"]) == 0
    wins = engine.winners(awaiting.id).items
    assert json.loads(capsys.readouterr().out) == [win_shape(win) for win in wins]
    assert len(wins) == 2


def test_nothing_is_drawn_with_a_beacon_that_is_not_utf_8(
    terminal: Terminal, engine: RaffleEngine, awaiting: Raffle, tmp_path: Path
) -> None:
    file = tmp_path / "beacon.json"
    file.write_bytes(relay_json().encode("utf-16"))

    drawn = terminal(f"draw {awaiting.id} --yes --beacon '{file}'")

    assert drawn == Session(2, "", f"rafflekit: --beacon: {file} is not a text file.\n")
    assert not engine.get(awaiting.id).winners_drawn


def test_nothing_is_drawn_without_the_key_of_the_tickets(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_signing_key(tmp_path / "other.key")
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(tmp_path / "other.key"))

    status, out, err = terminal(f"draw {sold_out.id} --yes")

    assert (status, out) == (3, "")
    assert "another key is used here" in err
    assert not engine.get(sold_out.id).winners_drawn


def test_draw_asks_naming_the_raffle_its_tickets_and_its_prizes(
    screen: OnScreen, engine: RaffleEngine, sold_out: Raffle
) -> None:
    status, text = screen(f"draw {sold_out.id}", answers={"[y/N]": "y\n"})

    assert status == 0
    assert "“Foobar raffle” has 3 tickets for 2 prizes:" in text
    assert "1 × invisibility" in text
    assert "drawn on this machine: people must trust you not to have drawn twice." in text
    assert "A draw is final." in text
    assert engine.get(sold_out.id).winners_drawn
    assert "│ invisibility │" in without_styles(text)


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_draw_takes_anything_but_a_yes_for_a_no(
    screen: OnScreen, engine: RaffleEngine, sold_out: Raffle, answer: str
) -> None:
    status, text = screen(f"draw {sold_out.id}", answers={"[y/N]": answer})

    assert status == 1
    assert "\nrafflekit: Nothing was drawn.\r\n" in without_styles(text)
    assert not engine.get(sold_out.id).winners_drawn


def test_ctrl_c_at_the_question_draws_nothing_and_says_so(
    screen: OnScreen, engine: RaffleEngine, sold_out: Raffle
) -> None:
    status, text = screen(f"draw {sold_out.id}", answers={"[y/N]": "\x03"})

    assert status == 130
    assert without_styles(text).endswith("[y/N] ^C\r\nrafflekit: Nothing was drawn.\r\n")
    assert not engine.get(sold_out.id).winners_drawn


def test_the_question_cuts_a_long_list_of_prizes(screen: OnScreen, engine: RaffleEngine) -> None:
    rich = engine.create("Rich", total_tickets=12, prizes=[Prize(f"prize {number}") for number in range(12)])
    for who in range(12):
        engine.participate(rich.id, str(who))

    asked = screen(f"draw {rich.id}", answers={"[y/N]": "n\n"})

    assert "1 × prize 9\r\n  … and 2 more kinds\r\n" in asked.text


def test_a_closed_raffle_is_drawn_among_its_tickets(screen: OnScreen, engine: RaffleEngine) -> None:
    raffle = engine.create("Half", total_tickets=200, prizes=[Prize("tea")])
    ticket = engine.participate(raffle.id, "ann")
    engine.close_raffle(raffle.id)

    drawn = screen("draw Half", answers={"[y/N]": "y\n"})

    assert "“Half” has 1 of 200 tickets for 1 prize:" in drawn.text
    assert "Its time is over" not in drawn.text
    assert [win.ticket_number for win in engine.winners(raffle.id).items] == [ticket.number]


@pytest.fixture
def overdue(database_url: str) -> Raffle:
    """A raffle whose time is over, with a ticket for its prize; no server has closed it."""
    with RaffleEngine(database_url, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as engine:
        closes_at = datetime(2026, 1, 2, tzinfo=UTC)
        raffle = engine.create("Over", total_tickets=9, prizes=[Prize("tea")], closes_at=closes_at)
        engine.participate(raffle.id, "ann")
        return raffle


def test_a_draw_of_a_raffle_whose_time_is_over_closes_it(
    screen: OnScreen, engine: RaffleEngine, overdue: Raffle
) -> None:
    refused = screen("draw Over", answers={"[y/N]": "n\n"})
    before = engine.get(overdue.id)
    drawn = screen("draw Over", answers={"[y/N]": "y\n"})

    assert "“Over” has 1 of 9 tickets for 1 prize:" in refused.text
    assert "Its time is over: it is closed first, and no more tickets are handed out." in refused.text
    assert before.end is None
    assert drawn.status == 0
    assert engine.get(overdue.id).end is not None


@pytest.mark.parametrize(
    ("people", "numbers", "way_out"),
    [
        ([], "2 prizes, 0 tickets", "cancel it with 'rafflekit cancel', or give it more time with 'rafflekit edit'"),
        (["ann"], "2 prizes, 1 ticket", "cancel it with 'rafflekit cancel'"),
    ],
)
def test_draw_says_what_to_do_about_too_few_tickets(
    terminal: Terminal, database_url: str, people: list[str], numbers: str, way_out: str
) -> None:
    with RaffleEngine(database_url, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as engine:
        closes_at = datetime(2026, 1, 2, tzinfo=UTC)
        raffle = engine.create("Empty", total_tickets=9, prizes=[Prize("tea", 2)], closes_at=closes_at)
        for person in people:
            engine.participate(raffle.id, person)

    sentence = f"There are more prizes than tickets handed out: {numbers}. Its time is over: {way_out}."
    assert terminal("draw Empty") == Session(1, "", f"rafflekit: {sentence}\n")


@pytest.fixture
def lottery(engine: RaffleEngine) -> Raffle:
    """A sold-out raffle of three tickets that an announced value decides."""
    raffle = engine.create("Fair", total_tickets=3, prizes=[Prize("tea")], entropy="announced", source="the “lottery”")
    sell_all(engine, raffle)
    return raffle


def test_an_announced_value_decides_the_draw(terminal: Terminal, engine: RaffleEngine, lottery: Raffle) -> None:
    drawn = terminal("draw Fair --value ' 3  17\t22 ' --yes")

    assert drawn.status == 0
    assert engine.proofs.proof(lottery.id).shape()["entropy"] == {"kind": "announced", "value": "3 17 22"}


def test_the_announced_value_is_asked_for_and_shown(screen: OnScreen, engine: RaffleEngine, lottery: Raffle) -> None:
    refused = screen("draw Fair", answers={"Type what it gave: ": "3   17 22\n", "[y/N]": "n\n"})
    before = engine.get(lottery.id)
    drawn = screen("draw Fair", answers={"Type what it gave: ": " 3 17  22\n", "[y/N]": "y\n"})

    assert "“the 'lottery'” decides the draw of “Fair”." in refused.text
    assert "This text decides, exactly as “the 'lottery'” gave it:\r\n  3 17 22\r\n" in refused.text
    assert "drawn on this machine" not in refused.text
    assert (refused.status, before.winners_drawn) == (1, False)
    assert drawn.status == 0
    assert engine.proofs.proof(lottery.id).shape()["entropy"] == {"kind": "announced", "value": "3 17 22"}


def test_ctrl_c_instead_of_the_value_draws_nothing(screen: OnScreen, engine: RaffleEngine, lottery: Raffle) -> None:
    drawn = screen("draw Fair", answers={"Type what it gave: ": "\x03"})

    assert drawn.status == 130
    assert "rafflekit: Nothing was drawn." in without_styles(drawn.text)
    assert not engine.get(lottery.id).winners_drawn


@pytest.mark.usefixtures("lottery", "sold_out", "awaiting")
@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("draw Fair", 2, "--value is missing: give what “the 'lottery'” gave; there is no terminal to ask on."),
        ("draw Fair --value ' ' -y", 2, "--value: must not be empty."),
        ("draw Fair --value 3 --beacon x", 2, "Give either --value or --beacon: one value decides."),
        ("draw 'Foobar raffle' --value 3 -y", 2, "--value: does not belong to this raffle: this machine's secrets"),
        ("draw Beacon --value 3 -y", 2, f"--value: is not round {ROUND} of drand's quicknet"),
    ],
)
def test_a_value_that_decides_nothing_is_refused(terminal: Terminal, line: str, status: int, sentence: str) -> None:
    refused = terminal(line)

    assert (refused.status, refused.out) == (status, "")
    assert refused.err.startswith(f"rafflekit: {sentence}")
