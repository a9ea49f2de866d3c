"""`rafflekit export … invitations`, and `participate --invitation`."""

import csv
import json
import os
import stat
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.cli.commands import exports
from tests.cli.conftest import Session, Terminal


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


@pytest.fixture
def party(engine: RaffleEngine) -> Raffle:
    """A raffle whose tickets need an invitation, each for two tickets."""
    return engine.create("Party", total_tickets=9, prizes=[Prize("tea")], entry="invitation", tickets_each=2)


def rows_of(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8-sig") as opened:
        return list(csv.reader(opened))


def test_the_codes_are_written_into_a_new_file(
    terminal: Terminal, engine: RaffleEngine, party: Raffle, folder: Path
) -> None:
    done = terminal("export Party invitations --count 3 --out invitations.csv")

    assert done == Session(
        0,
        "3 invitations, numbers 1 to 3; invitations.csv\n",
        "Each gives 2 tickets. Keep the file secret.\n"
        "The same numbers always have the same codes: for more, give --from-number 4.\n",
    )
    codes = engine.invitations(party.id, 3)
    assert rows_of(folder / "invitations.csv") == [
        ["number", "invitation"],
        *([str(number), code] for number, code in enumerate(codes, start=1)),
    ]


def test_more_invitations_can_be_written_later(
    terminal: Terminal, engine: RaffleEngine, party: Raffle, folder: Path
) -> None:
    done = terminal("export Party invitations --count 2 --out more.csv --from-number 4 --json")

    assert json.loads(done.out) == {"invitations": 2, "first": 4, "last": 5, "out": "more.csv"}
    assert done.err == ""
    assert [row[0] for row in rows_of(folder / "more.csv")[1:]] == ["4", "5"]
    assert [row[1] for row in rows_of(folder / "more.csv")[1:]] == list(engine.invitations(party.id, 5))[3:]


@pytest.mark.parametrize("url", ["https://raffles.example.org", "https://raffles.example.org/"])
def test_invitations_have_links(terminal: Terminal, party: Raffle, folder: Path, url: str) -> None:
    terminal(f"export Party invitations --count 1 --out invitations.csv --url {url}")

    header, (_, code, link) = rows_of(folder / "invitations.csv")
    assert header == ["number", "invitation", "link"]
    assert link == f"https://raffles.example.org/raffles/{party.id}/#i={code}"


@pytest.mark.usefixtures("party")
@pytest.mark.usefixtures("loose_umask")
def test_only_the_owner_can_read_the_invitations(terminal: Terminal, folder: Path) -> None:
    before = os.umask(0)
    try:
        terminal("export Party invitations --count 1 --out invitations.csv")
    finally:
        os.umask(before)

    assert stat.S_IMODE((folder / "invitations.csv").stat().st_mode) == 0o600


@pytest.mark.usefixtures("party")
def test_invitations_overwrite_no_file(terminal: Terminal, folder: Path) -> None:
    (folder / "invitations.csv").write_text("mine")

    assert terminal("export Party invitations --count 1 --out invitations.csv") == Session(
        2, "", "rafflekit: --out: invitations.csv already exists; name a new file.\n"
    )
    assert (folder / "invitations.csv").read_text() == "mine"


@pytest.mark.usefixtures("party", "raffle")
@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("Party --count 0 --out new.csv", 2, "--count: must be at least 1."),
        ("Party --count 100001 --out new.csv", 2, "--count: must be at most 100,000."),
        ("Party --count 1 --out new.csv --from-number 0", 2, "--from-number: must be at least 1."),
        ("Party --count 1 --out none/new.csv", 2, "--out: there is no folder none."),
        ("Party --count 1 --out new.csv --url example.org", 2, "--url: must be the address of a server"),
        (
            "Party --count 1 --out new.csv --url 'https://example.org/a b'",
            2,
            "--url: must be the address of a server",
        ),
        (
            "Party --count 1 --out new.csv --url 'https://example.org/?a=b'",
            2,
            "--url: must be the address of a server",
        ),
        ("Party --count 1 --out new.csv --url 'https://[x'", 2, "--url: must be the address of a server"),
        (
            "'Foobar raffle' --count 1 --out new.csv",
            2,
            "RAFFLE: its entry rule is 'address', so it has no invitations.",
        ),
    ],
)
def test_wrong_invitations_leave_no_file(
    terminal: Terminal, folder: Path, line: str, status: int, sentence: str
) -> None:
    refused = terminal(f"export {line} invitations")

    assert (refused.status, refused.out) == (status, "")
    assert refused.err.startswith(f"rafflekit: {sentence}")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("party")
def test_an_interrupted_export_says_that_it_wrote_nothing(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "write_table", interrupt)

    assert terminal("export Party --count 1 invitations -o out.csv") == Session(130, "", "out.csv was not written.\n")
    assert list(folder.iterdir()) == []


def test_no_invitations_after_the_draw(terminal: Terminal, engine: RaffleEngine, party: Raffle, folder: Path) -> None:
    engine.participate(party.id, "ann")
    engine.close_raffle(party.id)
    engine.draw(party.id)

    assert terminal("export Party invitations --count 1 --out invitations.csv") == Session(
        1, "", "rafflekit: Tickets to this raffle are no longer available\n"
    )
    assert list(folder.iterdir()) == []


def test_a_code_gives_its_tickets_and_no_more(terminal: Terminal, engine: RaffleEngine, party: Raffle) -> None:
    (code,) = engine.invitations(party.id, 1)

    first = terminal(f"participate Party --invitation {code} --json")
    second = terminal(f"participate Party --invitation ' “{code.lower().replace('-', ' ')}” ' --json")
    third = terminal(f"participate Party --invitation {code}")

    assert json.loads(first.out)["ticket_number"] != json.loads(second.out)["ticket_number"]
    assert third == Session(1, "", "rafflekit: This invitation has been used already.\n")


def test_a_code_gives_several_tickets_at_once(terminal: Terminal, engine: RaffleEngine, party: Raffle) -> None:
    (code,) = engine.invitations(party.id, 1)

    tickets = json.loads(terminal(f"participate Party --invitation {code} --count 2 --json").out)

    assert len({ticket["ticket_number"] for ticket in tickets}) == 2
    assert engine.get(party.id).issued == 2


@pytest.mark.usefixtures("party", "raffle")
@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("Party --invitation 0000-0000-0000-0000-0000-0000", 1, "A valid invitation code is needed"),
        (
            "Party --invitation 0000",
            1,
            "A valid invitation code is needed: a code has 24 letters and digits, and this one has 4.",
        ),
        (
            "'Foobar raffle' --invitation 0000-0000-0000-0000-0000-0000",
            2,
            "--invitation: is not needed: this raffle does not use invitations.",
        ),
        ("Party ann --invitation 0000", 2, "Give either WHO or --invitation: one participant."),
    ],
)
def test_a_wrong_invitation_is_refused_in_a_sentence(
    terminal: Terminal, arguments: str, status: int, sentence: str
) -> None:
    assert terminal(f"participate {arguments}") == Session(status, "", f"rafflekit: {sentence}\n")


def test_a_named_participant_needs_no_invitation(terminal: Terminal, engine: RaffleEngine, party: Raffle) -> None:
    assert terminal("participate Party ann").status == 0
    assert engine.get(party.id).issued == 1
