"""`rafflekit demo`: the real main job, checked as it goes, and nothing left behind."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from rafflekit.cli.commands import demo_server
from rafflekit.cli.commands.demo_server import Answer, DemoServer
from rafflekit.core.tickets.participants import normalise
from tests.cli.conftest import OnScreen, Process, Terminal, without_styles
from tests.programs import Program
from tests.waiting import LIMIT_S


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that has just begun; it writes below `folder`."""
    assert list(folder.iterdir()) == []
    process = Program(
        [sys.executable, "-m", "rafflekit", "demo", "--tickets", "499"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate(timeout=LIMIT_S)


@pytest.fixture
def _quick_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the demo's server and its commands; the demo itself runs in this process."""
    monkeypatch.setattr(subprocess, "Popen", Program)


def no_one_listens(announcement: str) -> bool:
    port = re.search(r"http://127\.0\.0\.1:(\d+)", announcement)
    assert port is not None
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port.group(1)))) != 0


def test_demo_shows_a_whole_raffle_and_leaves_nothing(process: Process, folder: Path, database: Path) -> None:
    status, out, err = process("demo --tickets 12", MANAGER_IPS="not to be read by the demo's server")

    assert (status, err) == (0, "")
    assert "$ rafflekit create 'Foobar raffle' --tickets 12 --prize invisibility:1 --prize 'warm hug:3'" in out
    assert "  403 Your ip address has already participated in this raffle\n" in out
    assert "  201 each: every number from 1 to 12 once" in out
    assert "  410 Tickets to this raffle are no longer available\n" in out
    assert "  200 each: 4 winners with their prizes, 8 tickets without\n" in out
    assert "  400 Invalid verification code\n" in out
    assert re.search(r"\n\d+\tinvisibility\n(\d+\twarm hug\n){3}\n12 tickets, 4 winners, every answer checked", out)
    assert "\x1b" not in out
    assert no_one_listens(out)
    assert list(folder.iterdir()) == []
    assert not database.exists()


def test_demo_is_colourful_on_a_terminal(screen: OnScreen, folder: Path) -> None:
    status, text = screen("demo")

    assert status == 0
    assert "Handing out tickets" in text
    assert "╭" in text
    assert "30 tickets, 4 winners, every answer checked" in without_styles(text)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_demo_that_is_broken_off_clears_up(
    running: subprocess.Popen[str], folder: Path, how: signal.Signals, status: int
) -> None:
    assert running.stdout is not None
    running.stdout.readline()
    announcement = running.stdout.readline()
    assert len(list(folder.iterdir())) == 1

    running.send_signal(how)
    _, err = running.communicate(timeout=LIMIT_S)

    assert (running.returncode, err) == (status, "")
    assert no_one_listens(announcement)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("_quick_starts")
@pytest.mark.parametrize(
    ("path", "lie", "sentence"),
    [
        ("participate", Answer(201, {"ticket_number": 1, "verification_code": "x"}), "403 Your ip address has already"),
        ("participate", Answer(500, {"detail": "Oh."}), "a ticket was refused: 500 Oh."),
        ("winners", Answer(200, {"results": []}), "the server does not list the winners that were drawn"),
        ("verify-ticket", Answer(200, {"has_won": True, "prize": "a yacht"}), "should have won"),
    ],
)
def test_demo_checks_what_the_server_says(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, path: str, lie: Answer, sentence: str
) -> None:
    honest = DemoServer.request

    def request(server: DemoServer, method: str, where: str, body: object = None, *, address: str) -> Answer:
        return lie if where.endswith(f"/{path}/") else honest(server, method, where, body, address=address)

    monkeypatch.setattr(DemoServer, "request", request)

    status, out, err = terminal("demo --tickets 5")

    assert status == 1
    assert err.startswith("rafflekit: The demo went wrong: ")
    assert sentence in err
    assert no_one_listens(out)
    assert "every answer checked" not in out


@pytest.mark.usefixtures("_quick_starts")
def test_demo_notices_a_number_that_is_given_out_twice(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = DemoServer.request

    def request(server: DemoServer, method: str, where: str, body: object = None, *, address: str) -> Answer:
        answer = honest(server, method, where, body, address=address)
        return Answer(201, answer.json | {"ticket_number": 1}) if answer.status == 201 else answer

    monkeypatch.setattr(DemoServer, "request", request)

    status, _, err = terminal("demo --tickets 5")

    assert status == 1
    assert "the ticket numbers are not 1 to the last, each once" in err


@pytest.mark.usefixtures("_quick_starts")
def test_the_demos_server_is_asked_to_stop_not_killed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[subprocess.Popen[str]] = []
    kill = subprocess.Popen.kill

    def note_and_kill(process: subprocess.Popen[str]) -> None:
        killed.append(process)
        kill(process)

    monkeypatch.setattr(subprocess.Popen, "kill", note_and_kill)

    assert terminal("demo --tickets 5").status == 0
    assert killed == []


def test_demo_says_why_its_server_does_not_start(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_server, "COMMAND", ("rafflekit", "serve", "--port", "nonsense"))

    status, _, err = terminal("demo")

    assert status == 2
    assert err.startswith("rafflekit: Invalid value for '--port'")


@pytest.mark.parametrize("tickets", ["4", "500", "many"])
def test_demo_takes_as_many_tickets_as_it_has_addresses(terminal: Terminal, tickets: str) -> None:
    status, out, err = terminal(f"demo --tickets {tickets}")

    assert (status, out) == (2, "")
    assert err.startswith("rafflekit: Invalid value for '--tickets'")


def test_the_demos_addresses_are_distinct_and_reserved() -> None:
    addresses = [demo_server.address(participant) for participant in range(demo_server.MOST_ADDRESSES)]

    assert len({normalise(address) for address in addresses}) == len(addresses)
    for address in map(ip_address, addresses):
        assert address in ip_network("203.0.113.0/24" if address.version == 4 else "2001:db8::/32")
