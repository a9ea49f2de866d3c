"""Fixtures that read like a terminal session: type a line, see its status and what it printed."""

import io
import os
import pty
import re
import select
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from rafflekit import RaffleEngine
from rafflekit.cli import main
from rafflekit.core.models import Raffle, Ticket
from rafflekit.core.prizes import Prize
from tests.cli.drawn import Drawn, draw
from tests.programs import Program, run
from tests.waiting import LIMIT_S, wait_until


class Session(NamedTuple):
    """What a command line left: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class Screen(NamedTuple):
    """What a command line left on a pseudo-terminal, where both outputs are one."""

    status: int
    text: str


Terminal = Callable[[str], Session]
Process = Callable[..., Session]
OnScreen = Callable[..., Screen]


def without_styles(text: str) -> str:
    """Return what a screen shows without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """Point every command, of this process or a child, at the test's own database."""
    for name in os.environ:
        # PYTHONUNBUFFERED would hide what goes wrong when the last of the output is flushed.
        if name.startswith("RAFFLEKIT") or name in {"MANAGER_IPS", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", database_url)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    """The local time of every command is UTC, wherever the tests run."""
    yield from _in_zone("UTC0")


@pytest.fixture
def an_hour_ahead() -> Iterator[None]:
    """The local time of every command is one hour ahead of UTC."""
    yield from _in_zone("XYZ-1")


def _in_zone(zone: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Type a line after `rafflekit`, run in this process; standard input is empty."""

    def enter(line: str) -> Session:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        status = main(shlex.split(line))
        return Session(status, *capsys.readouterr())

    return enter


@pytest.fixture
def process() -> Process:
    """Type a line after `rafflekit`, run in a separate process; keywords are environment variables."""

    def enter(line: str, **environment: str) -> Session:
        done = run([sys.executable, "-m", "rafflekit", *shlex.split(line)], env=os.environ | environment)
        return Session(done.returncode, done.stdout.decode(), done.stderr.decode())

    return enter


@pytest.fixture
def screen() -> Iterator[OnScreen]:
    """Type a line after `rafflekit` on a pseudo-terminal; `answers` maps what is waited for to what is typed then."""
    programs: list[Program] = []

    def enter(line: str, *, answers: dict[str, str] | None = None, **environment: str) -> Screen:
        ours, theirs = pty.openpty()
        surroundings = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment
        command = [sys.executable, "-m", "rafflekit", *shlex.split(line)]
        program = Program(command, terminal=True, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings)
        programs.append(program)
        os.close(theirs)
        text = _dialogue(program, ours, dict(answers or {}))
        os.close(ours)
        return Screen(program.wait(LIMIT_S), text)

    yield enter
    for program in programs:
        program.kill()
        program.wait()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the commands run."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def raffle(engine: RaffleEngine) -> Raffle:
    """A raffle of three tickets with two prizes, next to another one in the same database."""
    engine.create("Another raffle", total_tickets=9, prizes=[Prize("tea")])
    return engine.create("Foobar raffle", total_tickets=3, prizes=[Prize("invisibility"), Prize("warm hug")])


@pytest.fixture
def tickets(engine: RaffleEngine, raffle: Raffle) -> list[Ticket]:
    """All three tickets of that raffle, which is sold out then."""
    return [engine.participate(raffle.id, who) for who in ("ada", "bob", "cy")]


@pytest.fixture
def sold_out(engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]) -> Raffle:
    """That raffle when its last ticket is gone."""
    assert len(tickets) == raffle.total_tickets
    return engine.get(raffle.id)


@pytest.fixture
def drawn(engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]) -> Drawn:
    """That raffle after its draw."""
    return draw(engine, raffle, tickets)


def _dialogue(program: Program, master: int, answers: dict[str, str]) -> str:
    process = psutil.Process(program.pid)
    seen = b""
    ends_at = time.monotonic() + LIMIT_S
    while True:
        ready, _, _ = select.select([master], [], [], max(0.0, ends_at - time.monotonic()))
        assert ready, f"nothing more came after {seen!r}"
        try:
            some = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            some = b""
        if not some:
            return seen.decode()
        seen += some
        for question in [question for question in answers if question.encode() in seen]:
            # A Ctrl-C between the question and the waiting for its answer would be noticed with the next key.
            wait_until(lambda: process.status() == psutil.STATUS_SLEEPING)
            os.write(master, answers.pop(question).encode())
