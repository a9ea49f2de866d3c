"""What people compare with the page of a proof in hand, and type into it."""

import json
from pathlib import Path

import pytest

from rafflekit.core.protocol.audit import audit
from rafflekit.http.pages.proof import proof_page
from tests.http.pages.browser import NewPage, Page
from tests.tamper.test_tampering import BASES

pytestmark = pytest.mark.browser


@pytest.fixture
def page(new_page: NewPage, tmp_path: Path) -> Page:
    """The page of a proof, saved as a file and opened."""
    saved = tmp_path / "page.html"
    saved.write_bytes(proof_page().content)
    page = new_page()
    page.open(saved.as_uri())
    return page


def choose(page: Page, file: Path, proof: str) -> None:
    """Choose a proof from a new file, and wait for the steps of its check."""
    file.write_text(proof, encoding="utf-8")
    page.run("document.querySelector('#steps').replaceChildren()")
    page.choose_file("#proof-file", file)
    page.wait_for("document.querySelectorAll('#steps li').length")


def test_values_of_a_right_draw_can_be_compared(page: Page, tmp_path: Path) -> None:
    proof = BASES["drand"]["proof"]
    values = audit(proof).shape()["values"]

    choose(page, tmp_path / "right.json", proof)
    shown = page.run("[...document.querySelectorAll('#values dd')].map((each) => each.textContent)")
    is_shown = page.run("document.querySelector('#values').checkVisibility()")
    closing = page.run("document.querySelector('#closing').textContent")
    choose(page, tmp_path / "wrong.json", json.dumps(json.loads(proof) | {"seed": "00" * 32}))

    assert is_shown
    assert shown == [values[name] for name in ("closed_list", "seed", "winners_digest", "public_key")]
    assert closing.startswith(values["closing"])
    assert not page.run("document.querySelector('#values').checkVisibility()")


def test_a_number_is_typed_as_paper_prints_it(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path / "many.json", BASES["many"]["proof"])

    said = []
    for typed in ("1,1", "1,234.567", "1001", "1.001", "1\u202f001"):
        page.fill("#number", typed)
        page.click("#check")
        page.wait_for("document.querySelector('#ticket').textContent")
        said.append(page.text("#ticket"))

    assert "whole number" in said[0]
    assert said[0] == said[1] != said[2] == said[3] == said[4]
