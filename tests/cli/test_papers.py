"""`rafflekit print`."""

from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from tests.cli.conftest import Session, Terminal


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


@pytest.fixture(autouse=True)
def _fair(engine: RaffleEngine) -> None:
    engine.create("Fair", total_tickets=9, prizes=[Prize("tea", 3)])


def test_poster_writes_one_file_that_loads_nothing(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    done = terminal("print poster Fair -o poster.html --url https://raffles.example.org/")

    assert done == Session(0, "poster.html\n", "")
    text = (folder / "poster.html").read_text()
    assert f"https://raffles.example.org/raffles/{engine.find('Fair').id}/" in text
    assert "src=" not in text
    assert '<link rel="stylesheet"' not in text


def test_poster_without_an_address_has_no_qr_code(terminal: Terminal, folder: Path) -> None:
    done = terminal("print poster Fair -o poster.html --language de")

    assert done.err == "The poster has no QR code: give the address of your server as --url.\n"
    text = (folder / "poster.html").read_text()
    assert '<html lang="de">' in text
    assert "<svg" not in text


def test_poster_prints_json(terminal: Terminal) -> None:
    assert terminal("print poster Fair -o poster.html --json") == Session(0, '{"out": "poster.html"}\n', "")


def test_poster_never_overwrites_a_file(terminal: Terminal, folder: Path) -> None:
    (folder / "poster.html").write_text("mine")

    done = terminal("print poster Fair -o poster.html")

    assert (done.status, done.err) == (2, "rafflekit: --out: poster.html already exists; name a new file.\n")
    assert (folder / "poster.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("-o poster.html --language fr", "--language: must be one of these: en, de."),
        (
            "-o poster.html --url raffles",
            "--url: must be the address of a server, such as https://raffles.example.org.",
        ),
        ("-o -", "--out needs a file: it cannot be standard output (-)."),
    ],
)
def test_poster_refuses_wrong_options(terminal: Terminal, folder: Path, arguments: str, complaint: str) -> None:
    done = terminal(f"print poster Fair {arguments}")

    assert (done.status, done.err) == (2, f"rafflekit: {complaint}\n")
    assert list(folder.glob("*.html")) == []
