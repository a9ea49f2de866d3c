"""`rafflekit winners` and `verify`: what the draw gave, and what has happened to the prizes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core import limits
from rafflekit.core.shapes import verification_shape, win_page_shape, win_shape
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.cli.drawn import Drawn

HEADER = b"line,participant,ticket_number,verification_code,refusal"


def test_winners_lists_nothing_before_the_draw_and_says_so(terminal: Terminal, raffle: Raffle) -> None:
    assert terminal(f"winners {raffle.id}") == Session(0, "", "The winners have not been drawn yet.\n")
    assert json.loads(terminal(f"winners {raffle.id} --json").out) == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_winners_lists_the_draw_page_by_page(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    first, second = engine.draw(sold_out.id)

    page = terminal(f"winners {sold_out.id} --page-size 1")
    shape = terminal(f"winners {sold_out.id} --page-size 1 --page 2 --json")

    assert page == Session(
        0, f"{first.ticket_number}\t{first.prize}\n", "page 1 of 2, 2 winners; --page 2 shows more\n"
    )
    assert json.loads(shape.out) == win_page_shape(engine.winners(sold_out.id, page=2, page_size=1))
    assert json.loads(shape.out)["results"] == [win_shape(second)]


def test_winners_show_what_has_happened_to_the_prizes(terminal: Terminal, drawn: Drawn) -> None:
    first, second, heir = drawn.settle()

    plain = terminal(f"winners {drawn.id}")
    shape = json.loads(terminal(f"winners {drawn.id} --json").out)

    redeemed, forfeited, taken_over = drawn.engine.winners(drawn.id).items
    assert redeemed.redeemed_at is not None
    assert forfeited.forfeited_at is not None
    assert plain.out == (
        f"{first}\tinvisibility\tredeemed_at: {redeemed.redeemed_at:%Y-%m-%dT%H:%M:%SZ}\n"
        f"{second}\twarm hug\tforfeited_at: {forfeited.forfeited_at:%Y-%m-%dT%H:%M:%SZ}\twhy: unclaimed\t"
        "reason: not collected\n"
        f"{heir}\twarm hug\tin_place_of: {second}\n"
    )
    assert shape["results"] == [win_shape(win) for win in (redeemed, forfeited, taken_over)]


@pytest.mark.parametrize("columns", ["140", "60"])
def test_a_terminal_shows_the_prizes_whereabouts(screen: OnScreen, drawn: Drawn, columns: str) -> None:
    _, second, _ = drawn.settle()

    text = without_styles(screen(f"winners {drawn.id}", COLUMNS=columns).text)

    words = " ".join(text.replace("│", " ").split())
    assert "redeemed on 20" in words
    assert ": not collected" in words
    assert f"in place of ticket {second}" in words


def test_the_title_of_a_narrow_table_is_on_one_line(screen: OnScreen, engine: RaffleEngine) -> None:
    raffle = engine.create("The big raffle of the choir", total_tickets=2, prizes=[Prize("tea")])
    for who in ("ann", "bob"):
        engine.participate(raffle.id, who)
    engine.draw(raffle.id)

    assert "Winners of The big raffle of the choir\r\n" in without_styles(screen("winners choir").text)
    assert "Queue of The big raffle of the choir\r\n" in without_styles(screen("queue choir").text)


def test_winners_lists_only_what_is_unredeemed(terminal: Terminal, screen: OnScreen, drawn: Drawn) -> None:
    _, second, heir = drawn.settle()

    plain, shown = terminal(f"winners {drawn.id} --unredeemed"), screen(f"winners {drawn.id} --unredeemed")

    assert plain == Session(0, f"{heir}\twarm hug\tin_place_of: {second}\n", "")
    assert "Unredeemed prizes of Foobar raffle" in without_styles(shown.text)
    drawn.engine.redeem(drawn.id, heir, drawn.codes[heir])
    assert terminal(f"winners {drawn.id} --unredeemed") == Session(
        0, "", "Every prize has been redeemed or forfeited.\n"
    )


@pytest.fixture
def listed(terminal: Terminal, engine: RaffleEngine, folder: Path) -> Raffle:
    """A drawn raffle whose tickets are in tickets.csv, except for that of a passer-by."""
    raffle = engine.create("Listed", total_tickets=3, prizes=[Prize("tea", 3)])
    (folder / "people.csv").write_text("ann@example.org\n✓ bob\n")
    assert terminal("participate Listed --from people.csv --out tickets.csv").status == 0
    engine.participate(raffle.id, "passer-by")
    engine.draw(raffle.id)
    return raffle


def test_winners_are_joined_to_the_organisers_own_list(
    terminal: Terminal, screen: OnScreen, listed: Raffle, folder: Path
) -> None:
    plain = terminal("winners Listed --tickets tickets.csv")
    shape = json.loads(terminal("winners Listed --tickets tickets.csv --json").out)
    shown = without_styles(screen("winners Listed --tickets tickets.csv").text)
    narrow = without_styles(screen("winners Listed --tickets tickets.csv", COLUMNS="40").text)

    rows = [line.split(",") for line in (folder / "tickets.csv").read_text().splitlines()[1:]]
    owners = {int(number): who for _, who, number, *_ in rows}
    assert [win["participant"] for win in shape["results"]] == [
        owners.get(win["ticket_number"]) for win in shape["results"]
    ]
    assert sorted(line.split("\t")[2] for line in plain.out.splitlines()) == ["", r"\u2713 bob", "ann@example.org"]
    for text in (shown, narrow):
        assert "ann@example.org" in text
        assert r"\u2713 bob" in text
        assert "not in the list" in text
    assert listed.total_tickets == len(shape["results"])


def test_the_right_list_may_lack_every_winner(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    row = f"ticket_number,participant,verification_code\n{drawn.next},ann,{{}}\n"
    (folder / "tickets.csv").write_text(row.format(drawn.codes[drawn.next]))
    (folder / "wrong.csv").write_text(row.format(drawn.codes[drawn.wins[0]]))

    exported = terminal("export Foobar winners --tickets tickets.csv -o winners.json")
    shown = terminal("winners Foobar --tickets tickets.csv --json")

    assert (exported.status, shown.status) == (0, 0)
    for wins in (json.loads((folder / "winners.json").read_text()), json.loads(shown.out)["results"]):
        assert [win["participant"] for win in wins] == [None, None]
    for command in ("export Foobar winners -o out.csv", "winners Foobar"):
        assert "is it the list of another raffle?" in terminal(f"{command} --tickets wrong.csv").err


def test_the_list_of_another_raffle_is_refused(
    terminal: Terminal, engine: RaffleEngine, listed: Raffle, sold_out: Raffle
) -> None:
    engine.draw(sold_out.id)

    refused = terminal(f"winners {sold_out.id} --tickets tickets.csv")

    assert listed.id != sold_out.id
    assert (refused.status, refused.out) == (2, "")
    assert "is it the list of another raffle?" in refused.err


NOT_TICKETS = (
    "--tickets: own.csv does not have the columns ticket_number, participant and verification_code; give the file that "
    "'participate --from' wrote."
)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "--tickets: own.csv cannot be read: No such file or directory."),
        (b"", NOT_TICKETS),
        (b"participant,ticket_number\nann,1\n", NOT_TICKETS),
        (b"\xe4", "--tickets: Line 1 of own.csv is not UTF-8; save the file as CSV UTF-8."),
        (b'a,b\n"', NOT_TICKETS),
        (HEADER + b'\n"', "--tickets: Line 2 of own.csv is not CSV: a quote is opened but never closed."),
        (
            HEADER + b"\n" + b"," * limits.RECORD_CELLS,
            "--tickets: Line 2 of own.csv has 1,001 cells, and at most 1,000 are possible; remove columns.",
        ),
        (
            HEADER + b'\n"' + b'",,,"\n' * limits.RECORD_CHARACTERS,
            "--tickets: Line 2 of own.csv begins a record of more than 1,048,576 characters; a closing quote may be "
            "missing.",
        ),
    ],
)
def test_a_file_that_is_no_list_of_tickets_is_refused(
    terminal: Terminal, folder: Path, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (folder / "own.csv").write_bytes(content)

    assert terminal("winners Listed --tickets own.csv") == Session(2, "", f"rafflekit: {sentence}\n")


@pytest.mark.usefixtures("listed")
def test_a_file_without_an_end_is_no_list_of_tickets(terminal: Terminal) -> None:
    refused = terminal("winners Listed --tickets /dev/zero")

    assert refused.status == 2
    assert refused.err.startswith(
        "rafflekit: --tickets: Line 1 of zero begins a record of more than 1,048,576 characters"
    )


@pytest.mark.usefixtures("listed")
def test_a_list_saved_by_a_spreadsheet_is_read(terminal: Terminal, folder: Path) -> None:
    saved = (folder / "tickets.csv").read_text().replace("\n", "\r\n")
    (folder / "saved.csv").write_text(saved, encoding="utf-8-sig", newline="")

    saved_list = terminal("winners Listed --tickets saved.csv")

    assert saved_list == terminal("winners Listed --tickets tickets.csv")


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


def test_verify_shows_redemptions_and_forfeits(terminal: Terminal, screen: OnScreen, drawn: Drawn) -> None:
    first, second, _ = drawn.settle()

    for number, words in ((first, "; redeemed on 20"), (second, "; its prize, warm hug, was forfeited on 20")):
        line = f"verify {drawn.id} {number} {drawn.codes[number]}"
        verification = drawn.engine.verify(drawn.id, number, drawn.codes[number])
        assert json.loads(terminal(f"{line} --json").out) == verification_shape(verification)
        assert words in without_styles(screen(line).text)
        assert words in " ".join(without_styles(screen(line, COLUMNS="60").text).split())
    plain = terminal(f"verify {drawn.id} {second} {drawn.codes[second]}").out
    assert "has_won: no\nforfeited_prize: warm hug\nforfeited_at: 20" in plain


@pytest.mark.usefixtures("an_hour_ahead")
def test_verify_says_until_when_a_prize_can_be_redeemed(
    terminal: Terminal, screen: OnScreen, engine: RaffleEngine
) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("tea")], claim_days=30)
    ticket = engine.participate(raffle.id, "ann")
    engine.draw(raffle.id)
    line = f"verify Fair 1 {ticket.verification_code}"

    until = engine.get(raffle.id).drawn_at
    assert until is not None
    until += timedelta(days=30)
    assert f"redeem_until: {until:%Y-%m-%dT%H:%M:%SZ}\n" in terminal(line).out
    local = f"{until + timedelta(hours=1):%Y-%m-%d %H:%M:%S} +01:00"
    assert f"; to be redeemed before {local}" in without_styles(screen(line).text)
    assert until > datetime.now(UTC)


@pytest.mark.parametrize("form", ["{0}", " {0} ", "“{0}”", "'{0}'", "{0}\u200b", "\ufeff{0}"])
@pytest.mark.parametrize("dash", ["-", "", "–", "\u2011", " "])
def test_a_code_is_read_as_people_paste_it(terminal: Terminal, drawn: Drawn, form: str, dash: str) -> None:
    number = drawn.wins[0]
    code = form.format(drawn.codes[number].lower().replace("-", dash)).replace("'", "’")

    assert terminal(f"verify {drawn.id} {number} '{code}'").status == 0
    assert terminal(f"redeem {drawn.id} {number} '{code}' --yes").status == 0


def test_a_number_may_be_typed_as_paper_prints_it(terminal: Terminal, engine: RaffleEngine) -> None:
    raffle = engine.create("Large", total_tickets=limits.TICKETS, prizes=[Prize("hug", 2)])
    tickets = {ticket.number: ticket for ticket in (engine.participate(raffle.id, name) for name in ("ann", "bob"))}
    engine.close_raffle(raffle.id)
    first, second = (tickets[win.ticket_number] for win in engine.draw(raffle.id))
    dots, spaces = f"{first.number:,}".replace(",", "."), f"{first.number:,}".replace(",", "\u202f")

    assert json.loads(terminal(f"receipt {raffle.id} {first.number:,}").out)["leaf"]["ticket_number"] == first.number
    assert terminal(f"verify {raffle.id} {dots} {first.verification_code}").status == 0
    assert terminal(f"redeem {raffle.id} '{spaces}' {first.verification_code} --yes").status == 0
    assert terminal(f"forfeit {raffle.id} {second.number:,} --unclaimed --yes").status == 0
    assert {win.ticket_number: win.redeemed_at is None for win in engine.winners(raffle.id).items} == {
        first.number: False,
        second.number: True,
    }


@pytest.mark.parametrize("number", ["1,1", "1.50", "1,234.567"])
def test_a_number_that_may_mean_another_is_refused(terminal: Terminal, raffle: Raffle, number: str) -> None:
    refused = terminal(f"receipt {raffle.id} {number}")

    assert refused.status == 2
    assert refused.err.startswith(f"rafflekit: Invalid value for 'NUMBER': '{number}' is not a whole number.")
