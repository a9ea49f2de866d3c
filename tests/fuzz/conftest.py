"""Report the number of fuzz cases, if the tests run in one process."""

import pytest

from tests.fuzz.cases import tried


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, cases in sorted(tried.items()):
        terminalreporter.write_line(f"{cases:>9,} cases: {name.removeprefix('test_').replace('_', ' ')}")
    if tried:
        terminalreporter.write_line(f"{tried.total():>9,} cases in all")
