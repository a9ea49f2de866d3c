"""The self-test passes with the frozen cases, and notices when a case or the audit is not what it should be."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rafflekit.core.protocol.audit import AuditReport, selftest
from rafflekit.core.protocol.audit.selftest import FROZEN, run_selftest

PACKAGE = Path(selftest.__file__).parents[3]


def falsified(folder: Path, name: str, edit: Callable[[Any], object]) -> Path:
    """A copy of the honest documents and of some frozen cases, one of the two files edited."""
    for file in FROZEN.iterdir():
        content = json.loads(file.read_text(encoding="utf-8"))
        if file.name == "cases.json":
            del content[20:]
        if file.name == name:
            edit(content)
        (folder / file.name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_the_audit_is_right_about_every_frozen_case() -> None:
    trials = list(run_selftest())

    assert len(trials) > 200
    assert [trial.name for trial in trials if trial.is_right is not True] == []


def test_cases_that_need_what_is_missing_are_skipped() -> None:
    skipped = {trial.name for trial in run_selftest(missing="bls") if trial.is_right is None}

    assert "a beacon with another bit" in skipped
    assert len(skipped) == 5


@pytest.mark.parametrize(
    ("name", "edit", "wrong"),
    [
        ("cases.json", lambda cases: cases[0].update(given={}), "nothing"),
        ("cases.json", lambda cases: cases[0].update(step="leaves"), "nothing"),
        ("bases.json", lambda bases: bases["secrets"].update(code="0000-0000-0000-0000-0000-0000"), "secrets"),
    ],
    ids=["honest documents as a case", "another step", "falsified documents as honest ones"],
)
def test_a_false_case_is_noticed(tmp_path: Path, name: str, edit: Callable[[Any], object], wrong: str) -> None:
    trials = run_selftest(cases=falsified(tmp_path, name, edit))

    assert wrong in {trial.name for trial in trials if trial.is_right is False}


def test_an_audit_that_accepts_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "audit", lambda *_, **__: AuditReport([]))

    assert [trial.name for trial in run_selftest() if trial.step is not None and trial.is_right] == []


def test_the_package_cannot_make_its_own_cases() -> None:
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert [name for name in imported if name.split(".")[0] == "tests"] == []
