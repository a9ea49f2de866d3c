"""Codes that are not among a command's arguments, where every account of the machine can read them."""

import io
import json
import shlex
import sys
from collections.abc import Callable

import pytest

from rafflekit import Raffle, RaffleEngine
from rafflekit.cli import main
from rafflekit.cli.commands.claims import _Forfeit
from rafflekit.cli.commands.tickets import _Wanted
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.forfeits import Why
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.cli.drawn import Drawn

Piped = Callable[[str, bytes], Session]


@pytest.fixture
def piped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Type a line after `rafflekit`, run in this process, with these bytes on standard input."""

    def enter(line: str, sent: bytes) -> Session:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
        return Session(main(shlex.split(line)), *capsys.readouterr())

    return enter


@pytest.fixture
def invited(engine: RaffleEngine) -> Raffle:
    """A raffle for people with an invitation."""
    return engine.create("Party", total_tickets=3, prizes=[Prize("tea")], entry="invitation")


def test_a_dash_reads_the_code_from_standard_input(piped: Piped, drawn: Drawn) -> None:
    first, second = drawn.wins

    verified = piped(f"verify {drawn.id} {first} -", f"{drawn.codes[first]}\n".encode())
    redeemed = piped(f"redeem {drawn.id} {first} - --yes", f"  {drawn.codes[first].lower()}".encode())
    passed = piped(f"forfeit {drawn.id} {second} --renounced - --yes", f"{drawn.codes[second]}\r\n".encode())

    assert verified == Session(0, "has_won: yes\nprize: invisibility\n", "")
    assert (redeemed.status, redeemed.err) == (0, "")
    assert (passed.status, passed.err) == (0, "")
    assert drawn.engine.verify(drawn.id, first, drawn.codes[first]).redeemed_at is not None
    assert drawn.engine.winners(drawn.id).items[1].reason == "renounced by the winner"


def test_a_dash_reads_an_invitation_from_standard_input(piped: Piped, invited: Raffle, engine: RaffleEngine) -> None:
    (code,) = engine.invitations(invited.id, 1)

    ticket = piped("participate Party --invitation - --json", f"{code}\n".encode())
    again = piped("participate Party --invitation -", f"{code}\n".encode())

    assert json.loads(ticket.out)["raffle_id"] == str(invited.id)
    assert again == Session(1, "", "rafflekit: This invitation has been used already.\n")


@pytest.mark.parametrize("given", ["", "-"])
def test_on_a_terminal_a_command_asks_for_the_code(screen: OnScreen, drawn: Drawn, given: str) -> None:
    number = drawn.wins[0]
    question, code = f"Code of ticket {number}: ", f"{drawn.codes[number]}\n"

    verified = screen(f"verify {drawn.id} {number} {given}", answers={question: code})
    redeemed = screen(f"redeem {drawn.id} {number} {given}", answers={question: code, "[y/N]": "y\n"})

    # What is typed from paper is shown.
    assert f"{question}{drawn.codes[number]}\r\n" in verified.text
    assert "The ticket is genuine and won: invisibility" in without_styles(verified.text)
    assert redeemed.status == 0
    assert "redeemed on 20" in without_styles(redeemed.text)


def test_on_a_terminal_an_option_asks_for_its_code(
    screen: OnScreen, drawn: Drawn, invited: Raffle, engine: RaffleEngine
) -> None:
    number = drawn.wins[0]
    (invitation,) = engine.invitations(invited.id, 1)

    passed = screen(
        f"forfeit {drawn.id} {number} --renounced - -y", answers={f"of ticket {number}:": f"{drawn.codes[number]}\n"}
    )
    ticket = screen("participate Party --invitation -", answers={"Invitation code:": f"{invitation}\n"})

    assert (passed.status, ticket.status) == (0, 0)
    assert engine.get(invited.id).available_tickets == 2


@pytest.mark.parametrize("command", ["verify", "redeem"])
def test_without_a_terminal_a_missing_code_is_wrong_usage(terminal: Terminal, drawn: Drawn, command: str) -> None:
    refused = terminal(f"{command} {drawn.id} {drawn.wins[0]}")

    assert refused == Session(
        2, "", "rafflekit: CODE is missing, and there is no terminal to ask on; - reads it from standard input.\n"
    )


@pytest.mark.parametrize("sent", [b"", b" \n"])
@pytest.mark.parametrize(
    "line",
    ["verify {0} {1} -", "redeem {0} {1} - -y", "forfeit {0} {1} --renounced -", "participate Party --invitation -"],
)
def test_no_code_is_not_a_wrong_code(piped: Piped, drawn: Drawn, invited: Raffle, line: str, sent: bytes) -> None:
    refused = piped(line.format(drawn.id, drawn.wins[0]), sent)

    assert invited.available_tickets == 3
    assert refused == Session(2, "", "rafflekit: No code was given.\n")


def test_ctrl_d_at_the_question_is_no_code(screen: OnScreen, drawn: Drawn) -> None:
    number = drawn.wins[0]

    refused = screen(f"redeem {drawn.id} {number}", answers={"Code of ticket": "\x04"})

    assert refused.status == 2
    assert "No code was given." in refused.text


@pytest.mark.parametrize("sent", [b"x" * 10_000, b"\xff\xfe\x00"])
def test_a_wrong_code_from_standard_input_gets_a_hint(piped: Piped, drawn: Drawn, sent: bytes) -> None:
    refused = piped(f"verify {drawn.id} {drawn.wins[0]} -", sent)

    assert refused.status == 1
    assert refused.err.startswith("rafflekit: Invalid verification code: a code has 24 letters and digits, and this")


def test_the_raffle_is_found_before_the_code_is_asked_for(piped: Piped, drawn: Drawn) -> None:
    assert drawn.wins
    assert piped("verify Nothing 1 -", b"").err.startswith("rafflekit: No raffle")


def test_what_a_command_holds_does_not_show_its_secrets() -> None:
    wanted = _Wanted("Party", None, "INVITATION", None, "an idempotency key", None)
    forfeit = _Forfeit(1, Why.RENOUNCED, None, "CODE")

    assert "INVITATION" not in repr(wanted)
    assert "an idempotency key" not in repr(wanted)
    assert "CODE" not in repr(forfeit)
