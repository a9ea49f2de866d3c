"""`rafflekit audit --selftest`."""

import json

import pytest

from rafflekit.core.protocol.audit import STEPS
from rafflekit.core.protocol.entropy.drand import BlsMissing
from tests.cli.conftest import Terminal
from tests.tamper.making import catalogue


def test_the_selftest_counts_what_it_refused(terminal: Terminal) -> None:
    status, out, err = terminal("audit --selftest")
    tried = catalogue()

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"✓ {step}: {sum(case.step == step for case in tried)} falsified documents were refused." for step in STEPS
    ]


def test_the_selftest_says_what_it_cannot_try(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise BlsMissing

    monkeypatch.setattr("rafflekit.core.protocol.entropy.drand.require_bls", missing)
    status, out, _ = terminal("audit --selftest --json")
    untried = [case.name for case in catalogue() if case.needs == "bls"]

    assert status == 0
    assert json.loads(out) == {
        "good": True,
        "refused": len(catalogue()) - len(untried),
        "untried": untried,
        "failures": [],
    }


def test_the_selftest_of_a_broken_verifier_fails(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rafflekit.core.protocol.audit.winners.check_inclusion", lambda *_: None)
    status, out, _ = terminal("audit --selftest")

    assert status == 1
    assert "✗ winners: winners: a path with another bit: not judged correctly.\n" in out
