"""The sizes and names that the house style asks for, in every file of Python."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.project.session import ROOT

STANDALONE = ROOT / "verify_draw.py"
PACKAGE = sorted((ROOT / "rafflekit").rglob("*.py"))
MODULES = [*PACKAGE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]

MODULE_LINES = 400
LONGER = {
    ROOT / "rafflekit/core/engine.py": "one public method per use case; most of it is their reference, the docstrings"
}
"""Modules that may be longer, and why."""

FUNCTION_LINES = 60
TEST_NAME_CHARACTERS = 60


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), path)


def functions_of(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef))


def place(path: Path, node: ast.FunctionDef) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def lines_of(node: ast.FunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_no_module_is_longer_than_its_subject() -> None:
    long = [path for path in MODULES if len(path.read_text().splitlines()) > MODULE_LINES]
    assert long == list(LONGER)


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        place(path, node)
        for path in [*MODULES, STANDALONE]
        for node in functions_of(path)
        if lines_of(node) > FUNCTION_LINES
    ]
    assert long == []


def test_no_test_has_a_long_name() -> None:
    long = [
        place(path, node)
        for path in MODULES
        for node in functions_of(path)
        if node.name.startswith("test_") and len(node.name) > TEST_NAME_CHARACTERS
    ]
    assert long == []


@pytest.mark.parametrize("kind", [ast.ClassDef, ast.FunctionDef], ids=["classes", "functions"])
def test_public_names_are_unique_in_the_package(kind: type[ast.ClassDef | ast.FunctionDef]) -> None:
    """`migrations/versions` is Alembic's form: each step has an `upgrade`."""
    names = Counter(
        node.name
        for path in PACKAGE
        if path.parent.name != "versions"
        for node in parsed(path).body
        if isinstance(node, kind) and not node.name.startswith("_")
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_no_public_method_outside_storage_takes_a_connection() -> None:
    """Elsewhere, only functions and private methods take one: the caller of a class does not hold a transaction."""
    takers = [
        place(path, method)
        for path in PACKAGE
        if not path.is_relative_to(ROOT / "rafflekit" / "core" / "storage")
        for kind in ast.walk(parsed(path))
        if isinstance(kind, ast.ClassDef)
        for method in kind.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
        if "connection" in {argument.arg for argument in [*method.args.args, *method.args.kwonlyargs]}
    ]
    assert takers == []
