"""What the README and the docs say is so."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rafflekit import RaffleError
from rafflekit.cli import main
from rafflekit.cli.failures import EXIT_STATUSES
from rafflekit.core import limits
from rafflekit.core.settings import VARIABLES
from rafflekit.http.problems import STATUSES
from tests.project.session import README, Session, normalised, steps_of

ERRORS = (README.parent / "docs" / "errors.md").read_text()


def test_the_terminal_session_prints_what_the_readme_shows(tmp_path: Path) -> None:
    session = Session(tmp_path)
    steps = steps_of(README.read_text())
    try:
        printed = [(step.command, normalised(session.run(step).output)) for step in steps]
    finally:
        session.end()

    assert printed == [(step.command, normalised(step.output)) for step in steps]


def test_the_library_example_runs_as_it_stands(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)

    ran = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert len(ran.stdout.splitlines()) == 3
    assert ran.stdout.count("has_won=True, prize='warm hug'") == 2


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_has_its_line(variable: tuple[str, str, str]) -> None:
    name, purpose, default = variable

    assert f"| `{name}` | {purpose} | {default} |" in README.read_text()


def help_of(*words: str) -> str:
    """Return what `rafflekit … --help` prints; in this process, since there are two dozen commands."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*words, "--help"]) == 0
    return printed.getvalue()


def commands_below(*words: str) -> list[str]:
    """Return every command that does something itself; groups only lead to others."""
    names = re.findall(r"^  (\w+) ", help_of(*words).partition("Commands:")[2], flags=re.MULTILINE)
    return [
        command
        for name in names
        for command in (commands_below(name) if name in ("key", "witness", "db") else [" ".join((*words, name))])
    ]


def test_every_command_has_its_line_with_every_option_of_its_own() -> None:
    commands = commands_below()
    lines = re.findall(r"^\| `rafflekit ((?:(?:key|witness|db) )?\w+).*", README.read_text(), flags=re.MULTILINE)
    assert lines == commands

    for command in commands:
        (line,) = re.findall(rf"^\| `rafflekit {command}\b.*", README.read_text(), flags=re.MULTILINE)
        listed = help_of(*command.split()).partition("Options:")[2].partition("Environment")[0]
        options = set(re.findall(r"--[a-z][a-z-]+", listed))
        shared = {"--help", "--json", "--database-url"}
        assert {option for option in options - shared if option not in line} == set(), line


def test_the_api_table_has_every_endpoint_of_the_contract() -> None:
    endpoints = re.findall(r"^\| `((?:GET|POST) \S+)`", README.read_text(), flags=re.MULTILINE)

    assert endpoints == [
        "POST /raffles/",
        "GET /raffles/",
        "GET /raffles/<id>/",
        "POST /raffles/<id>/participate/",
        "POST /raffles/<id>/winners/",
        "GET /raffles/<id>/winners/",
        "POST /raffles/<id>/verify-ticket/",
        "GET /raffles/<id>/ledger/",
        "GET /raffles/<id>/ledger/proof/",
        "GET /raffles/<id>/ledger/consistency/",
        "GET /raffles/<id>/ledger/leaves/",
        "GET /raffles/<id>/proof/",
    ]


def all_errors(kind: type[RaffleError] = RaffleError) -> list[type[RaffleError]]:
    return [kind, *(error for child in kind.__subclasses__() for error in all_errors(child))]


@pytest.mark.parametrize("error", all_errors())
def test_every_error_has_its_line_its_status_and_its_exit_status(error: type[RaffleError]) -> None:
    assert f"| `{error.__name__}` | `{error.code}` | {STATUSES[error]:d} | {EXIT_STATUSES[error]} |" in ERRORS
    assert error.__doc__


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in all_errors()]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    "limit",
    [
        limits.NAME_CHARACTERS,
        limits.TICKETS,
        limits.PRIZE_KINDS,
        limits.PRIZES,
        limits.PARTICIPANT_CHARACTERS,
        *limits.IDEMPOTENCY_KEY_CHARACTERS,
        limits.PAGE_SIZE,
        limits.BODY_BYTES,
        limits.CREATE_BODY_BYTES,
    ],
)
def test_every_limit_is_in_the_docs(limit: int) -> None:
    assert re.search(rf"(?<![\d,]){limit:,}(?![\d,])", ERRORS.partition("## Limits")[2])
