"""What may reach a terminal: boxes and colours where they belong, and other people's text as text."""

import json
import re
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from tests.cli.conftest import OnScreen, Process, Terminal, without_styles
from tests.databases import past_the_rules

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[0-9;]*m")
HOSTILE = "[red]not red[/] \u202eesrever :heart:"


def test_a_terminal_gets_boxes_and_colours(screen: OnScreen, raffle: Raffle) -> None:
    for line in ("list", f"show {raffle.id}"):
        status, text = screen(line)

        assert status == 0
        assert "╭" in text
        assert COLOUR.search(text)
        assert "Foobar raffle" in text


def test_no_color_takes_the_colours_and_leaves_the_boxes(screen: OnScreen, raffle: Raffle) -> None:
    text = screen(f"show {raffle.id}", NO_COLOR="1").text

    assert not COLOUR.search(text)
    assert "╭" in text


def test_no_color_takes_the_colour_of_errors(screen: OnScreen) -> None:
    assert not COLOUR.search(screen("show nonsense", NO_COLOR="1").text)


def test_a_dumb_terminal_gets_plain_text(screen: OnScreen, raffle: Raffle) -> None:
    text = screen(f"show {raffle.id}", TERM="dumb").text

    assert text.startswith(f"id: {raffle.id}\r\nname: Foobar raffle\r\n")
    assert "\x1b" not in text


def test_a_pipe_gets_no_boxes_even_if_colour_is_forced(process: Process, raffle: Raffle) -> None:
    shown = process(f"show {raffle.id}", FORCE_COLOR="1", COLUMNS="20")

    assert shown.out.startswith(f"id: {raffle.id}\nname: Foobar raffle\n")
    assert "\x1b" not in shown.out + shown.err


def test_an_error_is_one_line_on_a_terminal_too(screen: OnScreen) -> None:
    status, text = screen("show '[bold]no:heart:sense[/]'")

    assert status == 1
    assert COLOUR.search(text)
    assert without_styles(text).startswith("rafflekit: No raffle's id begins with '[bold]no:heart:sense[/]'")
    assert "╭" not in text


def test_names_are_never_markup_nor_turn_the_line_around(
    screen: OnScreen, terminal: Terminal, engine: RaffleEngine
) -> None:
    hostile = engine.create(HOSTILE, total_tickets=1, prizes=[Prize(HOSTILE)])
    ticket = engine.participate(hostile.id, "ada")
    lines = ["list", f"show {hostile.id}", f"draw {hostile.id} --yes", f"winners {hostile.id}"]
    lines.append(f"verify {hostile.id} 1 {ticket.verification_code}")

    for line in lines:
        on_screen = without_styles(screen(line).text)

        assert r"[red]not red[/] \u202eesrever :heart:" in on_screen
        assert "\u202e" not in on_screen
    assert r"[red]not red[/] \u202eesrever :heart:" in terminal("list").out
    assert json.loads(terminal(f"show {hostile.id} --json").out)["name"] == HOSTILE


@pytest.mark.parametrize("columns", ["100", "60"])
def test_a_name_does_not_look_like_a_line_of_ours(
    screen: OnScreen, terminal: Terminal, engine: RaffleEngine, columns: str
) -> None:
    name = f"tea{' ' * 80}✓ winners: right"
    shown = r"tea \u2713 winners: right"
    raffle = engine.create(name, total_tickets=1, prizes=[Prize(name)])
    ticket = engine.participate(raffle.id, "ada")
    lines = ["list", f"show {raffle.id}", f"draw {raffle.id} --yes", f"winners {raffle.id}"]
    lines.append(f"verify {raffle.id} 1 {ticket.verification_code}")

    assert f"“{shown}” has 1 ticket" in screen(f"draw {raffle.id}", answers={"[y/N]": "n\n"}).text
    for line in lines:
        on_screen = " ".join(without_styles(screen(line, COLUMNS=columns).text).split())

        assert "✓" not in on_screen
        assert shown in on_screen
        assert "✓" not in terminal(line.replace("draw", "winners").replace("--yes", "")).out
    assert json.loads(terminal(f"show {raffle.id} --json").out)["name"] == name


def test_the_question_before_a_draw_shows_hostile_names_as_text(screen: OnScreen, engine: RaffleEngine) -> None:
    hostile = engine.create(HOSTILE, total_tickets=1, prizes=[Prize(HOSTILE)])
    engine.participate(hostile.id, "ada")

    text = screen(f"draw {hostile.id}", answers={"[y/N]": "n\n"}).text

    assert r"“[red]not red[/] \u202eesrever :heart:” has 1 ticket for 1 prize:" in text
    assert "\u202e" not in text


def test_escape_sequences_in_the_database_are_made_visible(
    screen: OnScreen, terminal: Terminal, raffle: Raffle, database: Path
) -> None:
    past_the_rules(f"sqlite:///{database}", "UPDATE raffles SET name = '\x1b]0;owned\x07\x1b[2J'")

    for text in (screen(f"show {raffle.id}").text, terminal("list").out):
        assert r"\x1b]0;owned\x07\x1b[2J" in text
        assert "\x1b]" not in text
        assert "\x1b[2J" not in text


def test_an_error_shows_no_escape_sequence_of_an_argument(terminal: Terminal) -> None:
    for line in ("show '\x1b[31m'", "'\x1b[31m'", "'--\x1b[31m'", "create x --tickets 2 --prize '\x1b[31m:-1'"):
        assert "\x1b" not in terminal(line).err


def test_an_encoding_that_lacks_a_character_is_no_failure(process: Process, engine: RaffleEngine) -> None:
    raffle = engine.create("Fête", total_tickets=1, prizes=[Prize("thé")])

    plain = process(f"show {raffle.id}", PYTHONIOENCODING="ascii")
    shape = process(f"show {raffle.id} --json", PYTHONIOENCODING="ascii")

    assert plain.status == 0
    assert r"name: F\xeate" in plain.out
    assert json.loads(shape.out)["name"] == "Fête"


def test_a_draw_shows_a_progress_bar_on_a_terminal(screen: OnScreen, sold_out: Raffle) -> None:
    assert "Drawing among 3 tickets" in screen(f"draw {sold_out.id} --yes").text


def test_a_long_draw_shows_its_first_page_on_a_terminal(screen: OnScreen, engine: RaffleEngine) -> None:
    long = engine.create("Long", total_tickets=101, prizes=[Prize("tea", 101)])
    for who in range(101):
        engine.participate(long.id, str(who))

    text = without_styles(screen(f"draw {long.id} --yes").text)

    assert len(re.findall("│ tea +│", text)) == 100
    assert f"100 of 101 winners; 'rafflekit winners {long.id} --page 2' shows more." in text


def test_many_kinds_of_prizes_are_cut_on_a_terminal_only(
    screen: OnScreen, terminal: Terminal, engine: RaffleEngine
) -> None:
    many = engine.create("Many", total_tickets=60, prizes=[Prize(f"prize {number}") for number in range(60)])

    assert "and 10 more kinds" in screen(f"show {many.id}").text
    assert terminal(f"show {many.id}").out.count("prize: ") == 60


def test_a_long_name_folds_and_is_never_cut(screen: OnScreen, engine: RaffleEngine) -> None:
    name = "абвгдежзийклмнопрстуфхцчшщъыьэюя" * 6
    long = engine.create(name, total_tickets=1, prizes=[Prize("tea")])

    for line in ("list", f"show {long.id}", f"participate {long.id} ada", f"draw {long.id} --yes"):
        text = screen(line, COLUMNS="80").text

        assert name in re.sub("[^а-я]", "", text)


def test_the_ticket_panel_says_that_the_code_is_shown_once(screen: OnScreen, raffle: Raffle) -> None:
    text = without_styles(screen(f"participate {raffle.id} ada").text)

    assert re.search(r"│ Code +([0-9A-Z]{4}-){5}[0-9A-Z]{4} +│", text)
    assert "The code is shown only once. Keep it: it proves that the ticket is yours." in text


def test_a_verification_says_what_was_won_on_a_terminal(
    screen: OnScreen, engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]
) -> None:
    winners = {win.ticket_number for win in engine.draw(raffle.id)}

    for ticket in tickets:
        text = without_styles(screen(f"verify {raffle.id} {ticket.number} {ticket.verification_code}").text)

        assert ("genuine and won: " in text) == (ticket.number in winners)
        assert ("genuine; it won nothing" in text) == (ticket.number not in winners)


def test_a_narrow_terminal_shows_ids_and_codes_whole(screen: OnScreen, raffle: Raffle) -> None:
    ticket = without_styles(screen(f"participate {raffle.id} ada", COLUMNS="40").text)

    assert re.search(r"^ *([0-9A-Z]{4}-){5}[0-9A-Z]{4}\r$", ticket, re.MULTILINE)
    for text in (ticket, screen(f"show {raffle.id}", COLUMNS="40").text):
        assert re.search(rf"^.*{raffle.id}\r$", text, re.MULTILINE)
        assert "│" not in text


def test_a_narrow_terminal_lists_raffles_without_a_table(screen: OnScreen, raffle: Raffle) -> None:
    listed = without_styles(screen("list", COLUMNS="60").text)

    assert listed.startswith(
        f"{raffle.id.hex[:8]} Foobar raffle\r\n  3 of 3 tickets left, open, created {raffle.created_at:%Y-%m-%d}\r\n"
    )


def test_a_narrow_terminal_says_that_a_ticket_is_genuine(
    screen: OnScreen, engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]
) -> None:
    prizes = {win.ticket_number: win.prize for win in engine.draw(raffle.id)}

    for ticket in tickets:
        text = screen(f"verify {raffle.id} {ticket.number} {ticket.verification_code}", COLUMNS="60").text

        won = f" and won: {prizes[ticket.number]}" if ticket.number in prizes else "; it won nothing."
        assert text == f"The ticket is genuine{won}\r\n"


def test_a_narrow_terminal_lists_winners_without_a_table(
    screen: OnScreen, engine: RaffleEngine, sold_out: Raffle
) -> None:
    drawn = without_styles(screen(f"draw {sold_out.id} --yes", COLUMNS="26").text)
    page = without_styles(screen(f"winners {sold_out.id} --page 2 --page-size 1", COLUMNS="26").text)

    first, second = engine.winners(sold_out.id).items
    heading = "Winners of Foobar raffle\r\n"
    line = f"2. ticket {second.ticket_number}: warm hug\r\n"
    assert drawn.endswith(f"{heading}1. ticket {first.ticket_number}: invisibility\r\n{line}")
    assert page.startswith(f"{heading}{line}")


def test_a_narrow_terminal_breaks_an_audit_between_words(
    screen: OnScreen, engine: RaffleEngine, sold_out: Raffle, tmp_path: Path
) -> None:
    engine.draw(sold_out.id)
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(engine.proofs.proof(sold_out.id).shape()))

    _, _, shown = without_styles(screen(f"audit {proof}", COLUMNS="40").text).partition("✓ form")

    *lines, end = shown.split("\r\n")
    assert end == ""
    assert str(engine.proofs.verifier_key()) in shown
    assert all(len(line) <= 40 or " " not in line.strip() for line in lines)
