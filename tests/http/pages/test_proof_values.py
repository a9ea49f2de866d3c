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


@pytest.mark.parametrize("kind", ["drand", "secrets", "announced"])
def test_values_of_a_right_draw_can_be_compared(page: Page, tmp_path: Path, kind: str) -> None:
    proof = BASES[kind]["proof"]
    values = audit(proof).shape()["values"]

    choose(page, tmp_path / "right.json", proof)
    shown = page.run(
        "[...document.querySelectorAll('#values dd')].filter((each) => each.checkVisibility())"
        ".map((each) => each.textContent)"
    )
    closing = page.run("document.querySelector('#closing').textContent")

    named = [values[name] for name in ("closed_list", "random_number", "seed", "winners_digest", "public_key")]
    assert shown == [value for value in named if value is not None]
    assert closing.startswith(values["closing"])


def test_values_of_a_wrong_draw_are_not_shown(page: Page, tmp_path: Path) -> None:
    proof = json.loads(BASES["announced"]["proof"])

    choose(page, tmp_path / "wrong.json", json.dumps(proof | {"forfeits": proof["forfeits"][1:]}))

    assert page.run("document.querySelector('li.wrong .step').textContent") == "step 13, forfeits"
    assert not page.run("document.querySelector('#values').checkVisibility()")


def test_the_list_of_all_tickets_can_be_saved(page: Page, tmp_path: Path) -> None:
    base, leaves = BASES["announced"], tmp_path / "leaves.jsonl"
    leaves.write_text("".join(f"{line}\n" for line in base["leaves"]))
    choose(page, tmp_path / "right.json", base["proof"])
    is_offered_before = page.run("document.querySelector('#save-leaves').checkVisibility()")

    page.choose_file("#leaves-file", leaves)
    page.wait_for("document.querySelector('#save-leaves').checkVisibility()")
    (tmp_path / "saved").mkdir()
    saved = page.download("#save-leaves", tmp_path / "saved")

    assert not is_offered_before
    assert saved.read_bytes() == leaves.read_bytes()


def test_files_can_be_dropped_in_any_order(page: Page) -> None:
    base = BASES["announced"]
    leaves = "".join(f"{line}\n" for line in base["leaves"])

    for dropped in ([leaves, base["proof"]], [base["proof"], leaves]):
        page.run("document.querySelector('#steps').replaceChildren()")
        page.run(
            f"{{ const dropped = new DataTransfer(); for (const text of {json.dumps(dropped)})"
            " dropped.items.add(new File([text], 'name')); void document.dispatchEvent("
            "new DragEvent('drop', { dataTransfer: dropped, cancelable: true })); }"
        )
        page.wait_for("document.querySelectorAll('#steps li').length")
        found = page.run("[...document.querySelectorAll('#steps li.ok .step')].map((each) => each.textContent)")
        assert "step 10, leaves" in found


def test_a_copy_from_a_chat_is_pasted(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path / "right.json", BASES["secrets"]["proof"])
    copy = json.loads(BASES["secrets"]["proof"])["closing"].strip().replace("\n", " \n")

    page.run(
        f"document.querySelector('#copies').value = {json.dumps(copy)}; document.querySelector('details').open = true"
    )
    page.click("#recheck")
    page.wait_for("document.querySelector('#steps').textContent.includes('Your copy is this closing.')")


def test_a_number_is_typed_as_paper_prints_it(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path / "many.json", BASES["many"]["proof"])

    said = []
    for typed in ("1,1", "1,234.567", "1001", "1.001", "1\u202f001", "01001"):
        page.fill("#number", typed)
        page.click("#check")
        page.wait_for("document.querySelector('#ticket').textContent")
        said.append(page.text("#ticket"))

    assert "whole number" in said[0]
    assert said[0] == said[1] != said[2] == said[3] == said[4] == said[5]
