"""A database that cannot be used, by every face: a sentence that says why, and nothing half-written.

The command line ends with status 3. HTTP answers 503 and does not mention files; the log names them.
"""

import resource
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.cli import main
from rafflekit.core.storage import sqlite
from rafflekit.http.wsgi import ForkSafeApplication
from tests.databases import writers_waiting
from tests.faults.stored import everything
from tests.live_server import LiveServer, Serve
from tests.raffles import sell_all
from tests.users import as_nobody

ROOM_BYTES = 4096
"""Less than the first page that SQLite writes takes with its frame in the write-ahead log."""


class Raffles(NamedTuple):
    """A database file with a raffle in each state, and a ticket of the drawn one."""

    database: Path
    open: UUID
    sold_out: UUID
    drawn: UUID
    number: int
    code: str


class Fault(NamedTuple):
    """What happens to the file, what the message says, and whether reads still work and a change may be kept."""

    happens: Callable[[Path], AbstractContextManager[object]]
    sentence: str
    can_read: bool = False
    problem: str = "storage-unavailable"
    is_in_doubt: bool = False


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Raffles:
    """The database that each test gets a copy of."""
    database = tmp_path_factory.mktemp("made") / "raffles.db"
    with RaffleEngine(f"sqlite:///{database}") as engine:
        made = [engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")]) for _ in range(3)]
        tickets = [sell_all(engine, raffle) for raffle in made[1:]]
        engine.draw(made[2].id)
    return Raffles(database, *(raffle.id for raffle in made), tickets[1][0].number, tickets[1][0].verification_code)


@pytest.fixture
def raffles(made: Raffles) -> Iterator[Raffles]:
    """A database in its own folder, which can become another user's; pytest's folder is inside that of one user."""
    folder = Path(tempfile.mkdtemp(prefix="rafflekit-"))
    database = folder / "raffles.db"
    shutil.copyfile(made.database, database)
    shutil.copyfile(f"{made.database}.key", f"{database}.key")
    yield made._replace(database=database)
    shutil.rmtree(folder)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Let another program lock the file."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full_disk(database: Path) -> Iterator[None]:
    """Keep every file of this process below a few bytes; another process keeps the database open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RaffleEngine(f"sqlite:///{database}"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only_file(database: Path) -> Iterator[None]:
    database.chmod(0o400)
    with as_nobody(database.parent):
        yield
    database.chmod(0o600)


@contextmanager
def read_only_folder(database: Path) -> Iterator[None]:
    database.parent.chmod(0o500)
    with as_nobody(database.parent):
        yield
    database.parent.chmod(0o700)


@contextmanager
def other_bytes(database: Path) -> Iterator[None]:
    content = database.read_bytes()
    database.write_bytes(b"Dear diary, " * 1_000)
    yield
    database.write_bytes(content)


@contextmanager
def newer_layout(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database)) as connection:
        [(before,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        yield
        connection.execute("UPDATE alembic_version SET version_num = ?", (before,))
        connection.commit()


FAULTS = {
    "locked": Fault(locked, "is in use by another program; try again when that is done"),
    "written by another program": Fault(writers_waiting, "is in use by another program", can_read=True),
    "full disk": Fault(full_disk, "the disk is full", can_read=True, is_in_doubt=True),
    "read-only file": Fault(read_only_file, "cannot be written; check the permissions of the file", can_read=True),
    "read-only folder": Fault(
        read_only_folder, "cannot be written; check the permissions of the file, its -wal and -shm"
    ),
    "no database": Fault(other_bytes, "is not a SQLite database; name another file"),
    "newer layout": Fault(newer_layout, "has the layout 9999, and this rafflekit knows", problem="schema-mismatch"),
}

READING = {
    "list": "list",
    "show": "show {open}",
    "winners": "winners {drawn}",
    "verify": "verify {drawn} {number} {code}",
}
CHANGING = {
    "create": "create Foobar --tickets 3 --prize hug",
    "participate": "participate {open} ann",
    "participate --from": "participate {open} --from {people} --out {out}",
    "draw": "draw {sold_out} --yes",
}
GETS = {
    "list": "/raffles/",
    "detail": "/raffles/{open}/",
    "winners": "/raffles/{drawn}/winners/",
}
POSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "create": ("/raffles/", {"name": "Foobar", "total_tickets": 3, "prizes": [{"name": "hug", "amount": 1}]}),
    "participate": ("/raffles/{open}/participate/", {}),
    "draw": ("/raffles/{sold_out}/winners/", {}),
}


Command = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait half a minute for another program."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)


@pytest.fixture
def command(raffles: Raffles, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Fill the raffles into a command line."""
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", f"sqlite:///{raffles.database}")
    people, out = raffles.database.with_name("people.csv"), raffles.database.with_name("tickets.csv")
    people.write_text("ann\nbob\n")
    return lambda line: line.format(**raffles._asdict(), people=people, out=out).split()


@pytest.fixture
def client(raffles: Raffles) -> testing.TestClient:
    """A client of the application, which has not opened the database yet."""
    environment = {"RAFFLEKIT_DATABASE_URL": f"sqlite:///{raffles.database}", "MANAGER_IPS": "127.0.0.1"}
    return testing.TestClient(ForkSafeApplication(environment), headers={"Host": "localhost"})


def cases(commands: dict[str, Any], *, reading: bool) -> list[Any]:
    return [
        pytest.param(FAULTS[fault], command, id=f"{fault}-{name}")
        for fault in FAULTS
        for name, command in commands.items()
        if not (reading and FAULTS[fault].can_read)
    ]


@pytest.mark.parametrize(("fault", "line"), cases(READING, reading=True) + cases(CHANGING, reading=False))
def test_a_command_says_what_is_wrong_and_does_nothing(
    raffles: Raffles, command: Command, fault: Fault, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(raffles.database)

    with fault.happens(raffles.database):
        status = main(command(line))

    out, err = capsys.readouterr()
    # A list is read, and shown, before the first ticket.
    complaint, *remarks = [said for said in err.splitlines() if not said.startswith("people.csv: ")]
    assert (status, out) == (3, "")
    assert complaint.startswith(f"rafflekit: The database {raffles.database} ")
    assert fault.sentence in complaint
    assert remarks in ([], ["Rerun the same command to resume; nothing is lost."])
    assert everything(raffles.database) == before
    assert main(command(line)) == 0


@pytest.mark.parametrize("line", READING.values(), ids=READING)
@pytest.mark.parametrize("fault", [name for name in FAULTS if FAULTS[name].can_read])
def test_a_command_that_only_reads_continues(raffles: Raffles, command: Command, fault: str, line: str) -> None:
    with FAULTS[fault].happens(raffles.database):
        assert main(command(line)) == 0


@pytest.mark.parametrize(("fault", "path"), cases(GETS, reading=True))
def test_a_request_that_reads_is_answered_503(
    raffles: Raffles, client: testing.TestClient, fault: Fault, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with fault.happens(raffles.database):
        answer = client.simulate_get(path.format(**raffles._asdict()))

    check_problem(answer, fault, raffles, caplog.text)
    assert client.simulate_get(path.format(**raffles._asdict())).status_code == 200


@pytest.mark.parametrize("path", GETS.values(), ids=GETS)
@pytest.mark.parametrize("fault", [name for name in FAULTS if FAULTS[name].can_read])
def test_a_request_that_only_reads_continues(
    raffles: Raffles, client: testing.TestClient, fault: str, path: str
) -> None:
    with FAULTS[fault].happens(raffles.database):
        assert client.simulate_get(path.format(**raffles._asdict())).status_code == 200


@pytest.mark.parametrize(("fault", "request_"), cases(POSTS, reading=False))
def test_a_write_that_cannot_be_stored_is_answered_503(
    raffles: Raffles,
    client: testing.TestClient,
    fault: Fault,
    request_: tuple[str, dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, body = request_[0].format(**raffles._asdict()), request_[1]
    before = everything(raffles.database)

    with fault.happens(raffles.database):
        answer = client.simulate_post(path, json=body, remote_addr="127.0.0.1")

    check_problem(answer, fault, raffles, caplog.text)
    # The disk refuses the commit, and it is unknown how much was written.
    advice = (
        "This request may or may not have been carried out"
        if fault.is_in_doubt
        else "This request has changed nothing."
    )
    assert f"Try again later. {advice}" in answer.json["detail"]
    assert everything(raffles.database) == before
    assert client.simulate_post(path, json=body, remote_addr="127.0.0.1").status_code == 201


def check_problem(answer: testing.Result, fault: Fault, raffles: Raffles, log: str) -> None:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json["type"] == f"urn:rafflekit:problem:{fault.problem}"
    for internal in (raffles.database.name, str(raffles.database.parent), "SQL", "sqlite", "9999", "disk", "Traceback"):
        assert internal not in answer.text
    assert f"The database {raffles.database} " in log
    assert fault.sentence in log


@pytest.mark.parametrize("fault", [name for name in FAULTS if not FAULTS[name].can_read])
def test_a_server_does_not_start_on_a_broken_database(
    raffles: Raffles, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", f"sqlite:///{raffles.database}")
    # The user `nobody` may not read what a start imports.
    import rafflekit.http.serving.waitress_server  # noqa: F401

    with FAULTS[fault].happens(raffles.database):
        assert main(["serve", "--port", "0"]) == 3

    assert FAULTS[fault].sentence in capsys.readouterr().err


@pytest.mark.parametrize("server", [[], ["--server", "granian"]], ids=["waitress", "granian"])
def test_a_server_reports_a_full_disk_until_there_is_room(serve: Serve, raffles: Raffles, server: list[str]) -> None:
    live = serve(*server, RAFFLEKIT_DATABASE_URL=f"sqlite:///{raffles.database}", MANAGER_IPS="127.0.0.1")
    before = everything(raffles.database)
    reads = [path.format(**raffles._asdict()) for path in GETS.values()]
    posts = [(path.format(**raffles._asdict()), body) for path, body in POSTS.values()]
    assert [live.request("GET", path).status for path in reads] == [200] * 3

    with no_room_for(live):
        refused = [live.request("POST", path, body) for path, body in posts]
        assert [live.request("GET", path).status for path in reads] == [200] * 3

    assert [answer.status for answer in refused] == [503] * 3
    assert {answer.json["type"] for answer in refused} == {"urn:rafflekit:problem:storage-unavailable"}
    assert all("This request may or may not have been carried out" in answer.json["detail"] for answer in refused)
    assert everything(raffles.database) == before
    assert [live.request("POST", path, body).status for path, body in posts] == [201] * 3


@contextmanager
def no_room_for(live: LiveServer) -> Iterator[None]:
    """Let no file of a server and its workers grow beyond a few bytes."""
    parent = live.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    processes = [parent, *map(int, children)]
    before = {process: resource.prlimit(process, resource.RLIMIT_FSIZE) for process in processes}
    for process, (_, hard) in before.items():
        resource.prlimit(process, resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
    yield
    for process, limit in before.items():
        resource.prlimit(process, resource.RLIMIT_FSIZE, limit)
