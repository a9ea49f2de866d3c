"""`rafflekit print winners`, `certificate` and `return`."""

import re
from pathlib import Path
from stat import S_IMODE

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import Session, Terminal
from tests.cli.drawn import Drawn
from tests.databases import past_the_rules

KINDS = ("winners", "certificate", "return")


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


def test_reports_are_single_files_that_load_nothing(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    for kind in KINDS:
        url = "" if kind == "return" else " --url https://raffles.example.org"
        assert terminal(f"print {kind} {drawn.id} -o {kind}.html{url}") == Session(0, f"{kind}.html\n", "")

    texts = {kind: (folder / f"{kind}.html").read_text() for kind in KINDS}
    assert f"https://raffles.example.org/raffles/{drawn.id}/<" in texts["winners"]
    assert f"https://raffles.example.org/raffles/{drawn.id}/proof/<" in texts["certificate"]
    for text in texts.values():
        assert not re.search(r'src=|<link rel="stylesheet|url\(', text)
        assert not any(code in text for code in drawn.codes.values())


def test_reports_without_an_address_say_what_they_lack(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    done = [terminal(f"print {kind} {drawn.id} -o {kind}.html --language de") for kind in KINDS]

    assert [each.err for each in done] == [
        "The list has no QR code: give the address of your server as --url.\n",
        "The certificate has no QR code: give the address of your server as --url.\n",
        "",
    ]
    assert all('<html lang="de">' in (folder / f"{kind}.html").read_text() for kind in KINDS)


def test_a_certificate_is_refused_if_the_audit_fails(
    terminal: Terminal, drawn: Drawn, database_url: str, folder: Path
) -> None:
    # The two winners change places, in two steps, because a ticket wins once.
    past_the_rules(
        database_url,
        "UPDATE wins SET serial = serial + 10",
        "UPDATE wins SET serial = (SELECT sum(serial) - 20 FROM wins) - (serial - 10)",
    )

    done = terminal(f"print certificate {drawn.id} -o certificate.html")

    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(
        "rafflekit: The audit found an error, so there is no certificate: winners: By the seed, win 1"
    )
    assert "\n'rafflekit doctor' checks the database.\n" in done.err
    assert list(folder.iterdir()) == []


def test_no_proof_is_audited_for_a_name_that_is_taken(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    (folder / "certificate.html").write_text("mine")

    done = terminal(f"print certificate {drawn.id} -o certificate.html")

    assert (done.status, done.out) == (2, "")
    assert done.err == "rafflekit: --out: certificate.html already exists; name a new file.\n"
    assert (folder / "certificate.html").read_text() == "mine"


def test_a_damaged_ledger_has_no_certificate(terminal: Terminal, drawn: Drawn, database_url: str, folder: Path) -> None:
    past_the_rules(database_url, "DELETE FROM tickets WHERE number NOT IN (SELECT 1)")

    done = terminal(f"print certificate {drawn.id} -o certificate.html")

    assert (done.status, done.out) == (3, "")
    assert "Tickets or hashes of a ledger are missing in the database" in done.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_reports_are_refused_before_the_draw(terminal: Terminal, raffle: Raffle, folder: Path, kind: str) -> None:
    done = terminal(f"print {kind} {raffle.id} -o paper.html")

    assert (done.status, done.err) == (1, "rafflekit: Winners for the raffle have not been drawn yet\n")
    assert list(folder.iterdir()) == []


def test_of_a_cancelled_raffle_only_the_return_exists(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    engine.cancel(raffle.id, "rain")

    done = {kind: terminal(f"print {kind} {raffle.id} -o {kind}.html") for kind in KINDS}

    assert [done[kind].status for kind in KINDS] == [1, 1, 0]
    assert "never will be: the raffle was cancelled on" in done["winners"].err


@pytest.mark.usefixtures("loose_umask")
def test_a_winner_list_with_names_is_private(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Listed", total_tickets=2, prizes=[Prize("tea", 2)])
    (folder / "people.csv").write_text("ann@example.org\nbob@example.org\n")
    assert terminal("participate Listed --from people.csv --out tickets.csv").status == 0
    engine.draw(raffle.id)

    public = terminal("print winners Listed -o public.html")
    named = terminal("print winners Listed -o named.html --tickets tickets.csv --json")

    assert (public.status, named) == (0, Session(0, '{"out": "named.html"}\n', ""))
    assert "ann@example.org" in (folder / "named.html").read_text()
    assert "ann@example.org" not in (folder / "public.html").read_text()
    assert [S_IMODE((folder / name).stat().st_mode) for name in ("named.html", "public.html")] == [0o600, 0o666]


def test_winners_that_a_list_lacks_are_counted(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Listed", total_tickets=3, prizes=[Prize("tea", 2), Prize("ham")])
    (folder / "people.csv").write_text("ann@example.org\nbob@example.org\ncid@example.org\n")
    assert terminal("participate Listed --from people.csv --out tickets.csv").status == 0
    engine.draw(raffle.id)
    lines = (folder / "tickets.csv").read_text().splitlines(keepends=True)
    (folder / "some.csv").write_text("".join(lines[:2]))
    # Of a lapsed prize, no name is printed.
    engine.forfeit(raffle.id, int(lines[2].split(",")[2]), why="unclaimed")

    done = terminal("print winners Listed -o named.html --tickets some.csv")

    assert (done.status, done.out) == (0, "named.html\n")
    assert "The file of --tickets lacks 1 winning ticket: the list says so instead of a name.\n" in done.err
