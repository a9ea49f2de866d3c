"""Break the core and HTTP's access checks in small ways, one at a time; report what the tests do not notice.

mutmut (https://mutmut.readthedocs.io) makes the mutants of a module and runs, for each, those of the module's tests
that reach it, on SQLite only. Every module has its own copy of the project in .mutants/, where `mutmut results` and
`mutmut show MUTANT` show more. docs/mutants.md explains the survivors.

    python -m tests.mutants [MODULE …]        e.g. protocol.winners; without arguments: all of `TESTS`
"""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIES = ROOT / ".mutants"
MUTMUT = Path(sys.executable).with_name("mutmut")

ENGINE = ("tests/core/test_engine_raffles.py", "tests/core/test_engine_tickets.py", "tests/core/test_engine_draws.py")
LEDGERS = ("tests/core/ledger/test_proofs.py", "tests/core/ledger/test_borders.py")
CHECKUP = ("tests/core/checkup", "tests/core/test_beacon_draws.py", "tests/core/test_purge.py")
STORAGE = ("tests/core/storage", *ENGINE)

# A mutant that survives has run through all of its tests, so a module has no more than it needs.
TESTS: dict[str, tuple[str, ...]] = {
    "protocol.winners": (
        "tests/protocol/test_winners.py",
        "tests/protocol/test_draw_statements.py",
        "tests/vectors",
        "tests/core/ledger/test_proofs.py",
    ),
    "tickets.numbering": ("tests/core/tickets/test_numbering.py",),
    "protocol.codes": ("tests/protocol/test_codes.py",),
    "tickets.participants": ("tests/core/tickets/test_participants.py",),
    "tickets.groups": ("tests/core/tickets/test_groups.py",),
    "lifecycle": ("tests/core/test_lifecycle.py",),
    "prizes": ("tests/core/test_prizes.py",),
    "limits": ("tests/core/test_limits.py",),
    "shapes": (
        "tests/core/test_shapes.py",
        "tests/http/api/test_raffles.py",
        "tests/http/api/test_tickets.py",
        "tests/http/api/test_draws.py",
        "tests/cli/test_raffles.py",
        "tests/cli/test_draws.py",
    ),
    "settings": ("tests/core/test_settings.py", "tests/http/test_access.py"),
    "tickets.issuing": ("tests/core/tickets/test_issuing.py", "tests/core/test_engine_tickets.py", *LEDGERS),
    "tickets.sales": (
        "tests/core/tickets/test_sales.py",
        "tests/core/tickets/test_issuing.py",
        "tests/core/test_engine_tickets.py",
    ),
    "tickets.sealing": ("tests/core/tickets/test_sealing.py", "tests/core/tickets/test_sales.py"),
    "tickets.entry": ("tests/core/tickets/test_entry.py",),
    "tickets.invitations": ("tests/core/tickets/test_invitations.py", "tests/core/tickets/test_entry.py"),
    "tickets.deciding": ("tests/core/tickets/test_deciding.py",),
    "raffles": ("tests/core/test_engine_raffles.py", "tests/core/test_finding.py", "tests/core/test_beacon_draws.py"),
    "beacons": ("tests/core/test_beacon_draws.py",),
    "draws": ("tests/core/test_engine_draws.py", "tests/core/test_beacon_draws.py", "tests/core/test_purge.py"),
    "endings": (
        "tests/core/test_endings.py",
        "tests/core/test_cancellations.py",
        "tests/core/test_purge.py",
        "tests/cli/test_endings.py",
    ),
    "claims": ("tests/core/test_claims.py", "tests/core/test_forfeits.py"),
    "engine": (
        *ENGINE,
        "tests/core/test_beacon_draws.py",
        "tests/core/tickets/test_issuing.py",
        "tests/core/ledger/test_proofs.py",
        "tests/core/test_purge.py",
        "tests/core/test_readiness.py",
    ),
    "upkeep": ("tests/cli/test_backup.py", "tests/cli/test_databases.py", "tests/core/storage/test_migrations.py"),
    "checkup.raffles": CHECKUP,
    "checkup.ledgers": CHECKUP,
    "checkup.keys": ("tests/core/checkup/test_keys.py",),
    "private_files": (
        "tests/core/test_private_files.py",
        "tests/cli/test_planted_files.py",
        "tests/cli/test_backup.py",
        "tests/cli/lists/test_run.py",
        "tests/core/ledger/test_proofs.py",
        "tests/core/test_witness_memory.py",
    ),
    "ledger.keys": ("tests/core/ledger/test_keys.py", "tests/cli/test_keys.py", "tests/core/ledger/test_proofs.py"),
    "ledger.books": (*LEDGERS, "tests/core/test_beacon_draws.py"),
    "ledger.keeping": (*LEDGERS, "tests/core/ledger/test_keys.py", "tests/core/tickets/test_issuing.py"),
    "ledger.proofs": (*LEDGERS, "tests/core/ledger/test_cosignatures.py", "tests/protocol/test_receipts.py"),
    "protocol.cosignatures": ("tests/protocol/test_cosignatures.py",),
    "protocol.entropy.announced": (
        "tests/protocol/entropy/test_sources.py",
        "tests/core/test_announced_draws.py",
    ),
    "protocol.forfeits": ("tests/vectors", "tests/core/test_forfeits.py"),
    "protocol.quoting": ("tests/protocol/test_quoting.py",),
    "protocol.hashing": ("tests/vectors", "tests/core/ledger/test_proofs.py"),
    "protocol.leaves": ("tests/vectors", "tests/core/ledger/test_proofs.py"),
    "protocol.tree": ("tests/protocol/test_tree.py",),
    "storage.database": STORAGE,
    "storage.statements.tickets": ("tests/core/tickets/test_issuing.py", *ENGINE),
    "storage.layout": STORAGE,
    "storage.statements.ledgers": (*LEDGERS, "tests/core/ledger/test_cosignatures.py", "tests/core/checkup"),
    "storage.location": STORAGE,
    "storage.statements.raffles": STORAGE,
    "storage.statements.draws": STORAGE,
    "storage.statements.checkup": ("tests/core/checkup",),
    "storage.sqlite": STORAGE,
    "http.access": ("tests/http/test_access.py", "tests/http/test_own_pages.py", "tests/http/test_urls.py"),
    "http.untrusted": ("tests/http/test_untrusted.py",),
    "http.forwarded": ("tests/http/test_forwarded.py", "tests/http/test_access.py", "tests/http/test_own_pages.py"),
}

CONFIGURATION = """

[tool.mutmut]
source_paths = ["rafflekit"]
only_mutate = ["{path}"]
also_copy = ["README.md"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "--hypothesis-profile=ci", "-k", "not postgresql"]
pytest_add_cli_args_test_selection = {tests}
"""

# A mutant that runs into the time limit counts as noticed. "no tests": no test reaches it.
KILLED, SURVIVED, TIMED_OUT, UNREACHED = "killed", "survived", "timeout", "no tests"


def main() -> None:
    print(f"{'module':18} mutants  killed  timeouts  unreached  survived")
    everything: Counter[str] = Counter()
    for module in sys.argv[1:] or TESTS:
        try:
            found = Counter(mutants_of(module).values())
        except subprocess.CalledProcessError:
            print(f"{module:18} could not be run: {COPIES / module / 'output'} says why", flush=True)
            continue
        everything += found
        print_row(module, found)
    print_row("all", everything)


def mutants_of(module: str) -> dict[str, str]:
    """Return the mutants of a module, each with its result."""
    folder = COPIES / module
    copy_project(folder)
    with (folder / "pyproject.toml").open("a") as configuration:
        tests = [str(tests) for tests in TESTS[module]]
        configuration.write(CONFIGURATION.format(path=path_of(module), tests=tests))
    with (folder / "output").open("w") as output:
        subprocess.run([MUTMUT, "run"], cwd=folder, stdout=output, stderr=output, check=True)
    listed = subprocess.run(
        [MUTMUT, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    return dict(line.strip().split(": ", 1) for line in listed.splitlines() if ": " in line)


def path_of(module: str) -> Path:
    room = Path("rafflekit") if module.startswith("http.") else Path("rafflekit/core")
    return (room / module.replace(".", "/")).with_suffix(".py")


def copy_project(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("rafflekit", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)


def print_row(module: str, found: Counter[str]) -> None:
    of_all = found.total()
    print(
        f"{module:18} {of_all:7,} {found[KILLED]:7,} {found[TIMED_OUT]:9,} {found[UNREACHED]:10,} "
        f"{found[SURVIVED]:9,} = {found[SURVIVED] / max(of_all, 1):.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
