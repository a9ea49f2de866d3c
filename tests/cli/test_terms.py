"""The options of `rafflekit create` and `edit`, and the file that both read."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.core.shapes import raffle_shape
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles

SIX_O_CLOCK = datetime(2999, 12, 5, 18, tzinfo=UTC)
MIDNIGHT = datetime(2999, 12, 6, tzinfo=UTC)

FILE = """
name = "Village fair"
total_tickets = 200
prizes = [{ name = "Dinner", amount = 30 }, { name = "Bike" }]
entropy = "announced"
source = "ten dice, rolled on stage"
entry = "invitation"
tickets_each = 5
opens_at = 2999-12-05T18:00:00Z
closes_at = "2999-12-06 00:00"
draw_at = "2999-12-06 00:30"
claim_days = 30
collection = "at the bar"
promoter = "Scouts"
address = "1 Mill Lane"
price = "£1"
licence = "M123456"
note = "Over 18s only"
"""

ANNOUNCED = {
    "collection": "at the bar",
    "promoter": "Scouts",
    "address": "1 Mill Lane",
    "price": "£1",
    "licence": "M123456",
    "note": "Over 18s only",
}


@pytest.fixture(autouse=True)
def file(folder: Path) -> Path:
    """A file with the terms of a raffle, in the folder where the commands run."""
    (folder / "raffle.toml").write_text(FILE)
    return folder / "raffle.toml"


@pytest.mark.usefixtures("an_hour_ahead")
def test_create_takes_every_option(terminal: Terminal, engine: RaffleEngine) -> None:
    created = terminal(
        "create Fair --tickets 9 --prize tea --entropy announced --source 'the lottery' --entry desk --each 3 "
        "--opens 2999-12-05T19:00 --closes 2999-12-06T00:00Z --claim-days 30 --draw-at 2999-12-06T01:00 "
        + " ".join(f"--{name} '{text}'" for name, text in ANNOUNCED.items())
    )

    (raffle,) = engine.list().items
    terms = raffle.terms
    assert (terms.entropy, terms.source, terms.entry) == ("announced", "the lottery", "desk")
    assert (terms.tickets_each, terms.claim_days) == (3, 30)
    assert (terms.opens_at, terms.closes_at, terms.draw_at) == (SIX_O_CLOCK, MIDNIGHT, MIDNIGHT)
    assert ANNOUNCED.items() <= raffle_shape(raffle).items()
    assert "opens_at: 2999-12-05T18:00:00Z\ncloses_at: 2999-12-06T00:00:00Z\ndraw_at: 2999-12" in created.out
    assert "collection: at the bar\npromoter: Scouts\naddress: 1 Mill Lane\nprice: £1\nlicence: M1" in created.out
    assert "state: upcoming\n" in created.out


@pytest.mark.usefixtures("an_hour_ahead")
@pytest.mark.parametrize("columns", ["100", "60"])
def test_a_terminal_shows_the_raffle_as_it_is_understood(screen: OnScreen, columns: str) -> None:
    words = (
        without_styles(screen("create --from raffle.toml", COLUMNS=columns).text).replace("│", " ").replace(":", " ")
    )

    shown = " ".join(words.split())
    for fact in (
        "Opens 2999-12-05 19 00 00 +01 00",
        "Closes 2999-12-06 00 00 00 +01 00",
        "200 of 200 left",
        "30 × Dinner",
        "1 × Bike",
        "Entry invitation codes, 5 tickets each",
        "Randomness announced ten dice, rolled on stage",
        "Draw planned 2999-12-06 00 30 00 +01 00",
        "To redeem within 30 days of the draw",
        *(f"{name.capitalize()} {text}" for name, text in ANNOUNCED.items()),
    ):
        assert fact in shown


def test_create_reads_all_terms_from_a_file(terminal: Terminal, engine: RaffleEngine) -> None:
    created = terminal("create --from raffle.toml --json")

    (raffle,) = engine.list().items
    terms = raffle.terms
    assert json.loads(created.out) == raffle_shape(raffle)
    assert (raffle.name, raffle.total_tickets) == ("Village fair", 200)
    assert raffle.prizes == (Prize("Dinner", 30), Prize("Bike"))
    assert (terms.source, terms.entry, terms.tickets_each) == ("ten dice, rolled on stage", "invitation", 5)
    assert (terms.opens_at, terms.closes_at, terms.claim_days) == (SIX_O_CLOCK, MIDNIGHT, 30)
    assert ANNOUNCED.items() <= raffle_shape(raffle).items()


def test_arguments_override_the_file(terminal: Terminal, engine: RaffleEngine) -> None:
    terminal("create Fair --from raffle.toml --tickets 9 --prize tea:2 --entropy secrets --source '' --closes ''")

    (raffle,) = engine.list().items
    terms = raffle.terms
    assert (raffle.name, raffle.total_tickets, raffle.prizes) == ("Fair", 9, (Prize("tea", 2),))
    assert (terms.entropy, terms.source, terms.closes_at, terms.opens_at) == ("secrets", None, None, SIX_O_CLOCK)


@pytest.mark.parametrize("json_option", ["", "--json"])
def test_a_dry_run_shows_a_raffle_and_stores_none(terminal: Terminal, engine: RaffleEngine, json_option: str) -> None:
    shown = terminal(f"create --from raffle.toml --dry-run {json_option}")

    assert shown.status == 0
    assert "Village fair" in shown.out
    assert '"id"' not in shown.out
    assert "id: " not in shown.out
    assert ("Nothing was stored." in shown.err) == (not json_option)
    assert engine.list().count == 0


def test_a_dry_run_refuses_what_create_refuses(terminal: Terminal) -> None:
    line = "create --from raffle.toml --tickets 5"

    assert terminal(f"{line} --dry-run") == terminal(line)
    assert terminal(line).status == 2


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("ticket = 5", "--from: raffle.toml has the unknown key 'ticket'; the keys are name, total_tickets, prizes,"),
        (
            'prizes = [{ name = "a", price = 5 }]',
            "--from: raffle.toml has the unknown key 'price'; the keys are name, am",
        ),
        ('prizes = ["a"]', "prizes in raffle.toml: must be a list such as"),
        ("prizes = [{ amount = 5 }]", "prizes in raffle.toml: must be a list such as"),
        (
            'prizes = [{ name = "a" }, { name = "b", amount = 0 }]',
            "prizes in raffle.toml no. 2, amount: must be at least",
        ),
        ("total_tickets = 0", "total_tickets in raffle.toml: must be at least 1."),
        ('total_tickets = "5"', "total_tickets in raffle.toml: must be a whole number."),
        ("tickets_each = true", "tickets_each in raffle.toml: must be a whole number."),
        ("entropy = []", "entropy in raffle.toml: must be secrets or"),
        ("name = 5", "name in raffle.toml: must be text."),
        ('name = ""', "name in raffle.toml: must not be empty."),
        ("opens_at = 5", "opens_at in raffle.toml: must be a time such as 2026-12-05T18:00"),
        ("note = 5", "note in raffle.toml: must be text."),
        ('price = "£1"', "--promoter: is missing: a raffle with a price must name its promoter."),
        ("opens_at = 2026-12-05", "opens_at in raffle.toml: must be a time such as 2026-12-05T18:00"),
    ],
)
def test_a_wrong_key_or_value_of_a_file_is_named(
    terminal: Terminal, engine: RaffleEngine, file: Path, written: str, sentence: str
) -> None:
    key, _, _ = written.partition(" =")
    others = {"name": "'x'", "total_tickets": "5", "prizes": "[{ name = 'a' }]"}
    lines = [written, *(f"{name} = {value}" for name, value in others.items() if name != key)]
    file.write_text("\n".join(lines))

    status, out, err = terminal("create --from raffle.toml")

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")
    assert engine.list().count == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("opens_at = 2026-12-05T18:00", "--from: raffle.toml is not TOML: "),
        (f"total_tickets = {'9' * 5000}", "--from: raffle.toml is not TOML: "),
        (f"prizes = {'[' * 5000}", "--from: raffle.toml is not TOML: "),
        ("#" * 1_048_577, "--from: raffle.toml is larger than 1,048,576 bytes."),
        ("", "--from: the file raffle.toml is empty."),
        ("# Nothing yet.", "NAME is missing: give it, or a file that has 'name' with --from."),
    ],
    ids=range(6),
)
def test_a_file_without_terms_is_refused(terminal: Terminal, file: Path, content: str, sentence: str) -> None:
    file.write_text(content)

    status, out, err = terminal("create --from raffle.toml")

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")


def test_a_file_that_cannot_be_read_is_named(terminal: Terminal, file: Path) -> None:
    file.write_bytes("name = 'x'".encode("utf-16"))

    assert terminal("create --from raffle.toml").err == "rafflekit: --from: raffle.toml is not a text file in UTF-8.\n"
    assert terminal("create --from none.toml").err.startswith(
        "rafflekit: --from: none.toml cannot be read: No such file"
    )
    assert terminal("create --from none.toml").status == 2


def test_a_file_may_have_a_byte_order_mark(terminal: Terminal, file: Path) -> None:
    file.write_text(FILE, encoding="utf-8-sig")

    assert terminal("create --from raffle.toml").status == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--each many", "--each: 'many' is not a whole number."),
        ("--each 1001", "--each: must be at most 1,000."),
        ("--delay 60", "--delay: is only for drand-quicknet; secrets has no delay."),
        ("--claim-days 0", "--claim-days: must be at least 1."),
        ("--entry all", "--entry: must be address or invitation or desk."),
        ("--source x", "--source: is only for announced; secrets names no source."),
        ("--entropy announced", "--source: is missing: say where everyone will see the value that decides."),
        ("--price £1 --promoter us", "--draw-at: is missing: a raffle with a price must say when it is drawn."),
        ("--draw-at 2020-01-01T00:00", "--draw-at: must be after the moment when the raffle is created."),
        ("--licence ' '", "--licence: must not be empty."),
        ("--opens tomorrow", "--opens: must be a time such as 2026-12-05T18:00"),
        ("--opens 2999-12-06T00:00 --closes 2999-12-05T00:00", "--closes: must be after the moment when it opens."),
        (
            "--prize 'Dinner at 19:00'",
            "--prize no. 2, amount: must be at least 1. 00 was read as the amount in 'Dinner at 19:00'; write "
            "'Dinner at 19:00:1' if all of it is the name.",
        ),
        (
            "--prize 'Dinner at 19:30'",
            "--prize: Too many prizes: 31 for 9 tickets. A ticket wins at most one prize; add tickets or remove "
            "prizes. 30 was read as the amount in 'Dinner at 19:30'; write 'Dinner at 19:30:1' if all of it is",
        ),
        (
            "--prize hug:30 --prize 'radio 1:5:1'",
            "--prize: Too many prizes: 32 for 9 tickets. A ticket wins at most one prize; add tickets or remove "
            "prizes.\n",
        ),
        ("--closes 2020-01-01T00:00", "--closes: must be after the moment when the raffle is created."),
    ],
)
def test_a_wrong_option_is_named(terminal: Terminal, engine: RaffleEngine, options: str, sentence: str) -> None:
    status, out, err = terminal(f"create Fair --tickets 9 --prize tea {options}")

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")
    assert engine.list().count == 0


def test_edit_changes_what_is_named_and_nothing_else(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    edited = terminal(f"edit {raffle.id} --name Fair --tickets 9 --prize tea:2 --each 3 --closes 2999-12-06T00:00")

    changed = engine.get(raffle.id)
    assert edited.status == 0
    assert "name: Fair\n" in edited.out
    assert "prize: tea:2\n" in edited.out
    assert (changed.name, changed.total_tickets, changed.prizes) == ("Fair", 9, (Prize("tea", 2),))
    assert (changed.terms.tickets_each, changed.terms.closes_at) == (3, MIDNIGHT)
    assert changed.created_at == raffle.created_at
    terminal("edit Fair --tickets 8")
    assert engine.get(raffle.id).terms.tickets_each == 3


def test_an_empty_value_removes_an_option(terminal: Terminal, engine: RaffleEngine) -> None:
    raffle = json.loads(terminal("create --from raffle.toml --json").out)["id"]
    texts = tuple(f"--{name}" for name in ANNOUNCED)
    times = ("--opens", "--closes", "--draw-at")
    options = ("--entropy", "--source", "--delay", "--entry", "--each", "--claim-days", *times, *texts)

    edited = terminal(f"edit {raffle} --json " + " ".join(f"{option} ''" for option in options))

    assert edited.status == 0
    plain = engine.create("Village fair", total_tickets=200, prizes=engine.get(raffle).prizes)
    same = {"id": "", "created_at": ""}
    assert json.loads(edited.out) | same == json.loads(json.dumps(raffle_shape(plain))) | same


def test_an_empty_value_in_a_file_removes_an_option(terminal: Terminal, engine: RaffleEngine, file: Path) -> None:
    terminal("create --from raffle.toml")
    file.write_text('name = "Fair"\nclaim_days = ""\n')

    assert terminal("edit 'Village fair' --from raffle.toml").status == 0
    assert engine.find("Fair").terms.claim_days is None
    assert engine.find("Fair").terms.tickets_each == 5


def test_an_edit_on_trial_changes_nothing(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    shown = terminal(f"edit {raffle.id} --name Fair --dry-run")

    assert (shown.status, shown.err) == (0, "This is how the raffle would be. Nothing was stored.\n")
    assert shown.out.startswith(f"id: {raffle.id}\nname: Fair\n")
    assert engine.get(raffle.id).terms == raffle.terms


def test_edit_refuses_a_raffle_with_tickets(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    engine.participate(raffle.id, "ann")

    assert terminal(f"edit {raffle.id} --name Fair") == Session(
        1, "", "rafflekit: The terms are final: 1 ticket has been handed out.\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("", "Nothing to change: give at least one option, such as --tickets."),
        ("--name ''", "--name: must not be empty."),
        ("--tickets 1", "--prize: Too many prizes: 2 for 1 ticket."),
        ("--prize tea:x1 --prize a:-1", "--prize: 'a:-1' has no whole number"),
    ],
)
def test_edit_refuses_in_a_sentence(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, options: str, sentence: str
) -> None:
    status, out, err = terminal(f"edit {raffle.id} {options}")

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")
    assert engine.get(raffle.id).terms == raffle.terms
