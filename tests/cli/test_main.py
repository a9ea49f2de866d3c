"""The outermost edge: help, version, exit statuses, and how a command line ends that was broken off."""

import errno
import io
import logging
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import rafflekit
from rafflekit import Prize, RaffleEngine
from rafflekit.cli import commands as rafflekit_commands
from rafflekit.cli import main
from tests.cli.conftest import OnScreen, Process, Session, Terminal
from tests.waiting import LIMIT_S

HEADINGS = {
    "Run a raffle": [
        "create",
        "edit",
        "list",
        "show",
        "print",
        "participate",
        "close",
        "cancel",
        "draw",
        "export",
        "winners",
        "verify",
        "redeem",
        "forfeit",
        "queue",
        "simulate",
        "demo",
    ],
    "Prove it": ["receipt", "checkpoint", "proof", "audit", "key", "witness"],
    "Keep it running": ["pass", "serve", "backup", "doctor", "purge", "db"],
}
COMMANDS = [command for commands in HEADINGS.values() for command in commands]
GROUPS = {
    "key": ["make", "show"],
    "witness": ["add", "sign"],
    "print": ["poster", "tickets", "invitations", "winners", "certificate", "return"],
    "pass": ["make", "list", "revoke"],
    "db": ["status", "upgrade"],
}
WITH_A_DATABASE = [command for command in COMMANDS if command not in ("audit", "demo", "simulate", *GROUPS)]
WITH_JSON = [
    "simulate",
    "audit",
    *(command for command in WITH_A_DATABASE if command not in ("serve", "receipt", "checkpoint", "proof")),
]


def test_version_is_the_packages(terminal: Terminal) -> None:
    assert terminal("--version") == Session(0, f"rafflekit {rafflekit.__version__}\n", "")


def test_python_m_rafflekit_is_the_command_line(process: Process) -> None:
    assert process("--version") == Session(0, f"rafflekit {rafflekit.__version__}\n", "")


def test_the_help_lists_the_commands_under_headings(terminal: Terminal) -> None:
    status, out, err = terminal("--help")

    assert (status, err) == (0, "")
    for heading, commands in HEADINGS.items():
        lines = out.partition(f"\n{heading}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines] == commands


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_a_list_of_commands_cuts_no_sentence(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    lines = terminal(f"{group} --help").out.splitlines()

    listed = [line for line in lines if re.match(r"  \w+  +\w", line)]
    assert len(listed) == len(GROUPS[group] if group else COMMANDS)
    assert all(line.endswith(".") and not line.endswith("..") for line in listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_begins_with_its_line_of_the_list(terminal: Terminal, command: str) -> None:
    assert terminal(f"{command} --help").out.splitlines()[2].strip() == rafflekit_commands.COMMANDS[command].summary


def test_rafflekit_alone_shows_the_help(terminal: Terminal) -> None:
    assert terminal("") == terminal("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(terminal: Terminal, command: str) -> None:
    status, out, err = terminal(f"{command} --help")

    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: rafflekit {command} ")
    assert ("--database-url URL" in out) == (command in WITH_A_DATABASE)
    assert ("RAFFLEKIT_DATABASE_URL" in out) == (command in WITH_A_DATABASE)
    assert ("--json" in out) == (command in WITH_JSON)


def test_the_help_of_create_has_an_example_and_explains_prizes(terminal: Terminal) -> None:
    words = " ".join(terminal("create --help").out.split())

    assert 'rafflekit create "Foobar raffle" --tickets 15 --prize "invisibility:1" --prize "warm hug:3"' in words
    assert "If a name ends in ':<number>', add the amount: 'radio 1:5:1'." in words


def test_the_help_is_plain_text_on_a_terminal_too(screen: OnScreen, process: Process) -> None:
    for line in ("--help", "create --help"):
        assert screen(line).text.split() == process(line).out.split()


# Each with what it may not import: a short command is to be quick.
@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("--help", "sqlalchemy argon2 rich pydantic http.client urllib.request falcon msgspec rafflekit.cli.render"),
        (
            "list",
            "alembic cryptography rich pydantic http.client urllib.request falcon "
            "rafflekit.core.relays rafflekit.core.protocol.audit rafflekit.cli.commands.audit",
        ),
    ],
)
def test_a_short_command_imports_nothing_heavy(line: str, heavy: str) -> None:
    program = (
        f"import sys; from rafflekit.cli import main; assert main([{line!r}]) == 0; "
        f"print(*set({heavy.split()!r}) & set(sys.modules), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S, check=True)

    assert done.stderr.replace("There are no raffles yet; 'rafflekit create' creates one.", "").strip() == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("raffel", "No such command 'raffel'. 'rafflekit --help' says more."),
        ("creat", "No such command 'creat'. Did you mean 'create'? 'rafflekit --help' says more."),
        ("--nonsense", "No such option: --nonsense. 'rafflekit --help' says more."),
        ("show", "Missing argument 'RAFFLE'. 'rafflekit show --help' says more."),
        ("verify a b c", "Invalid value for 'NUMBER': 'b' is not a whole number. 'rafflekit verify --help' says more."),
        (
            "serve --port 70000",
            "Invalid value for '--port': 70000 is not between 0 and 65535. 'rafflekit serve --help' says more.",
        ),
        (
            f"serve --port {'9' * 35}",
            f"Invalid value for '--port': {'9' * 35} is not between 0 and 65535. 'rafflekit serve --help' says more.",
        ),
        (
            "participate a -x",
            "No such option: -x; write -- before a text that begins with -. 'rafflekit participate --help' says more.",
        ),
        ("show a b", "Got unexpected extra argument(s) (b). 'rafflekit show --help' says more."),
    ],
)
def test_wrong_usage_is_a_sentence_and_status_2(terminal: Terminal, line: str, sentence: str) -> None:
    assert terminal(line) == Session(2, "", f"rafflekit: {sentence}\n")


def test_a_database_that_cannot_be_reached_is_status_3(terminal: Terminal) -> None:
    status, out, err = terminal("list --database-url sqlite:////nowhere/raffles.db")

    assert (status, out) == (3, "")
    assert err.startswith("rafflekit: The database /nowhere/raffles.db cannot be made")


def test_another_programs_database_is_status_3(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE raffles (other INTEGER)")

    status, out, err = terminal(f"list --database-url sqlite:///{path}")

    assert (status, out) == (3, "")
    assert err.startswith("rafflekit: ")


@pytest.mark.parametrize("url", ["nonsense", "''", "mysql://host/raffles"])
def test_a_wrong_database_url_is_status_2(terminal: Terminal, url: str) -> None:
    status, out, err = terminal(f"list --database-url {url}")

    assert (status, out) == (2, "")
    assert "--database-url is" in err


def test_a_setting_that_cannot_be_read_is_status_2(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANAGER_IPS", "me")

    status, out, err = terminal("list")

    assert (status, out) == (2, "")
    assert err.startswith("rafflekit: MANAGER_IPS is 'me'")


def test_the_option_wins_over_the_variable(
    terminal: Terminal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(f"create Here --tickets 1 --prize a --database-url {database_url}")
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", "sqlite:////nowhere/raffles.db")

    assert "Here" in terminal(f"list --database-url {database_url}").out
    assert terminal("list").status == 3


def test_by_default_raffles_are_kept_in_the_users_folder(process: Process, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "RAFFLEKIT_DATABASE_URL": ""}

    assert process("create Home --tickets 1 --prize a", **home).status == 0
    assert "Home" in process("list", **home).out


def test_every_command_hashes_with_the_settings_parameters(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAFFLEKIT_ARGON2_MEMORY_KIB", "1")

    status, _, err = terminal("list")

    assert status == 2
    assert "RAFFLEKIT_ARGON2_MEMORY_KIB" in err


def test_an_unexpected_error_is_one_sentence_and_status_70(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(RaffleEngine, "list", break_down)
    caplog.set_level(logging.DEBUG, "rafflekit.cli")

    listed = terminal("list")

    sentence = "Something unexpected went wrong (ZeroDivisionError). Please report it, with your command."
    assert listed == Session(70, "", f"rafflekit: {sentence}\n")
    assert "secret detail" in caplog.text


def test_ctrl_c_is_status_130_and_quiet(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RaffleEngine, "list", interrupt)

    assert terminal("list") == Session(130, "", "")


@pytest.mark.parametrize("line", ["--help", "list --json"])
def test_a_reader_that_has_enough_causes_no_complaint(line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "rafflekit", *line.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "line", [*(each for each in COMMANDS if each not in GROUPS), *(f"{g} {each}" for g in GROUPS for each in GROUPS[g])]
)
def test_the_help_of_a_command_has_no_types_or_ranges(terminal: Terminal, line: str) -> None:
    usage, _, rest = terminal(f"{line} --help").out.partition("\n\n")

    pieces = r"( [A-Z]+| \[[A-Z]+\])*( --[a-z]+ [A-Z]+)* \[OPTIONS\]"
    assert re.fullmatch(f"Usage: rafflekit {line}{pieces}", " ".join(usage.split()))
    assert not re.search(r"<str>|<path>|\[required|\[default|<=|\{", rest)


def test_the_help_shows_what_must_be_given_and_each_default(terminal: Terminal) -> None:
    shown = terminal("export --help").out

    assert shown.startswith("Usage: rafflekit export RAFFLE WHAT --out FILE [OPTIONS]\n")
    assert "For 'invitations': the first one's number. Default: 1." in " ".join(shown.split())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("create x --tickets", "Option '--tickets' requires an argument. 'rafflekit create --help' says more."),
        ("key make --name", "Option '--name' requires an argument. 'rafflekit key make --help' says more."),
        (
            "serve --server foo",
            "Invalid value for '--server': 'foo' is not one of waitress, granian. 'rafflekit serve --help' says more.",
        ),
    ],
)
def test_a_wrong_option_names_the_help_of_its_command(terminal: Terminal, line: str, sentence: str) -> None:
    assert terminal(line) == Session(2, "", f"rafflekit: {sentence}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_argument_that_is_not_unicode_is_refused(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, "\udcff"]) == 2

    assert capsys.readouterr() == ("", "rafflekit: Argument 2 is not valid text in UTF-8.\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_full_disk_does_not_pass_for_success(database_url: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rafflekit", "list", "--json", "--database-url", database_url],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT_S,
            check=False,
        )

    assert done.returncode == 74
    reason = b"The output could not be written: No space left on device. What was done before is kept."
    assert done.stderr == b"rafflekit: " + reason + b"\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_output_is_complete_where_complaints_have_no_room(engine: RaffleEngine) -> None:
    for name in ("One", "Two", "Three"):
        engine.create(name, total_tickets=1, prizes=[Prize("hug")])

    with open("/dev/full", "w") as full:
        # It remarks on the pages that are left, where there is no room for it.
        done = subprocess.run(
            [sys.executable, "-m", "rafflekit", "list", "--page-size", "1"],
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=LIMIT_S,
            check=False,
        )

    assert done.returncode == 74
    assert b"Three" in done.stdout


class Broken(io.StringIO):
    """A stream of a program's own, on which nothing can be written."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, f"no room for {len(text)} characters")


@pytest.mark.parametrize("out", [None, Broken()], ids=["no output", "broken output"])
@pytest.mark.parametrize("err", [None, Broken()], ids=["no errors", "broken errors"])
def test_a_program_that_calls_it_may_have_any_streams(
    monkeypatch: pytest.MonkeyPatch, out: io.StringIO | None, err: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    assert main(["show", "deadbeef"]) == 1


@pytest.mark.parametrize("line", ["list --json", "show deadbeef"])
def test_a_closed_stream_changes_nothing_on_the_other_one(line: str) -> None:
    def printed(closing: str) -> tuple[int, bytes, bytes]:
        program = ["sh", "-c", f'"$@" {closing}', "sh", sys.executable, "-m", "rafflekit", *line.split()]
        done = subprocess.run(program, capture_output=True, timeout=LIMIT_S, check=False)
        return done.returncode, done.stdout, done.stderr

    status, out, err = printed("")

    assert out or err
    assert printed(">&-") == (status, b"", err)
    assert printed("2>&-") == (status, out, b"")


def test_the_demo_needs_a_standard_output(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    assert terminal("demo") == Session(74, "", "rafflekit: There is no standard output to show the demo on.\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(("line", "status"), [("list", 74), ("show 7", 1), ("list --page 0", 2)])
def test_where_complaints_have_no_room_either_the_status_says_it(database_url: str, line: str, status: int) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rafflekit", *line.split(), "--database-url", database_url],
            stdout=full,
            stderr=full,
            timeout=LIMIT_S,
            check=False,
        )

    assert done.returncode == status
