"""`rafflekit create`, `list` and `show`; `edit` and what both `create` and `edit` read are next door."""

import json

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.core.shapes import raffle_page_shape, raffle_shape
from tests.cli.conftest import Session, Terminal


def test_create_prints_the_raffle_field_by_field(terminal: Terminal, engine: RaffleEngine) -> None:
    created = terminal('create "Foobar raffle" --tickets 15 --prize invisibility:1 --prize "warm hug:3"')

    (raffle,) = engine.list().items
    assert created == Session(
        0,
        f"id: {raffle.id}\n"
        "name: Foobar raffle\n"
        f"created_at: {raffle.created_at:%Y-%m-%dT%H:%M:%SZ}\n"
        "total_tickets: 15\n"
        "prize: invisibility:1\n"
        "prize: warm hug:3\n"
        "entropy: secrets\n"
        "available_tickets: 15\n"
        "winners_drawn: no\n"
        "state: open\n",
        "The winners are drawn on this machine: people must trust you not to have drawn twice.\n"
        "With --entropy drand-quicknet, no one has to trust you on this.\n",
    )


def test_create_says_which_beacon_will_decide(terminal: Terminal) -> None:
    created = terminal("create Fair --tickets 5 --prize car --entropy drand-quicknet --delay 90")
    refused = terminal("create Fair --tickets 5 --prize car --entropy dice")

    assert "prize: car:1\nentropy: drand-quicknet\ndelay_s: 90\n" in created.out
    assert refused == Session(2, "", "rafflekit: --entropy: must be secrets or drand-quicknet or announced.\n")


def test_create_prints_the_contracts_json(terminal: Terminal, engine: RaffleEngine) -> None:
    created = terminal("create Fête --tickets 15 --prize a:2 --json")

    (raffle,) = engine.list().items
    assert raffle.prizes == (Prize("a", 2),)
    assert json.loads(created.out) == raffle_shape(raffle)
    assert "Fête" in created.out
    assert created.out.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("create x --tickets 0 --prize a", "--tickets: must be at least 1."),
        ("create x --tickets 5 --prize a --prize b:0", "--prize no. 2, amount: must be at least 1."),
        ("create x --tickets 5 --prize ''", "--prize no. 1, name: must not be empty."),
        ("create x --tickets 5 --prize a:-1", "--prize: 'a:-1' has no whole number after its last colon"),
        ("create ' ' --tickets 5 --prize a", "NAME: must not be empty."),
        ("create x --tickets 5 --prize a:6", "--prize: Too many prizes: 6 for 5 tickets."),
        (f"create x --tickets {'9' * 400} --prize a", "--tickets: must be at most 1,000,000,000,000."),
        (f"create x --tickets {'9' * 5000} --prize a", "--tickets: must be at most 1,000,000,000,000."),
        (f"create x --tickets 5 --prize a:{'9' * 400}", "--prize: Too many prizes: the amount of 'a' has 400 digits"),
        ("create x --tickets many --prize a", "Invalid value for '--tickets'"),
        ("create x --tickets 5", "--prize is missing: give it, or a file that has 'prizes' with --from."),
        ("create x --prize a", "--tickets is missing: give it, or a file that has 'total_tickets' with --from."),
        ("create --tickets 5 --prize a", "NAME is missing: give it, or a file that has 'name' with --from."),
    ],
)
def test_create_refuses_a_wrong_value_by_its_options_name(
    terminal: Terminal, engine: RaffleEngine, line: str, sentence: str
) -> None:
    status, out, err = terminal(line)

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")
    assert engine.list().count == 0


def test_show_takes_an_id_or_the_beginning_of_one(terminal: Terminal, raffle: Raffle) -> None:
    whole = terminal(f"show {raffle.id}")
    beginning = terminal(f"show {raffle.id.hex[:8].upper()}")

    assert whole == beginning
    assert f"id: {raffle.id}\n" in whole.out


def test_show_takes_a_part_of_a_name(terminal: Terminal, raffle: Raffle) -> None:
    assert terminal("show 'OOBAR r'") == terminal(f"show {raffle.id}")


def test_show_says_when_a_raffle_was_drawn(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    before = terminal(f"show {sold_out.id}").out
    engine.draw(sold_out.id)
    drawn_at = engine.get(sold_out.id).drawn_at

    assert drawn_at is not None
    assert "drawn_at" not in before
    assert f"\ndrawn_at: {drawn_at:%Y-%m-%dT%H:%M:%SZ}\n" in terminal(f"show {sold_out.id}").out


def test_show_prints_the_contracts_json(terminal: Terminal, raffle: Raffle) -> None:
    shown = terminal(f"show {raffle.id} --json")

    assert json.loads(shown.out) == raffle_shape(raffle)


@pytest.mark.usefixtures("raffle")
def test_show_refuses_an_unknown_raffle(terminal: Terminal) -> None:
    assert terminal("show nonsense") == Session(
        1,
        "",
        "rafflekit: No raffle's id begins with 'nonsense', and no raffle's name contains it; "
        "'rafflekit list' shows all raffles.\n",
    )


def test_an_error_cuts_a_very_long_name_and_keeps_the_advice(terminal: Terminal) -> None:
    status, _, err = terminal(f"show {'x' * 5_000}")

    assert (status, len(err) < 1_000) == (1, True)
    assert err.endswith("; 'rafflekit list' shows all raffles.\n")


def test_show_wants_more_of_an_id_that_several_raffles_share(terminal: Terminal, engine: RaffleEngine) -> None:
    for _ in range(17):  # one more than there are first digits
        engine.create("x", total_tickets=1, prizes=[Prize("a")])
    ids = sorted(raffle.id.hex for raffle in engine.list(page_size=17).items)
    digits = [each[0] for each in ids]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    candidates = [f"{each[:8]} (x)" for each in ids if each[0] == shared]
    shown_candidates = ", ".join([*candidates[:5], *(["…"] if len(candidates) > 5 else [])])

    shown = terminal(f"show {shared}")

    assert shown.status == 2
    assert shown.err == (
        f"rafflekit: RAFFLE: several raffles match '{shared}'; use the beginning of the id: {shown_candidates}.\n"
    )


@pytest.mark.usefixtures("raffle")
def test_list_prints_one_line_per_raffle_newest_first(terminal: Terminal, engine: RaffleEngine) -> None:
    newest, older = engine.list().items

    listed = terminal("list")

    assert listed == Session(
        0,
        f"{newest.id}\t{newest.created_at:%Y-%m-%dT%H:%M:%SZ}\t3\t3\topen\tFoobar raffle\n"
        f"{older.id}\t{older.created_at:%Y-%m-%dT%H:%M:%SZ}\t9\t9\topen\tAnother raffle\n",
        "",
    )


def test_list_never_cuts_or_wraps_a_long_name(terminal: Terminal, engine: RaffleEngine) -> None:
    engine.create("long " * 39 + "name", total_tickets=1, prizes=[Prize("a")])

    listed = terminal("list")

    assert listed.out.endswith("\topen\t" + "long " * 39 + "name\n")


@pytest.mark.usefixtures("raffle")
def test_list_prints_the_contracts_json(terminal: Terminal, engine: RaffleEngine) -> None:
    listed = terminal("list --page 2 --page-size 1 --json")

    assert json.loads(listed.out) == raffle_page_shape(engine.list(page=2, page_size=1))
    assert listed.err == ""


@pytest.mark.usefixtures("raffle")
def test_list_says_which_page_it_is_and_how_to_see_more(terminal: Terminal) -> None:
    first, last = terminal("list --page-size 1"), terminal("list --page-size 1 --page 2")

    assert first.err == "page 1 of 2, 2 raffles; --page 2 shows more\n"
    assert last.err == "page 2 of 2, 2 raffles\n"
    assert "Foobar raffle" in first.out
    assert "Another raffle" in last.out


@pytest.mark.usefixtures("raffle")
def test_list_finds_a_part_of_a_name_in_any_case(terminal: Terminal) -> None:
    listed = terminal("list --name FOOBAR")

    assert "Foobar raffle" in listed.out
    assert "Another raffle" not in listed.out


def test_list_separates_drawn_raffles_from_others(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    drawn, not_drawn = terminal("list --drawn"), terminal("list --not-drawn")

    assert "\tdrawn\tFoobar raffle\n" in drawn.out
    assert "Another raffle" not in drawn.out
    assert "\topen\tAnother raffle\n" in not_drawn.out
    assert "Foobar raffle" not in not_drawn.out


def test_an_empty_list_says_how_to_begin(terminal: Terminal) -> None:
    assert terminal("list") == Session(0, "", "There are no raffles yet; 'rafflekit create' creates one.\n")


@pytest.mark.usefixtures("raffle")
@pytest.mark.parametrize(
    ("first", "options"),
    [
        ("", "--name nowhere"),
        ("", "--drawn"),
        ("draw", "--not-drawn"),
        ("", "--name Foobar --drawn"),
        ("", "--state drawn"),
    ],
)
def test_a_filter_without_matches_is_not_an_empty_database(
    terminal: Terminal, engine: RaffleEngine, first: str, options: str
) -> None:
    for raffle in engine.list().items if first else ():
        assert list(engine.participate_many(raffle.id, [str(who) for who in range(raffle.total_tickets)]))
        engine.draw(raffle.id)

    sentence = "No raffle matches; 'rafflekit list' without a filter shows all.\n"
    assert terminal(f"list {options}") == Session(0, "", sentence)
    assert json.loads(terminal(f"list {options} --json").out)["count"] == 0


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("list --page 0", 2, "--page: must be at least 1."),
        ("list --page-size 101", 2, "--page-size: must be at most 100."),
        ("list --page 2", 1, "The list ends before this page; begin with page 1."),
        ("list --state won", 2, "--state: must be upcoming, open, closed, drawn or cancelled."),
        ("list --name '\a'", 2, "--name: must not contain control characters or line breaks."),
    ],
)
def test_list_refuses_what_cannot_be(terminal: Terminal, line: str, status: int, sentence: str) -> None:
    assert terminal(line) == Session(status, "", f"rafflekit: {sentence}\n")
