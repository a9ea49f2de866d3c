"""What the README and the docs say is true."""

import contextlib
import io
import re
import subprocess
import sys
from math import comb, log2, perm, sqrt
from pathlib import Path

import pytest

import rafflekit
from rafflekit import RaffleEngine, RaffleError
from rafflekit.cli import commands as rafflekit_commands
from rafflekit.cli import main
from rafflekit.cli.failures import EXIT_STATUSES
from rafflekit.core import limits
from rafflekit.core.exports import Exports
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.passes import Passes
from rafflekit.core.settings import VARIABLES
from rafflekit.http.api import ROUTES, service
from rafflekit.http.problems import STATUSES
from tests.project.picture import PICTURE, picture_of
from tests.project.session import DOCS, PAGES, README, ROOT, normalised, ran, steps_of

COMMANDS = (DOCS / "commands.md").read_text()
ERRORS = (DOCS / "errors.md").read_text()
FAIRNESS = (DOCS / "fairness.md").read_text()
LIBRARY = (DOCS / "library.md").read_text()
GROUPS = [name for name, command in rafflekit_commands.COMMANDS.items() if command.function is None]
EVERY_PAGE = [
    README,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.rglob("*.md")),
    *ROOT.glob("tests/*/*.md"),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_session_prints_what_its_page_shows(page: Path) -> None:
    shown = [(step.command, normalised(step.output)) for step in steps_of(page.read_text())]

    commands = [command for command, _ in shown]
    assert [*zip(commands, (normalised(step.output) for step in ran(page)), strict=True)] == shown


def test_the_picture_shows_the_readme_session() -> None:
    assert PICTURE.read_text() == picture_of(steps_of(README.read_text()))


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


def test_the_table_of_dice_and_lotteries_is_right() -> None:
    values = {
        "two dice": 6**2,
        "six dice": 6**6,
        "ten dice": 6**10,
        "twenty dice": 6**20,
        "6 of 49, sorted": comb(49, 6),
        "6 of 49, in the order in which they were drawn": perm(49, 6),
        "5 of 50 and 2 of 12, sorted (EuroMillions)": comb(50, 5) * comb(12, 2),
        "5 of 69 and 1 of 26, sorted (Powerball)": comb(69, 5) * 26,
    }

    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) \| (\d+) \| ([\d.]+ %) \|$", FAIRNESS, flags=re.MULTILINE)
    assert rows == [
        (source, f"{number:,}", f"{int(log2(number))}", f"{100 * sqrt(200 / number):.1f} %")
        for source, number in values.items()
    ]


def examples_of(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    (example,) = examples_of(README)

    printed = printed_by(example, tmp_path)

    assert len(printed.splitlines()) == 3
    assert printed.count("has_won=True, prize='warm hug'") == 2


def test_the_python_example_of_the_library_page_runs(tmp_path: Path) -> None:
    (example,) = examples_of(DOCS / "library.md")

    refusal, win, verification = printed_by(example, tmp_path).splitlines()

    assert refusal == "Tickets to this raffle are no longer available"
    assert re.fullmatch(r"[12] warm hug", win)
    assert verification.startswith("Verification(has_won=")


def test_the_proof_page_can_be_printed_as_the_docs_say(tmp_path: Path) -> None:
    (example,) = re.findall(r'^    python -c "(.*)"$', (DOCS / "proof-page.md").read_text(), flags=re.MULTILINE)

    assert printed_by(example, tmp_path).startswith("<!doctype html>")


def printed_by(example: str, folder: Path) -> str:
    command = [sys.executable, "-c", example]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_is_in_the_docs(variable: tuple[str, str, str]) -> None:
    name, purpose, default = variable

    assert f"| `{name}` | {purpose} | {default} |" in (DOCS / "settings.md").read_text()


def help_of(*words: str) -> str:
    """Return what `rafflekit … --help` prints; in this process, since there are two dozen commands."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*words, "--help"]) == 0
    return printed.getvalue()


def commands_below(*words: str) -> list[str]:
    """Return every command that does something itself; groups only lead to others."""
    names = re.findall(r"^  (\w+)  +\w", help_of(*words), flags=re.MULTILINE)
    return [
        command
        for name in names
        for command in (commands_below(name) if not words and name in GROUPS else [" ".join((*words, name))])
    ]


def test_every_command_is_in_the_docs_with_its_options() -> None:
    commands = commands_below()
    lines = re.findall(rf"^\| `rafflekit ((?:(?:{'|'.join(GROUPS)}) )?\w+).*", COMMANDS, flags=re.MULTILINE)
    assert lines == commands

    for command in commands:
        (line,) = re.findall(rf"^\| `rafflekit {command}\b.*", COMMANDS, flags=re.MULTILINE)
        listed = help_of(*command.split()).partition("Options:")[2].partition("Environment")[0]
        options = set(re.findall(r"--[a-z][a-z-]+", listed))
        shared = {"--help", "--json", "--database-url"}
        assert {option for option in options - shared if option not in line} == set(), line


def test_every_public_method_is_in_the_library_page() -> None:
    engine, _, others = LIBRARY.partition("`engine.proofs`")
    proofs, _, others = others.partition("`engine.exports`")
    exports, _, passes = others.partition("`engine.passes`")
    functions = {name for name in rafflekit.__all__ if name.endswith("_database") or name.startswith("database_")}

    assert methods_listed_in(engine) == public_methods_of(RaffleEngine)
    assert methods_listed_in(proofs) == public_methods_of(Proofs)
    assert methods_listed_in(exports) == public_methods_of(Exports)
    assert methods_listed_in(passes) == public_methods_of(Passes)
    assert set(re.findall(r"^\| `rafflekit\.(\w+)`", LIBRARY, flags=re.MULTILINE)) == functions


def methods_listed_in(table: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)\(", table, flags=re.MULTILINE))


def public_methods_of(kind: type) -> set[str]:
    return {name for name, member in vars(kind).items() if callable(member) and not name.startswith("_")}


def test_every_address_of_the_api_is_in_the_docs() -> None:
    page = (DOCS / "http-api.md").read_text()
    served = {
        f"{method} {route.path.replace('{raffle_id}', '<id>')}" for route in ROUTES for method in route.operations
    }
    of_the_service = {f"GET {route.path}" for route in service.ROUTES}

    listed = re.findall(r"^\| `([A-Z]+ /\S*)`", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(served - of_the_service)
    assert {each for each in of_the_service if each.removeprefix("GET ") not in page} == set()


def all_errors(kind: type[RaffleError] = RaffleError) -> list[type[RaffleError]]:
    return [kind, *(error for child in kind.__subclasses__() for error in all_errors(child))]


@pytest.mark.parametrize("error", all_errors())
def test_every_error_is_in_the_docs_with_its_statuses(error: type[RaffleError]) -> None:
    assert f"| `{error.__name__}` | `{error.code}` | {STATUSES[error]:d} | {EXIT_STATUSES[error]} |" in ERRORS
    assert error.__doc__


def test_every_error_has_its_own_code() -> None:
    codes = [error.code for error in all_errors()]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    "limit",
    [
        limits.NAME_CHARACTERS,
        limits.TICKETS,
        limits.PRIZE_KINDS,
        limits.PRIZES,
        limits.PARTICIPANT_CHARACTERS,
        *limits.IPV6_PREFIXES,
        *limits.IDEMPOTENCY_KEY_CHARACTERS,
        limits.PASS_NAME_CHARACTERS,
        limits.PASS_S[1] // 86_400,
        limits.PASSES,
        limits.ENDED_PASSES_LISTED,
        limits.PAGE_SIZE,
        limits.RAFFLES_PAGE_SIZE_MOST,
        limits.LISTED_PRIZES,
        limits.LEAVES_AT_ONCE,
        limits.BODY_BYTES,
        limits.CREATE_BODY_BYTES,
        limits.RECORD_CHARACTERS,
        limits.RECORD_CELLS,
        limits.XLSX_BYTES,
        limits.XLSX_ELEMENTS,
        limits.XLSX_PIECE_ELEMENTS,
        limits.XLSX_PIECE_BYTES,
        limits.XLSX_TEXTS_BYTES,
    ],
)
def test_every_limit_is_in_the_docs(limit: int) -> None:
    assert re.search(rf"(?<![\d,]){limit:,}(?![\d,])", ERRORS.partition("## Limits")[2])


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, _, anchor in (
        link.partition("#") for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text())
    ):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors_of(file.read_text()), f"{target}#{anchor}"


def test_every_path_in_contributing_exists() -> None:
    named = re.findall(r"`(\w+/\w[\w/]*(?:/|\.(?:py|md|js)))`", (ROOT / "CONTRIBUTING.md").read_text())

    missing = {path for path in named if not any((room / path).exists() for room in (ROOT, ROOT / "rafflekit"))}
    assert len(named) > 30
    assert missing == set()


def anchors_of(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
