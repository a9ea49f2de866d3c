"""Every error of the engine has one exit status, and names the option that it is about."""

from pathlib import Path

import pytest

from rafflekit import InvalidValue, RaffleError, SoldOut
from rafflekit.cli import failures
from tests.cli.conftest import Session, Terminal


def family(kind: type[RaffleError]) -> set[type[RaffleError]]:
    return {kind}.union(*(family(child) for child in kind.__subclasses__() if child.__module__.startswith("rafflekit")))


def test_every_error_has_exactly_one_exit_status() -> None:
    assert set(failures.EXIT_STATUSES) == family(RaffleError)
    assert set(failures.EXIT_STATUSES.values()) == {1, 2, 3}


def test_a_derived_error_has_the_status_of_its_parent() -> None:
    class SoldOutToday(SoldOut):
        pass

    assert failures.report(SoldOutToday()) == failures.REFUSED


@pytest.mark.parametrize(
    ("field", "parameter"),
    [
        ("name", "NAME"),
        ("total_tickets", "--tickets"),
        ("prizes", "--prize"),
        ("prizes[0]", "--prize no. 1"),
        ("prizes[11].name", "--prize no. 12, name"),
        ("page_size", "--page-size"),
        ("something_new", "something_new"),
    ],
)
def test_an_invalid_value_names_its_option(field: str, parameter: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(InvalidValue(field, "must be better.")) == failures.WRONG_USAGE

    assert capsys.readouterr().err == f"rafflekit: {parameter}: must be better.\n"


@pytest.mark.parametrize("parameter", failures.PARAMETERS.values())
def test_every_option_and_argument_that_an_error_may_name_exists(terminal: Terminal, parameter: str) -> None:
    commands = (
        "create",
        "list",
        "show",
        "export",
        "participate",
        "cancel",
        "draw",
        "winners",
        "verify",
        "simulate",
        "backup",
    )

    helps = [terminal(f"{command} --help").out for command in commands]

    assert any(f"\n  {parameter} " in text for text in helps)


@pytest.mark.parametrize(
    ("line", "parameter"),
    [
        ("export Fair winners --out -", "--out"),
        ("participate Fair --from people.csv --out -", "--out"),
        ("participate Fair ann --receipt -", "--receipt"),
        ("backup -", "FILE"),
        ("key make -", "FILE"),
    ],
)
def test_no_file_is_called_like_the_standard_output(
    terminal: Terminal, folder: Path, line: str, parameter: str
) -> None:
    sentence = f"{parameter} needs a file: it cannot be standard output (-)."

    assert terminal(line) == Session(2, "", f"rafflekit: {sentence}\n")
    assert list(folder.iterdir()) == []
