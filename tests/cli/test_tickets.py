"""`rafflekit participate`, for one participant."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.ticket_lists import after_preview, check_whole_run
from tests.waiting import LIMIT_S

KEY = "a-key-of-sixteen-or-more"


def test_participate_says_that_the_code_is_shown_only_once(terminal: Terminal, raffle: Raffle) -> None:
    status, out, err = terminal(f"participate {raffle.id} 203.0.113.7")

    assert status == 0
    ticket = rf"raffle_id: {raffle.id}\nticket_number: [123]\nverification_code: ([0-9A-Z]{{4}}-){{5}}[0-9A-Z]{{4}}\n"
    assert re.fullmatch(ticket, out)
    assert err == "The code is shown only once. Keep it: it proves that the ticket is yours.\n"


def test_participate_prints_the_contracts_json_with_a_true_code(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle
) -> None:
    answers = [terminal(f"participate {raffle.id} {who} --json") for who in ("ada", "bob", "cy")]

    engine.draw(raffle.id)
    for status, out, err in answers:
        ticket = json.loads(out)
        assert (status, err) == (0, "")
        assert list(ticket) == ["raffle_id", "ticket_number", "verification_code", "receipt"]
        assert ticket["raffle_id"] == str(raffle.id)
        engine.verify(raffle.id, ticket["ticket_number"], ticket["verification_code"])


def test_the_same_idempotency_key_gets_the_same_ticket(terminal: Terminal, raffle: Raffle) -> None:
    first = terminal(f"participate {raffle.id} ada --idempotency-key {KEY}")
    again = terminal(f"participate {raffle.id} ada --idempotency-key {KEY}")

    assert first == again
    assert first.status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("ada", 1, "Tickets to this raffle are no longer available"),
        ("ada --idempotency-key short", 2, "--idempotency-key: must be text of 16 to 255 characters."),
        ("''", 2, "WHO: must not be empty."),
    ],
)
def test_participate_refuses_in_a_sentence(
    terminal: Terminal, sold_out: Raffle, arguments: str, status: int, sentence: str
) -> None:
    assert terminal(f"participate {sold_out.id} {arguments}") == Session(status, "", f"rafflekit: {sentence}\n")


@pytest.mark.parametrize("options", ["", "--json", f"--idempotency-key {KEY}", "--receipt receipt.json"])
def test_without_an_output_for_the_code_no_ticket_is_taken(
    engine: RaffleEngine, raffle: Raffle, tmp_path: Path, options: str
) -> None:
    status, err = without_output(f"participate {raffle.id} ada {options}", tmp_path)

    assert (status, err) == (74, "rafflekit: There is no standard output to show the code on; nothing was done.\n")
    assert engine.get(raffle.id).available_tickets == raffle.total_tickets
    assert not (tmp_path / "receipt.json").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_code_that_could_not_be_written_is_reported(engine: RaffleEngine, raffle: Raffle, options: str) -> None:
    status, err = onto_a_full_disk(f"participate {raffle.id} ada {options}")

    assert (status, err) == (
        74,
        "rafflekit: The ticket is issued, but its code could not be written: No space left on device. It cannot be "
        "shown again. Next time, give --idempotency-key: then the command can be repeated.\n",
    )
    assert engine.get(raffle.id).available_tickets == raffle.total_tickets - 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_repeat_with_the_same_key_returns_a_lost_code(terminal: Terminal, raffle: Raffle) -> None:
    line = f"participate {raffle.id} ada --idempotency-key {KEY}"

    status, err = onto_a_full_disk(line)

    assert (status, err) == (
        74,
        "rafflekit: The ticket is issued, but its code could not be written: No space left on device. "
        "Repeat the command with the same --idempotency-key to get it again.\n",
    )
    assert "verification_code: " in terminal(line).out


def onto_a_full_disk(line: str) -> tuple[int, str]:
    """Run a line in a process whose standard output is a full disk; return its status and standard error."""
    with open("/dev/full", "w") as full:
        program = [sys.executable, "-m", "rafflekit", *line.split()]
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
    return done.returncode, done.stderr.decode()


def test_a_list_needs_no_output_but_its_file(engine: RaffleEngine, raffle: Raffle, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("ada\nbob\n")

    status, err = without_output(f"participate {raffle.id} --from people.csv --out tickets.csv", tmp_path)

    assert (status, after_preview(err)) == (0, "")
    check_whole_run(engine, raffle, ["ada", "bob"], tmp_path / "tickets.csv")


def without_output(line: str, folder: Path) -> tuple[int, str]:
    """Run a line in a process whose standard output is closed; return its status and standard error."""
    program = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "rafflekit", *line.split()]
    done = subprocess.run(program, cwd=folder, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
    return done.returncode, done.stderr.decode()


def test_participate_refuses_a_second_ticket(terminal: Terminal, raffle: Raffle) -> None:
    terminal(f"participate {raffle.id} ada")

    again = terminal(f"participate {raffle.id} ada")

    assert again == Session(1, "", "rafflekit: This participant already has a ticket for this raffle.\n")


def test_participate_says_when_a_raffle_opens(terminal: Terminal, engine: RaffleEngine) -> None:
    opens_at = datetime.now(UTC) + timedelta(days=3, minutes=1)
    engine.create("Later", total_tickets=9, prizes=[Prize("tea")], opens_at=opens_at)

    refused = terminal("participate Later ann")

    moment = f"{opens_at:%Y-%m-%d %H:%M:%S} UTC, in 3 days"
    assert refused == Session(1, "", f"rafflekit: This raffle is not open yet: it opens on {moment}.\n")


@pytest.fixture
def three_each(engine: RaffleEngine) -> Raffle:
    """A raffle of four tickets, at most three for one participant."""
    return engine.create("Fair", total_tickets=4, prizes=[Prize("tea")], tickets_each=3)


def test_a_participant_gets_several_tickets_at_once(
    terminal: Terminal, engine: RaffleEngine, three_each: Raffle
) -> None:
    plain = terminal("participate Fair ann --count 3")
    shape = json.loads(terminal("participate Fair bob --count 1 --json").out)

    tickets = [(int(number), code) for number, code in (line.split("\t") for line in plain.out.splitlines())]
    assert plain.err == "The codes are shown only once. Keep them: each proves that its ticket is yours.\n"
    tickets += [(ticket["ticket_number"], ticket["verification_code"]) for ticket in shape]
    assert {number for number, _ in tickets} == {1, 2, 3, 4}
    engine.draw(three_each.id)
    for number, code in tickets:
        engine.verify(three_each.id, number, code)


@pytest.mark.usefixtures("three_each")
@pytest.mark.parametrize("columns", ["100", "40"])
def test_a_terminal_shows_several_codes_whole(screen: OnScreen, columns: str) -> None:
    text = without_styles(screen("participate Fair ann --count 3", COLUMNS=columns).text)

    assert len(re.findall(r"\b[1-4](?: │|:) ([0-9A-Z]{4}-){5}[0-9A-Z]{4}\b", text)) == 3


@pytest.mark.usefixtures("three_each")
def test_the_same_key_gets_the_same_tickets_again(terminal: Terminal) -> None:
    line = f"participate Fair ann --count 3 --idempotency-key {KEY}"

    first, again = terminal(line), terminal(line)

    assert first == again
    assert len(set(first.out.splitlines())) == 3


def test_a_refusal_after_some_tickets_shows_their_codes(
    terminal: Terminal, engine: RaffleEngine, three_each: Raffle
) -> None:
    engine.participate(three_each.id, "ann")

    for who, number, were, reason in (
        ("ann", 2, "were", "This participant already has all 3 tickets."),
        ("bob", 1, "was", "Tickets to this raffle are no longer available."),
    ):
        done = terminal(f"participate Fair {who} --count 3")

        assert done.status == 1
        assert len(done.out.splitlines()) == number
        assert done.err.endswith(f"\nrafflekit: {number} of 3 tickets {were} handed out: {reason}\n")
    none = terminal("participate Fair ann --count 3")
    assert none == Session(1, "", "rafflekit: Tickets to this raffle are no longer available\n")


@pytest.mark.usefixtures("three_each", "raffle")
@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("Fair ann --count 4", 1, "--count: a participant gets at most 3 tickets of “Fair”."),
        ("'Foobar raffle' ann --count 2", 1, "--count: a participant gets at most 1 ticket of “Foobar raffle”."),
        ("Fair ann --count 0", 2, "Invalid value for '--count': 0 is not between 1 and 1000."),
        ("Fair ann --count 2 --idempotency-key short", 2, "--idempotency-key: must be text of 16 to 255 characters."),
        ("Fair ann --count 2 --receipt r.json", 2, "--receipt does not work with --count; 'rafflekit receipt'"),
    ],
)
def test_too_many_tickets_are_refused_and_none_given(
    terminal: Terminal, engine: RaffleEngine, arguments: str, status: int, sentence: str
) -> None:
    refused = terminal(f"participate {arguments}")

    assert (refused.status, refused.out) == (status, "")
    assert refused.err.startswith(f"rafflekit: {sentence}")
    assert [each.issued for each in engine.list().items] == [0, 0, 0]
