"""`rafflekit print`."""

import re
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.printed import TicketsToPrint
from tests.cli.conftest import Session, Terminal
from tests.cli.drawn import Drawn

SERVER = "https://raffles.example.org"


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


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_an_address_that_no_phone_can_open_is_said(
    terminal: Terminal, engine: RaffleEngine, drawn: Drawn, host: str
) -> None:
    engine.create("Invited", total_tickets=9, prizes=[Prize("tea")], entry="invitation")
    said = f"Phones cannot open http://{host}:8080, only this computer can: give another address as --url.\n"
    commands = (
        "print poster Fair -o poster.html",
        "export Invited invitations --count 2 -o invitations.csv",
        f"print winners {drawn.id} -o winners.html",
        f"print certificate {drawn.id} -o certificate.html",
    )

    for command in commands:
        done = terminal(f"{command} --url http://{host}:8080")
        assert done.status == 0
        assert done.err.endswith(said)


def test_a_poster_that_announces_nothing_or_not_all_is_said(terminal: Terminal, engine: RaffleEngine) -> None:
    many = engine.create("Fete", total_tickets=999, prizes=[Prize(f"tea {place} " * 9, 2) for place in range(300)])
    engine.cancel(many.id, "rain")
    fair = engine.find("Fair").id
    engine.create("Gala", total_tickets=999, prizes=many.prizes)
    said = [terminal(f"print poster {name} -o {name}.html --url {SERVER}").err for name in ("Fete", "Gala")]
    for participant in ("ann", "bob", "cy"):
        engine.participate(fair, participant)
    engine.close_raffle(fair)
    said.append(terminal(f"print poster Fair -o closed.html --url {SERVER}").err)
    engine.draw(fair)
    said.append(terminal(f"print poster Fair -o drawn.html --url {SERVER}").err)

    assert said[0] == "The raffle is called off, and the poster says so.\n"
    assert re.fullmatch(
        r"Not all prizes fit on the poster: it names the first \d+, and says that there are \d+ more\.\n", said[1]
    )
    assert said[2:] == [f"The raffle is {state}, and the poster says so.\n" for state in ("closed", "drawn")]


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
        (
            "-o poster.html --url https://user:secret@raffles.example.org/raffles/",
            "--url: must be the address of a server alone, without a page, a user name, a password, a query or a "
            "fragment; give https://raffles.example.org.",
        ),
        ("-o -", "--out needs a file: it cannot be standard output (-)."),
        ("-o poster.pdf", "--out: must end with .html. For a PDF, open that file in a browser and print it to a PDF."),
    ],
)
def test_poster_refuses_wrong_options(terminal: Terminal, folder: Path, arguments: str, complaint: str) -> None:
    done = terminal(f"print poster Fair {arguments}")

    assert (done.status, done.err) == (2, f"rafflekit: {complaint}\n")
    assert list(folder.glob("*.html")) == []


PRINT_IT = "Open the file in a browser: it says how to print and cut. Delete it afterwards: it has the codes.\n"


@pytest.fixture
def handed_out(terminal: Terminal, folder: Path) -> list[list[str]]:
    """The rows of tickets.csv: three tickets of the fair, and a line that was refused."""
    (folder / "people.csv").write_text("ann@example.org\nbob@example.org\nann@example.org\ncy@example.org\n")
    assert terminal("participate Fair --from people.csv --out tickets.csv").out == "3 tickets, 1 refused; tickets.csv\n"
    return [line.split(",") for line in (folder / "tickets.csv").read_text().splitlines()[1:]]


@pytest.mark.usefixtures("loose_umask")
def test_tickets_are_printed_from_their_list(terminal: Terminal, folder: Path, handed_out: list[list[str]]) -> None:
    done = terminal(f"print tickets Fair --tickets tickets.csv -o print.html --url {SERVER}")

    assert (done.status, done.out) == (0, "3 tickets on 1 sheet; print.html\n")
    assert (folder / "print.html").stat().st_mode & 0o777 == 0o600
    text = (folder / "print.html").read_text()
    assert text.count('class="qr"') == text.count('class="stub"') == 3
    for _, who, number, code, refusal in handed_out:
        assert refusal or f"<bdi>{who}</bdi>" in text
        assert refusal or f"{code[:15]}<br>{code[15:]}" in text
        assert refusal or f'number-0">{number}</p>' in text
    assert "src=" not in text
    assert '<link rel="stylesheet"' not in text
    # The link is only in the QR codes.
    assert "#t=" not in text


def test_what_does_not_fit_on_tickets_is_said(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    long = ("proceeds of the fair " * 10)[:200].strip()
    legal = dict.fromkeys(("licence", "promoter", "address", "collection"), long)
    said = []
    for prizes, texts in ((3, {}), (200, {}), (3, legal), (1, dict.fromkeys([*legal, "note"], long.upper()))):
        kinds = [Prize(f"tea {place}") for place in range(prizes)]
        raffle = engine.create("Fete", total_tickets=200, prizes=kinds, **texts)
        ticket = engine.participate(raffle.id, "ann")
        row = f"{ticket.number},{ticket.verification_code},ann"
        (folder / f"{raffle.id}.csv").write_text(f"ticket_number,verification_code,participant\n{row}\n")

        done = terminal(f"print tickets {raffle.id} --tickets {raffle.id}.csv -o {raffle.id}.html --url {SERVER}")

        said.append(done.err.removeprefix(PRINT_IT))
    assert said[0] == ""
    assert re.fullmatch(
        r"Not all prizes fit on the tickets: each names the first \d+, and says that there are \d+ more\.\n",
        said[1],
    )
    assert said[2] == "The texts are long, so their letters on the tickets are small: 5.5 pt.\n"
    assert said[3] == "Too long for the tickets, so cut short on them: collection, note.\n"


@pytest.mark.usefixtures("handed_out")
def test_tickets_of_a_raffle_that_is_over(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    fair = engine.find("Fair").id
    engine.close_raffle(fair)
    engine.draw(fair)
    drawn = terminal(f"print tickets Fair --tickets tickets.csv -o drawn.html --url {SERVER}")
    called_off = engine.create("Fete", total_tickets=9, prizes=[Prize("tea")])
    engine.cancel(called_off.id, "rain")

    refused = terminal(f"print tickets Fete --tickets tickets.csv -o refused.html --url {SERVER}")

    assert drawn.status == 0
    assert "The raffle is drawn already: print its tickets only to replace lost ones.\n" in drawn.err
    assert (refused.status, refused.err) == (
        1,
        "rafflekit: This raffle was called off, so its tickets are not printed.\n",
    )
    assert not (folder / "refused.html").exists()


def test_the_output_is_looked_at_before_the_list(terminal: Terminal, folder: Path) -> None:
    (folder / "print.html").write_text("mine")

    done = terminal("print tickets Fair --tickets none.csv -o print.html")

    assert done.err == "rafflekit: --out: print.html already exists; name a new file.\n"


def test_tickets_of_a_changed_spelling_are_printed_as_they_were(
    terminal: Terminal, folder: Path, handed_out: list[list[str]]
) -> None:
    """A spreadsheet may move columns, add a byte order mark, and people type codes in small letters."""
    spelled = [(code.lower().replace("-", " "), number) for _, _, number, code, _ in handed_out]
    rows = "".join(f"{code},{number}\n" for code, number in spelled)
    (folder / "changed.csv").write_text(f"\ufeffverification_code,ticket_number,participant\n{rows}")

    assert terminal("print tickets Fair --tickets changed.csv -o print.html").status == 0

    text = (folder / "print.html").read_text()
    assert all(f"{code[:15]}<br>{code[15:]}" in text for _, _, _, code, _ in handed_out if code)


@pytest.mark.usefixtures("handed_out")
def test_tickets_without_an_address_have_no_qr_code(terminal: Terminal, folder: Path) -> None:
    done = terminal("print tickets Fair --tickets tickets.csv -o print.html --language de")

    assert done.err.startswith("No ticket has a QR code: give the address of your server as --url.\n")
    text = (folder / "print.html").read_text()
    assert 'class="qr"' not in text
    assert "Prüfcode" in text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "name\nann\n",
            "list.csv does not have the columns ticket_number, participant and verification_code; give the file that "
            "'participate --from' wrote.",
        ),
        ("ticket_number,verification_code,participant\n", "list.csv has no tickets."),
        (
            "ticket_number,verification_code,participant\n1.0,{code},ann\n",
            "'1.0' in list.csv is not a ticket number; use the file as rafflekit wrote it.",
        ),
        (
            "ticket_number,verification_code,participant\n{number},{code},ann\n{number},{code},bob\n",
            "ticket {number} is in list.csv twice; remove one of the lines.",
        ),
        *(
            (
                f"ticket_number,verification_code,participant\n{{number}},{code},ann\n",
                "the code of ticket {number} in list.csv is not that of this raffle's ticket; "
                "is it the list of another raffle?",
            )
            for code in ("", "{other}")
        ),
    ],
)
def test_tickets_of_a_wrong_list_are_not_printed(
    terminal: Terminal, folder: Path, handed_out: list[list[str]], content: str, complaint: str
) -> None:
    values = {"number": handed_out[0][2], "code": handed_out[0][3], "other": handed_out[1][3]}
    (folder / "list.csv").write_text(content.format(**values))

    done = terminal("print tickets Fair --tickets list.csv -o print.html")

    assert (done.status, done.err) == (2, f"rafflekit: --tickets: {complaint.format(**values)}\n")
    assert list(folder.glob("*.html")) == []


@pytest.mark.usefixtures("handed_out")
def test_a_list_that_shrinks_while_it_is_printed_is_noticed(engine: RaffleEngine, folder: Path) -> None:
    listed = TicketsToPrint(folder / "tickets.csv", engine, engine.find("Fair"))
    shorter = (folder / "tickets.csv").read_text().splitlines(keepends=True)[:-1]
    (folder / "tickets.csv").write_text("".join(shorter))

    with pytest.raises(CommandStopped, match="was changed while it was read"):
        [list(pile) for pile in listed.piles(None)]


def test_printed_invitations_are_those_of_the_export(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Club", total_tickets=9, prizes=[Prize("tea")], entry="invitation")
    codes = engine.invitations(raffle.id, 9, first=4)

    done = terminal(f"print invitations Club --count 9 --from-number 4 -o print.html --url {SERVER} --json")

    assert done == Session(0, '{"invitations": 9, "sheets": 2, "out": "print.html"}\n', "")
    assert (folder / "print.html").stat().st_mode & 0o777 == 0o600
    text = (folder / "print.html").read_text()
    assert text.count('class="qr"') == 9
    assert all(f"{code[:15]}<br>{code[15:]}" in text for code in codes)


def test_invitations_say_how_many_tickets_each_gives(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    engine.create("Club", total_tickets=9, prizes=[Prize("tea")], entry="invitation", tickets_each=3)

    done = terminal(f"print invitations Club --count 1 -o print.html --url {SERVER}")

    assert done.err.startswith("Each gives 3 tickets.\n")
    assert "Scan the QR code with your phone to get up to 3 tickets." in (folder / "print.html").read_text()
