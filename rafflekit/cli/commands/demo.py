"""`rafflekit demo`: a whole raffle in a temporary folder, shown as it happens.

The server and the commands are real. Every answer is checked, and a wrong one ends the demo.
"""

import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import IO_FAILED, REFUSED, CommandStopped
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.core import shapes
from rafflekit.core.errors import InvalidVerificationCode, SoldOut
from rafflekit.core.prizes import Prize
from rafflekit.core.written_prizes import write_prize

if TYPE_CHECKING:
    from rafflekit.cli.commands.demo_server import Answer, DemoServer, ManagersTerminal

_NAME = "Foobar raffle"
_PRIZES = (Prize("invisibility"), Prize("warm hug", 3))
_AT_A_TIME = 8
# Over HTTP, the participant is an IP address.
_ALREADY_PARTICIPATED = "Your ip address has already participated in this raffle"


def run_demo(
    *,
    tickets: Annotated[
        int, typer.Option(metavar="COUNT", min=5, max=499, help="The number of tickets, from 5 to 499.")
    ] = 30,
) -> None:
    """Watch a whole raffle, from the first ticket to the winners.

    The demo starts a real server, sends participants over HTTP, draws the winners and verifies every ticket. Nothing
    of it stays on your machine.
    """
    if sys.stdout is None:
        raise CommandStopped("There is no standard output to show the demo on.", status=IO_FAILED)
    from rafflekit.cli.commands.demo_server import COMMAND, ManagersTerminal, running_server

    with ending_as_with_ctrl_c(), TemporaryDirectory(prefix="rafflekit-demo-") as folder:
        url = f"sqlite:///{folder}/raffles.db"
        with running_server(url, log=Path(folder, "server.log")) as server:
            _show_command(COMMAND)
            _show(server.announcement)
            winners = _Demo(ManagersTerminal(url), server).run(tickets)
    terminal.say("")
    terminal.say(
        f"{tickets} tickets, {winners} winners, every answer checked. The server and the database are deleted.",
        style="bold green",
    )


class _Demo:
    """The raffle from its creation to its last verification."""

    def __init__(self, manager: "ManagersTerminal", server: "DemoServer") -> None:
        self.manager = manager
        self.server = server

    def run(self, total_tickets: int) -> int:
        """Return the number of winners."""
        raffle = self.create(total_tickets)
        tickets = self.hand_out(raffle, total_tickets)
        wins = self.draw(raffle)
        self.compare_winners(raffle, wins)
        self.verify(raffle, tickets, wins)
        command = ("rafflekit", "winners", raffle[:8])
        _show_command(command)
        self.manager.show(command)
        return len(wins)

    def create(self, total_tickets: int) -> str:
        prizes = [argument for prize in _PRIZES for argument in ("--prize", write_prize(prize))]
        command = ("rafflekit", "create", _NAME, "--tickets", str(total_tickets), *prizes, "--json")
        _show_command(command)
        raffle: str = self.manager.ask(command)["id"]
        _show(f"raffle {raffle}")
        return raffle

    def hand_out(self, raffle: str, total: int) -> dict[int, str]:
        """Return the code of every ticket, by its number."""
        _show_request(f"POST {_short(raffle)}/participate/", f"from {_address(0)}")
        answers = [self.participate(raffle, 0)]
        _show(f"{answers[0]} ticket {_ticket(answers[0])[0]}, with a code that is shown only once")

        _show_request("once more", f"from {_address(0)}")
        _refused(self.participate(raffle, 0), 403, _ALREADY_PARTICIPATED)

        _show_request(f"{total - 1} times", f"from {total - 1} other addresses, {_AT_A_TIME} at a time")
        with ThreadPoolExecutor(_AT_A_TIME) as crowd, terminal.counting("Handing out tickets", total - 1) as advance:
            for answer in crowd.map(lambda participant: self.participate(raffle, participant), range(1, total)):
                answers.append(answer)
                advance()
        tickets = dict(_ticket(answer) for answer in answers)
        _expect(sorted(tickets) == list(range(1, total + 1)), "the ticket numbers are not 1 to the last, each once")
        order = " ".join(str(_ticket(answer)[0]) for answer in answers[:12])
        _show(f"201 each: every number from 1 to {total} once, in an order that no one can predict:")
        _show(f"{order} …")

        _show_request("one more", f"from {_address(total)}")
        _refused(self.participate(raffle, total), 410, SoldOut.sentence)
        return tickets

    def participate(self, raffle: str, participant: int) -> "Answer":
        return self.server.request("POST", f"/raffles/{raffle}/participate/", address=_address(participant))

    def draw(self, raffle: str) -> list[shapes.WinShape]:
        command = ("rafflekit", "draw", raffle[:8], "--yes", "--json")
        _show_command(command)
        wins: list[shapes.WinShape] = self.manager.ask(command)
        _show(f"{len(wins)} winners drawn; a draw is final")
        return wins

    def compare_winners(self, raffle: str, wins: list[shapes.WinShape]) -> None:
        path = f"/raffles/{raffle}/winners/"
        _show_request(f"GET {_short(raffle)}/winners/", f"from {_address(0)}")
        answer = self.server.request("GET", path, address=_address(0))
        _expect(
            answer.status == 200 and answer.json["results"] == wins,
            f"the server does not list the winners that were drawn: {answer}",
        )
        _show(f"200 the same {len(wins)} winners, in the same order")

    def verify(self, raffle: str, tickets: dict[int, str], wins: list[shapes.WinShape]) -> None:
        prizes = {win["ticket_number"]: win["prize"] for win in wins}
        path = f"/raffles/{raffle}/verify-ticket/"
        _show_request(f"POST {_short(raffle)}/verify-ticket/", f"{len(tickets)} times: every ticket with its code")
        with terminal.counting("Verifying tickets", len(tickets)) as advance:
            for number, code in tickets.items():
                answer = self.server.request("POST", path, _proof(number, code), address=_address(0))
                prize = prizes.get(number)
                _expect(
                    answer.status == 200 and answer.json == {"has_won": prize is not None, "prize": prize},
                    f"ticket {number} should have won {prize or 'nothing'}: {answer}",
                )
                advance()
        _show(f"200 each: {len(prizes)} winners with their prizes, {len(tickets) - len(prizes)} tickets without")

        winner, other = wins[0]["ticket_number"], next(number for number in tickets if number not in prizes)
        _show_request("once more", f"ticket {winner} with the code of ticket {other}")
        wrong = self.server.request("POST", path, _proof(winner, tickets[other]), address=_address(0))
        _refused(wrong, 400, InvalidVerificationCode.sentence)


def _short(raffle: str) -> str:
    """Return a raffle's path with a short id, to fit on a line of a terminal."""
    return f"/raffles/{raffle[:8]}…"


def _address(participant: int) -> str:
    from rafflekit.cli.commands.demo_server import address

    return address(participant)


def _proof(number: int, code: str) -> dict[str, object]:
    return {"ticket_number": number, "verification_code": code}


def _ticket(answer: "Answer") -> tuple[int, str]:
    _expect(answer.status == 201, f"a ticket was refused: {answer}")
    return answer.json["ticket_number"], answer.json["verification_code"]


def _refused(answer: "Answer", status: int, sentence: str) -> None:
    _expect(
        answer.status == status and sentence in str(answer),
        f"{status} {sentence} was expected, but the answer is: {answer}",
    )
    _show(str(answer))


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CommandStopped(f"The demo went wrong: {otherwise}.", status=REFUSED)


def _show_command(words: Sequence[str]) -> None:
    terminal.say(f"$ {shlex.join(words)}", style="bold cyan")


def _show_request(request: str, circumstances: str) -> None:
    terminal.say(f"→ {request} ({circumstances})", style="bold")


def _show(answer: str) -> None:
    terminal.say(f"  {answer}")
