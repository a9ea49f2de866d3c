"""`rafflekit close`, `cancel` and `purge`."""

import json
from datetime import UTC, datetime

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.core.shapes import raffle_shape
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles


@pytest.fixture
def half_sold(engine: RaffleEngine) -> Raffle:
    """A raffle of 200 tickets and two prizes; three tickets are handed out."""
    raffle = engine.create("Fair", total_tickets=200, prizes=[Prize("tea", 2)])
    for who in ("ada", "bob", "cy"):
        engine.participate(raffle.id, who)
    return engine.get(raffle.id)


def test_close_prints_the_closed_raffle(terminal: Terminal, engine: RaffleEngine, half_sold: Raffle) -> None:
    closed = terminal("close Fair --yes")

    assert (closed.status, closed.err) == (0, "")
    assert "available_tickets: 0\nwinners_drawn: no\nstate: closed\nclosed_at: " in closed.out
    assert terminal("participate Fair dan").err == "rafflekit: Tickets to this raffle are no longer available\n"
    assert engine.get(half_sold.id).issued == 3


def test_close_prints_the_contracts_json(terminal: Terminal, engine: RaffleEngine, half_sold: Raffle) -> None:
    assert json.loads(terminal("close Fair -y --json").out) == raffle_shape(engine.get(half_sold.id))


def test_close_asks_with_the_numbers_of_tickets_and_prizes(
    screen: OnScreen, engine: RaffleEngine, half_sold: Raffle
) -> None:
    refused = screen("close Fair", answers={"[y/N]": "n\n"})
    after = engine.get(half_sold.id)
    closed = screen("close Fair", answers={"[y/N]": "y\n"})

    assert "3 of 200 tickets of “Fair” have been handed out, for 2 prizes." in refused.text
    assert "A closing is final." in refused.text
    assert (refused.status, after.end) == (1, None)
    assert "rafflekit: The raffle was not closed." in without_styles(refused.text)
    assert closed.status == 0
    assert "3 of 200 handed out" in without_styles(closed.text)


def test_ctrl_c_at_the_question_closes_nothing(screen: OnScreen, engine: RaffleEngine, half_sold: Raffle) -> None:
    assert screen("close Fair", answers={"[y/N]": "\x03"}).status == 130
    assert engine.get(half_sold.id).end is None


@pytest.mark.usefixtures("half_sold")
@pytest.mark.parametrize(("line", "what"), [("close Fair", "closing"), ("cancel Fair --reason rain", "cancellation")])
def test_an_ending_needs_yes_without_a_terminal(terminal: Terminal, line: str, what: str) -> None:
    assert terminal(line) == Session(
        2, "", f"rafflekit: A {what} is final, and there is no terminal to ask on; give --yes.\n"
    )
    assert "state: open\n" in terminal("show Fair").out


@pytest.mark.parametrize("option", ["", "--yes"])
def test_close_refuses_fewer_tickets_than_prizes(terminal: Terminal, raffle: Raffle, option: str) -> None:
    sentence = "There are more prizes than tickets handed out: 2 prizes, 0 tickets. "
    way_out = "Hand out more tickets first, or cancel it with 'rafflekit cancel'."
    assert terminal(f"close {raffle.id} {option}") == Session(1, "", f"rafflekit: {sentence}{way_out}\n")


def test_close_advises_only_what_is_possible(terminal: Terminal, database_url: str, engine: RaffleEngine) -> None:
    tea = [Prize("tea")]
    with RaffleEngine(database_url, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as before:
        before.create("Over", total_tickets=9, prizes=tea, closes_at=datetime(2026, 1, 2, tzinfo=UTC))
    engine.create("Later", total_tickets=9, prizes=tea, opens_at=datetime(2999, 12, 5, 18, tzinfo=UTC))

    cancel = "cancel it with 'rafflekit cancel'"
    assert terminal("close Over").err.endswith(
        f"Its time is over: {cancel}, or give it more time with 'rafflekit edit'.\n"
    )
    assert terminal("close Later").err.endswith(f"Wait until it opens, on 2999-12-05 18:00:00 UTC, or {cancel}.\n")


def test_close_refuses_a_second_time_without_asking(terminal: Terminal, sold_out: Raffle) -> None:
    status, _, err = terminal(f"close {sold_out.id}")

    assert status == 1
    assert err.startswith("rafflekit: This raffle has been closed since 20")


def test_cancel_prints_the_raffle_and_its_reason(terminal: Terminal, engine: RaffleEngine, half_sold: Raffle) -> None:
    cancelled = terminal("cancel Fair --reason 'The hall is flooded.' --yes")

    assert (cancelled.status, cancelled.err) == (0, "")
    assert "state: cancelled\n" in cancelled.out
    assert "\nreason: The hall is flooded.\n" in cancelled.out
    assert "cancelled\tFair\n" in terminal("list --state cancelled").out
    assert terminal("participate Fair dan").err == "rafflekit: This raffle has been cancelled\n"
    assert terminal("draw Fair").err == "rafflekit: This raffle has been cancelled\n"
    assert json.loads(terminal("show Fair --json").out) == raffle_shape(engine.get(half_sold.id))


def test_cancel_asks_with_the_reason(screen: OnScreen, engine: RaffleEngine, half_sold: Raffle) -> None:
    refused = screen("cancel Fair --reason rain", answers={"[y/N]": "n\n"})
    before = engine.get(half_sold.id)
    cancelled = screen("cancel Fair --reason rain", answers={"[y/N]": "y\n"})

    assert "“Fair” will never be drawn; 3 tickets of it have been handed out." in refused.text
    assert "Everyone can read the reason: “rain”" in refused.text
    assert (refused.status, before.cancellation) == (1, None)
    assert cancelled.status == 0
    assert "Reason      rain" in without_styles(cancelled.text)


@pytest.mark.usefixtures("half_sold")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("cancel Fair", "Missing option '--reason'."),
        ("cancel Fair --reason ''", "--reason: must not be empty."),
        ("cancel Fair --reason 'a\nb'", "--reason: must not contain control characters or line breaks."),
    ],
)
def test_cancel_needs_a_reason(terminal: Terminal, line: str, sentence: str) -> None:
    status, out, err = terminal(line)

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")


def test_cancel_refuses_a_drawn_raffle_without_asking(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle
) -> None:
    engine.draw(sold_out.id)

    status, _, err = terminal(f"cancel {sold_out.id} --reason rain")

    assert status == 1
    assert err.startswith("rafflekit: The winners of this raffle were drawn on 20")


def test_a_second_cancellation_says_when_the_first_was(terminal: Terminal) -> None:
    terminal("create Fair --tickets 2 --prize tea")
    terminal("cancel Fair --reason rain -y")

    status, _, err = terminal("cancel Fair --reason snow")

    assert status == 1
    assert err.startswith(f"rafflekit: This raffle was cancelled on {datetime.now(UTC):%Y}-")


def test_purge_asks_nothing_about_a_cancelled_raffle(terminal: Terminal, half_sold: Raffle) -> None:
    terminal("cancel Fair --reason rain --yes")

    assert terminal("purge Fair") == Session(0, f"id: {half_sold.id}\npurged: 0\n", "")


def test_purge_says_for_how_many_tickets_it_deleted(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    purged, again = terminal(f"purge {str(sold_out.id)[:8]} --yes"), terminal(f"purge {sold_out.id} --json")

    assert purged == Session(0, f"id: {sold_out.id}\npurged: {sold_out.total_tickets}\n", "")
    # Without a question, since nothing is left to delete.
    assert (again.status, json.loads(again.out)) == (0, {"raffle_id": str(sold_out.id), "purged": 0})


def test_purge_is_refused_before_the_draw(terminal: Terminal, sold_out: Raffle) -> None:
    assert terminal(f"purge {sold_out.id}") == Session(
        1, "", "rafflekit: Winners for the raffle have not been drawn yet\n"
    )


def test_purge_needs_yes_without_a_terminal(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    asked = terminal(f"purge {sold_out.id}")

    assert asked == Session(
        2, "", "rafflekit: Deleted data cannot be restored, and there is no terminal to ask on; give --yes.\n"
    )
    assert engine.purge(sold_out.id) == sold_out.total_tickets


def test_purge_asks_and_warns_of_older_backups(screen: OnScreen, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    refused = screen(f"purge {sold_out.id}", answers={"[y/N]": "n\n"})
    purged = screen(f"purge {sold_out.id}", answers={"[y/N]": "y\n"})

    assert refused.status == 1
    assert "Older backups still contain the data. Without one, it cannot be restored." in refused.text
    assert "Nothing was deleted." in refused.text
    assert purged.status == 0
    assert "The participant data of 3 tickets was deleted." in purged.text
    again = screen(f"purge {sold_out.id}")
    assert "No participant data is stored, so there was nothing to delete." in again.text
