"""Folders with the documents of honest raffles, and a server that gives them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.audit.honest import DRAND, RAFFLE, SECRETS
from tests.cli.audit.operators import Operator, in_chunks, sent
from tests.vectors.examples import signer


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the servers of a test themselves, whatever proxy this machine has."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all documents of one honest raffle; commands run in it."""
    assert DRAND.given.leaves is not None
    (kept,) = DRAND.given.witnessed
    for name, text in {
        "proof": DRAND.given.proof,
        "leaves": "".join(f"{line}\n" for line in DRAND.given.leaves),
        "receipt": DRAND.given.receipt,
        "consistency": DRAND.given.consistency,
        "copy": kept.note,
    }.items():
        (tmp_path / name).write_text(str(text))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def operator(folder: Path) -> Iterator[Operator]:
    """A server with that raffle."""
    server = Operator()
    server.answers = {
        f"{RAFFLE}/proof/": sent((folder / "proof").read_bytes()),
        f"{RAFFLE}/ledger/leaves/": in_chunks((folder / "leaves").read_bytes()),
        f"{RAFFLE}/ledger/consistency/?from=7&to=20": sent((folder / "consistency").read_bytes()),
    }
    yield server
    server.stop()


@pytest.fixture
def others(folder: Path) -> Path:
    """That folder, with documents that do not belong to its raffle: receipts, and a file that is not a proof."""
    another_key = replace(DRAND.example, signer=signer("stranger"))
    for name, text in {
        "of another raffle": SECRETS.given.receipt,
        "of another key": json.dumps(another_key.receipt(4, 7).shape()),
        "of another raffle and key": json.dumps(
            replace(SECRETS.example, signer=signer("stranger")).receipt(4, 7).shape()
        ),
        "no proof": '{"id": "2f9a7f6e-0000-4000-8000-000000000000", "name": "Foobar raffle"}',
    }.items():
        (folder / name).write_text(str(text))
    return folder
