"""`rafflekit participate` and `verify`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rafflekit import Raffle, RaffleEngine, Ticket
from tests.cli.conftest import Session, Terminal
from tests.ticket_lists import check_whole_run
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

    assert (status, err) == (0, "")
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


def test_verify_shows_what_each_ticket_won(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]
) -> None:
    prizes = {win.ticket_number: win.prize for win in engine.draw(raffle.id)}

    for ticket in tickets:
        plain = terminal(f"verify {raffle.id} {ticket.number} {ticket.verification_code}")
        shape = terminal(f"verify {raffle.id} {ticket.number} {ticket.verification_code} --json")

        prize = prizes.get(ticket.number)
        assert plain == Session(0, f"has_won: yes\nprize: {prize}\n" if prize else "has_won: no\n", "")
        assert json.loads(shape.out) == {"has_won": prize is not None, "prize": prize}


def test_verify_refuses_before_the_draw(terminal: Terminal, raffle: Raffle, tickets: list[Ticket]) -> None:
    verified = terminal(f"verify {raffle.id} {tickets[0].number} {tickets[0].verification_code}")

    assert verified == Session(1, "", "rafflekit: Winners for the raffle have not been drawn yet\n")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("1 0000-0000-0000-0000-0000-0000", ""),
        ("4 0000-0000-0000-0000-0000-0000", ": this raffle's tickets are numbered from 1 to 3."),
        ("0 0000-0000-0000-0000-0000-0000", ": this raffle's tickets are numbered from 1 to 3."),
        (f"{'9' * 400} 0000-0000-0000-0000-0000-0000", ": this raffle's tickets are numbered from 1 to 3."),
        ("1 0000-0000", ": a code has 24 letters and digits, and this one has 8."),
        ("1 '0000 0000 0000 0000 0000 00000'", ": a code has 24 letters and digits, and this one has 25."),
    ],
)
def test_verify_hints_at_what_it_sees_without_the_ticket(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, given: str, hint: str
) -> None:
    engine.draw(sold_out.id)

    verified = terminal(f"verify {sold_out.id} {given}")

    assert verified == Session(1, "", f"rafflekit: Invalid verification code{hint}\n")


def test_verify_gives_no_hint_before_the_draw(terminal: Terminal, raffle: Raffle) -> None:
    verified = terminal(f"verify {raffle.id} 99 0000")

    assert verified == Session(1, "", "rafflekit: Winners for the raffle have not been drawn yet\n")


def test_verify_takes_a_number_only(terminal: Terminal, raffle: Raffle) -> None:
    verified = terminal(f"verify {raffle.id} seven code")

    assert verified.status == 2
    assert verified.err.startswith("rafflekit: Invalid value for 'NUMBER': 'seven' is not a whole number.")
