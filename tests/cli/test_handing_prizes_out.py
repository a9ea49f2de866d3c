"""`rafflekit redeem`, `forfeit` and `queue`: prizes that are handed out, and prizes that pass on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.core.shapes import queue_page_shape, verification_shape
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.cli.drawn import Drawn, draw
from tests.raffles import sell_all

WRONG_CODE = "0000-0000-0000-0000-0000-0000"


def test_redeem_marks_the_prize(terminal: Terminal, drawn: Drawn) -> None:
    number = drawn.wins[0]

    redeemed = terminal(f"redeem {drawn.id} {number} {drawn.codes[number]} --yes")

    verification = drawn.engine.verify(drawn.id, number, drawn.codes[number])
    assert verification.redeemed_at is not None
    moment = f"{verification.redeemed_at:%Y-%m-%dT%H:%M:%SZ}"
    assert redeemed == Session(0, f"has_won: yes\nprize: invisibility\nredeemed_at: {moment}\n", "")


def test_redeem_prints_the_contracts_json(terminal: Terminal, drawn: Drawn) -> None:
    number = drawn.wins[0]

    redeemed = terminal(f"redeem {drawn.id} {number} {drawn.codes[number]} -y --json")

    shape = verification_shape(drawn.engine.verify(drawn.id, number, drawn.codes[number]))
    assert json.loads(redeemed.out) == shape
    assert "redeemed_at" in shape


def test_redeem_shows_what_was_won_and_asks(screen: OnScreen, drawn: Drawn) -> None:
    number = drawn.wins[0]
    line = f"redeem {drawn.id} {number} {drawn.codes[number]}"

    refused = screen(line, answers={"[y/N]": "n\n"})
    before = drawn.engine.verify(drawn.id, number, drawn.codes[number])
    redeemed = screen(line, answers={"[y/N]": "y\n"})

    assert f"Ticket {number} of “Foobar raffle” is genuine and won: invisibility\r\n" in refused.text
    assert (refused.status, before.redeemed_at) == (1, None)
    assert "rafflekit: Nothing was marked." in without_styles(refused.text)
    assert redeemed.status == 0
    assert "won: invisibility; redeemed on 20" in without_styles(redeemed.text)


def test_redeem_needs_yes_without_a_terminal(terminal: Terminal, drawn: Drawn) -> None:
    number = drawn.wins[0]

    status, out, err = terminal(f"redeem {drawn.id} {number} {drawn.codes[number]}")

    assert (status, out) == (2, "")
    assert err == "rafflekit: A prize is redeemed once, and there is no terminal to ask on; give --yes.\n"
    assert drawn.engine.verify(drawn.id, number, drawn.codes[number]).redeemed_at is None


@pytest.mark.parametrize("option", ["", "--yes"])
def test_a_second_redemption_says_when_the_first_was(terminal: Terminal, drawn: Drawn, option: str) -> None:
    number = drawn.wins[0]
    verification = drawn.engine.redeem(drawn.id, number, drawn.codes[number])

    again = terminal(f"redeem {drawn.id} {number} {drawn.codes[number]} {option}")

    moment = f"{verification.redeemed_at:%Y-%m-%d %H:%M:%S} UTC"
    assert again == Session(1, "", f"rafflekit: This prize has already been redeemed, on {moment}.\n")


def test_a_redemption_can_be_undone(terminal: Terminal, screen: OnScreen, drawn: Drawn) -> None:
    number = drawn.wins[0]
    line = f"redeem {drawn.id} {number} {drawn.codes[number]}"
    nothing = terminal(f"{line} --undo")
    drawn.engine.redeem(drawn.id, number, drawn.codes[number])

    asked = screen(f"{line} --undo", answers={"[y/N]": "n\n"})
    undone = terminal(f"{line} --undo --yes")

    assert nothing == Session(1, "", "rafflekit: This prize has not been redeemed, so there is nothing to undo.\n")
    assert "It was marked as handed out on 20" in asked.text
    assert undone == Session(0, "has_won: yes\nprize: invisibility\n", "")
    assert terminal(f"{line} --yes").status == 0


@pytest.mark.parametrize("command", ["redeem", "verify"])
def test_a_wrong_code_gets_the_hint_of_verify(terminal: Terminal, drawn: Drawn, command: str) -> None:
    number = drawn.wins[0]

    for given, hint in (
        (f"{number} {WRONG_CODE}", ""),
        (f"{number} 0000", ": a code has 24 letters and digits, and this one has 4."),
        (f"4 {WRONG_CODE}", ": this raffle's tickets are numbered from 1 to 3."),
    ):
        refused = terminal(f"{command} {drawn.id} {given}")
        assert refused == Session(1, "", f"rafflekit: Invalid verification code{hint}\n")


def test_a_ticket_without_a_prize_has_nothing_to_redeem(terminal: Terminal, drawn: Drawn) -> None:
    _, second, heir = drawn.settle()
    drawn.engine.forfeit(drawn.id, heir, why="disqualified", reason="took part twice")

    for number, sentence in ((second, "This prize was forfeited on 20"), (heir, "This prize was forfeited on 20")):
        status, out, err = terminal(f"redeem {drawn.id} {number} {drawn.codes[number]}")
        assert (status, out) == (1, "")
        assert err.startswith(f"rafflekit: {sentence}")


@pytest.fixture
def expiring(database_url: str) -> Callable[[timedelta], Drawn]:
    """Give a raffle that was drawn some time ago, whose prizes had to be redeemed within ten days."""

    def make(ago: timedelta) -> Drawn:
        engine = RaffleEngine(database_url, clock=lambda: datetime.now(UTC) - ago)
        raffle = engine.create("Expiring", total_tickets=4, prizes=[Prize("tea", 2)], claim_days=10)
        return draw(engine, raffle, sell_all(engine, raffle))

    return make


@pytest.mark.parametrize("line", ["redeem {id} {first} {code}", "redeem {id} {first} {code} --yes"])
def test_after_the_deadline_redeem_refuses_without_asking(
    terminal: Terminal, expiring: Callable[[timedelta], Drawn], line: str
) -> None:
    drawn = expiring(timedelta(days=11))
    first = drawn.wins[0]

    status, _, err = terminal(line.format(id=drawn.id, first=first, code=drawn.codes[first]))

    assert status == 1
    assert err.startswith("rafflekit: This prize could be redeemed until 20")


def test_an_unclaimed_prize_goes_to_the_next_ticket(terminal: Terminal, drawn: Drawn) -> None:
    first, second = drawn.wins

    passed = terminal(f"forfeit {drawn.id} {first} --unclaimed --yes")
    lapsed = terminal(f"forfeit {drawn.id} {second} --unclaimed --yes")

    assert passed == Session(0, f"ticket_number: {drawn.next}\nprize: invisibility\nin_place_of: {first}\n", "")
    assert lapsed == Session(0, "The prize lapses: no ticket is left that has not won.\n", "")
    assert [win.ticket_number for win in drawn.engine.winners(drawn.id).items] == [first, second, drawn.next]


def test_forfeit_prints_the_contracts_json(terminal: Terminal, drawn: Drawn) -> None:
    first, second = drawn.wins

    passed = terminal(f"forfeit {drawn.id} {first} --disqualified --reason 'took part twice' -y --json")
    lapsed = terminal(f"forfeit {drawn.id} {second} --unclaimed -y --json")

    assert json.loads(passed.out) == {"ticket_number": drawn.next, "prize": "invisibility", "in_place_of": first}
    assert json.loads(lapsed.out) is None
    assert drawn.engine.winners(drawn.id).items[0].reason == "took part twice"


def test_forfeit_asks_and_says_who_is_next(screen: OnScreen, drawn: Drawn) -> None:
    first, second = drawn.wins
    line = f"forfeit {drawn.id} {first} --disqualified --reason 'took part twice'"

    refused = screen(line, answers={"[y/N]": "n\n"})
    before = drawn.engine.winners(drawn.id).count
    passed = screen(line, answers={"[y/N]": "y\n"})
    last = screen(f"forfeit {drawn.id} {second} --unclaimed", answers={"[y/N]": "y\n"})

    assert f"Ticket {first} of “Foobar raffle” won: invisibility\r\n" in refused.text
    assert f"Ticket {drawn.next} is next, and takes the prize.\r\n" in refused.text
    assert "A forfeit is final and public: disqualified, “took part twice”." in refused.text
    assert (refused.status, before) == (1, 2)
    assert f"Ticket {drawn.next} takes the place of ticket {first}: invisibility" in passed.text
    assert last.text.count("The prize lapses: no ticket is left that has not won.") == 2


def test_renouncing_needs_the_tickets_code(terminal: Terminal, drawn: Drawn) -> None:
    first, second = drawn.wins

    refused = terminal(f"forfeit {drawn.id} {first} --renounced {drawn.codes[second]}")
    passed = terminal(f"forfeit {drawn.id} {first} --renounced {drawn.codes[first]} --yes")

    assert refused == Session(1, "", "rafflekit: Invalid verification code\n")
    assert passed.status == 0
    assert drawn.engine.winners(drawn.id).items[0].reason == "renounced by the winner"


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ("1", 2, "Give one of --unclaimed, --renounced CODE, --disqualified and --all-unclaimed."),
        ("1 --unclaimed --disqualified", 2, "Give one of --unclaimed, --renounced CODE, --disqualified and"),
        ("--unclaimed --all-unclaimed", 2, "Give one of --unclaimed, --renounced CODE, --disqualified and"),
        ("1 --all-unclaimed", 2, "Give either NUMBER or --all-unclaimed: one ticket, or all."),
        ("--unclaimed", 2, "Give either NUMBER or --all-unclaimed: one ticket, or all."),
        ("1 --disqualified", 2, "--reason: is missing: say in words why the ticket is disqualified"),
        ("1 --unclaimed --reason ''", 2, "--reason: must not be empty."),
        ("{next} --unclaimed", 1, "This ticket has not won anything."),
        ("4 --unclaimed", 1, "No ticket with this number has been handed out."),
        ("--all-unclaimed", 2, "--all-unclaimed: This raffle announced no deadline, so name each ticket whose prize"),
        ("--all-unclaimed --yes", 2, "--all-unclaimed: This raffle announced no deadline, so name each ticket"),
    ],
)
def test_forfeit_refuses_without_asking(
    terminal: Terminal, drawn: Drawn, options: str, status: int, sentence: str
) -> None:
    refused = terminal(f"forfeit {drawn.id} {options.format(next=drawn.next)}")

    assert (refused.status, refused.out) == (status, "")
    assert refused.err.startswith(f"rafflekit: {sentence}")
    assert drawn.engine.winners(drawn.id).count == 2


def test_a_redeemed_prize_is_not_passed_on(terminal: Terminal, drawn: Drawn) -> None:
    first, _, _ = drawn.settle()

    status, _, err = terminal(f"forfeit {drawn.id} {first} --unclaimed")

    assert status == 1
    assert err.startswith("rafflekit: This prize has already been redeemed, on 20")


@pytest.mark.parametrize("what", ["{first} --unclaimed", "--all-unclaimed"])
def test_before_the_deadline_nothing_is_unclaimed(
    terminal: Terminal, expiring: Callable[[timedelta], Drawn], what: str
) -> None:
    drawn = expiring(timedelta(days=9))

    status, out, err = terminal(f"forfeit {drawn.id} {what.format(first=drawn.wins[0])}")

    assert (status, out) == (1, "")
    assert err.startswith("rafflekit: This prize can still be redeemed, until 20")


def test_all_unclaimed_prizes_pass_on_at_once(
    terminal: Terminal, screen: OnScreen, expiring: Callable[[timedelta], Drawn]
) -> None:
    drawn = expiring(timedelta(days=11))
    queue = list(drawn.engine.queue(drawn.id).items)

    asked = screen(f"forfeit {drawn.id} --all-unclaimed", answers={"[y/N]": "n\n"})
    passed = terminal(f"forfeit {drawn.id} --all-unclaimed --yes")
    again = terminal(f"forfeit {drawn.id} --all-unclaimed --yes --json")

    assert "2 prizes of “Expiring” were not redeemed in time." in asked.text
    assert f"\r\n  {queue[0]}, {queue[1]}\r\n" in asked.text
    first, second = drawn.wins
    assert passed == Session(0, f"{queue[0]}\ttea\tin_place_of: {first}\n{queue[1]}\ttea\tin_place_of: {second}\n", "")
    assert json.loads(again.out) == []


def test_while_a_later_winner_has_time_nothing_is_asked(
    terminal: Terminal, expiring: Callable[[timedelta], Drawn], engine: RaffleEngine
) -> None:
    drawn = expiring(timedelta(days=11))
    for number in drawn.wins:
        engine.forfeit(drawn.id, number, why="unclaimed")

    for option in ("", "--yes"):
        assert terminal(f"forfeit {drawn.id} --all-unclaimed {option}") == Session(
            0, "", "No prize was left to pass on.\n"
        )


def test_redeeming_is_refused_without_asking(terminal: Terminal, drawn: Drawn) -> None:
    assert terminal(f"redeem {drawn.id} {drawn.next} {drawn.codes[drawn.next]}") == Session(
        1, "", "rafflekit: This ticket has not won anything.\n"
    )


def test_prizes_that_lapse_are_counted(terminal: Terminal, engine: RaffleEngine, database_url: str) -> None:
    long_ago = RaffleEngine(database_url, clock=lambda: datetime.now(UTC) - timedelta(days=99))
    raffle = long_ago.create("Old", total_tickets=2, prizes=[Prize("tea", 2)], claim_days=1)
    sell_all(long_ago, raffle)
    long_ago.draw(raffle.id)

    assert terminal("forfeit Old --all-unclaimed --yes") == Session(0, "", "2 prizes lapse: no ticket is left.\n")
    assert terminal("forfeit Old --all-unclaimed --yes") == Session(0, "", "No prize was left to pass on.\n")
    assert engine.winners(raffle.id, unredeemed=True).count == 0


def test_the_queue_shows_who_is_next(terminal: Terminal, screen: OnScreen, engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=9, prizes=[Prize("tea")])
    sell_all(engine, raffle)
    engine.draw(raffle.id)
    queue = engine.queue(raffle.id).items

    assert terminal("queue Fair") == Session(0, "".join(f"{number}\n" for number in queue), "")
    page = terminal("queue Fair --page 2 --page-size 3")
    assert page.out == "".join(f"{number}\n" for number in queue[3:6])
    assert page.err == "page 2 of 3, 8 tickets; --page 3 shows more\n"
    shape = terminal("queue Fair --page 2 --page-size 3 --json")
    assert json.loads(shape.out) == queue_page_shape(engine.queue(raffle.id, page=2, page_size=3))
    assert f"1. ticket {queue[0]}\r\n" in without_styles(screen("queue Fair", COLUMNS="40").text)
    assert without_styles(screen("queue Fair").text).count("│\r\n") == 9


def test_an_empty_queue_says_so(terminal: Terminal, engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("tea")])
    sell_all(engine, raffle)
    early = terminal("queue Fair")
    engine.draw(raffle.id)

    assert early == Session(1, "", "rafflekit: Winners for the raffle have not been drawn yet\n")
    assert terminal("queue Fair") == Session(0, "", "Every ticket has won: a prize that is forfeited now lapses.\n")


@pytest.mark.parametrize("command", ["redeem {id} 1 x", "forfeit {id} 1 --unclaimed", "forfeit {id} 1 --renounced x"])
def test_before_the_draw_there_is_nothing_to_hand_out(terminal: Terminal, raffle: Raffle, command: str) -> None:
    assert terminal(command.format(id=raffle.id)) == Session(
        1, "", "rafflekit: Winners for the raffle have not been drawn yet\n"
    )
