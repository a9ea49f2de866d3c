"""One raffle, three surfaces: the library, the command line and HTTP, driven by the same scenarios.

Every driver speaks in the contract's shapes. What a surface refuses is raised as `Refused`, with the words in
which it says so.
"""

import io
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, Protocol

from rafflekit import Prize, RaffleEngine, RaffleError
from rafflekit.cli import main
from rafflekit.core import shapes
from tests.live_server import Answer, LiveServer

Shape = dict[str, Any]

PARTICIPANT_HAS_A_TICKET = "This participant already has a ticket for this raffle."
"""Only HTTP speaks of IP addresses."""


class Refused(Exception):
    """A surface said no, in these words."""


class Driver(Protocol):
    """The raffle's use cases as a surface offers them; `who` is a loopback address."""

    already_participated: str
    """How the surface refuses a second ticket."""

    def create(self, name: str, total_tickets: int, prizes: Sequence[tuple[str, int]]) -> Shape: ...
    def list(self) -> Shape: ...
    def get(self, raffle: str) -> Shape: ...
    def participate(self, raffle: str, who: str, key: str | None = None) -> Shape: ...
    def draw(self, raffle: str) -> Sequence[Shape]: ...
    def winners(self, raffle: str) -> Shape: ...
    def verify(self, raffle: str, number: int, code: str) -> Shape: ...


class LibraryDriver:
    """`import rafflekit`."""

    already_participated = PARTICIPANT_HAS_A_TICKET

    def __init__(self, database_url: str) -> None:
        self.engine = RaffleEngine(database_url)

    def create(self, name: str, total_tickets: int, prizes: Sequence[tuple[str, int]]) -> Shape:
        given = [Prize(*prize) for prize in prizes]
        return self.ask(
            lambda: shapes.raffle_shape(self.engine.create(name, total_tickets=total_tickets, prizes=given))
        )

    def list(self) -> Shape:
        return self.ask(lambda: shapes.raffle_page_shape(self.engine.list()))

    def get(self, raffle: str) -> Shape:
        return self.ask(lambda: shapes.raffle_shape(self.engine.get(raffle)))

    def participate(self, raffle: str, who: str, key: str | None = None) -> Shape:
        return self.ask(lambda: shapes.ticket_shape(self.engine.participate(raffle, who, idempotency_key=key)))

    def draw(self, raffle: str) -> Sequence[Shape]:
        return self.ask(lambda: [shapes.win_shape(win) for win in self.engine.draw(raffle)])

    def winners(self, raffle: str) -> Shape:
        return self.ask(lambda: shapes.win_page_shape(self.engine.winners(raffle)))

    def verify(self, raffle: str, number: int, code: str) -> Shape:
        return self.ask(lambda: shapes.verification_shape(self.engine.verify(raffle, number, code)))

    def ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except RaffleError as refusal:
            raise Refused(str(refusal)) from refusal

    def close(self) -> None:
        self.engine.close()


class CommandLineDriver:
    """`rafflekit … --json`."""

    already_participated = PARTICIPANT_HAS_A_TICKET

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    def create(self, name: str, total_tickets: int, prizes: Sequence[tuple[str, int]]) -> Shape:
        options = [option for prize, amount in prizes for option in ("--prize", f"{prize}:{amount}")]
        return self.run("create", name, "--tickets", str(total_tickets), *options)

    def list(self) -> Shape:
        return self.run("list")

    def get(self, raffle: str) -> Shape:
        return self.run("show", raffle)

    def participate(self, raffle: str, who: str, key: str | None = None) -> Shape:
        return self.run("participate", raffle, who, *([] if key is None else ["--idempotency-key", key]))

    def draw(self, raffle: str) -> Sequence[Shape]:
        return self.run("draw", raffle, "--yes")

    def winners(self, raffle: str) -> Shape:
        return self.run("winners", raffle)

    def verify(self, raffle: str, number: int, code: str) -> Shape:
        return self.run("verify", raffle, str(number), code)

    def run(self, *arguments: str) -> Any:
        printed, complained = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(complained):
            status = main([*arguments, "--json", "--database-url", self.database_url])
        if status:
            assert printed.getvalue() == ""
            raise Refused(complained.getvalue())
        return json.loads(printed.getvalue())

    def close(self) -> None:
        pass


class HttpDriver:
    """The HTTP API, over a socket; the manager is 127.0.0.1."""

    already_participated = "Your ip address has already participated in this raffle"

    def __init__(self, server: LiveServer) -> None:
        self.server = server

    def create(self, name: str, total_tickets: int, prizes: Sequence[tuple[str, int]]) -> Shape:
        body = {
            "name": name,
            "total_tickets": total_tickets,
            "prizes": [{"name": prize, "amount": amount} for prize, amount in prizes],
        }
        return self.read(201, self.server.request("POST", "/raffles/", body))

    def list(self) -> Shape:
        return self.read(200, self.server.request("GET", "/raffles/"))

    def get(self, raffle: str) -> Shape:
        return self.read(200, self.server.request("GET", f"/raffles/{raffle}/"))

    def participate(self, raffle: str, who: str, key: str | None = None) -> Shape:
        headers = {} if key is None else {"Idempotency-Key": f'"{key}"'}
        return self.read(201, self.server.request_from(who, "POST", f"/raffles/{raffle}/participate/", None, **headers))

    def draw(self, raffle: str) -> Sequence[Shape]:
        return self.read(201, self.server.request("POST", f"/raffles/{raffle}/winners/"))

    def winners(self, raffle: str) -> Shape:
        return self.read(200, self.server.request("GET", f"/raffles/{raffle}/winners/"))

    def verify(self, raffle: str, number: int, code: str) -> Shape:
        body = {"ticket_number": number, "verification_code": code}
        return self.read(200, self.server.request("POST", f"/raffles/{raffle}/verify-ticket/", body))

    def read(self, expected: int, answer: Answer) -> Any:
        if answer.status >= 400:
            raise Refused(answer.json["detail"])
        assert answer.status == expected
        return answer.json

    def close(self) -> None:
        pass
