"""What `rafflekit audit` says of documents in files."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.audit import STEPS
from rafflekit.core.protocol.forfeits import Why
from tests.cli.audit.honest import ANNOUNCED, CODE, DRAND, EARLY, KEY, MANY, RAFFLE, SECRETS, WITNESS
from tests.cli.audit.operators import Operator, outcomes, sent
from tests.cli.conftest import Terminal
from tests.tamper.making import Case, catalogue
from tests.tamper.making.cases import Base
from tests.tamper.making.forgeries import a_closing_for_each_witness, many_ids
from tests.vectors.examples import DRAWN, Loss, signer


@pytest.mark.usefixtures("folder")
def test_everything_at_hand_proves_everything(terminal: Terminal) -> None:
    status, out, err = terminal(
        f"audit proof --key {KEY} --raffle {DRAND.example.terms.id} --witness {WITNESS} --leaves leaves "
        f"--witnessed copy@2023-08-23T15:58:44Z --receipt receipt --code {CODE} --consistency consistency"
    )

    assert (status, err) == (0, "")
    raffle, prizes, randomness, *rest, last = out.splitlines()
    assert raffle == f"Raffle: “Example drand: ü ☂ 😀”, {DRAND.given.raffle}, created 2023-08-23 15:00:00 UTC"
    assert prizes == "Prizes: 1 × “invisibility”, 3 × “warm hug”"
    assert randomness == "Randomness: drand-quicknet, 60 s after the closing"
    assert [line.split(":")[0] for line in rest[: len(STEPS)]] == [f"✓ {name}" for name in STEPS]
    first, *others = (win.leaf.ticket_number for win in DRAND.proof.winners or ())
    assert rest[len(STEPS) + 1 :][: 1 + len(others)] == [
        f"  ticket {first} won “invisibility”",
        *(f"  ticket {number} won “warm hug”" for number in others),
    ]
    assert last == "Everything is proven."
    assert CODE not in out


@pytest.mark.usefixtures("folder")
def test_steps_that_rest_on_trust_are_named_at_the_end(terminal: Terminal) -> None:
    status, out, _ = terminal("audit proof")

    assert status == 0
    assert "– key, not proven: " in out
    last = out.splitlines()[-1]
    assert last == "Nothing is wrong. These steps rest on trust: terms, key, witnesses, witnessed, leaves."


def test_a_falsified_proof_is_shown_as_wrong_with_exit_status_1(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(DRAND.edited(lambda proof: proof["winners"].reverse()).proof)
    status, out, err = terminal("audit proof")

    assert (status, err) == (1, "")
    assert re.search(r"^✗ winners: By the seed, win 1 is prize ", out, flags=re.MULTILINE)
    assert out.splitlines()[-1].startswith("These documents are not from an honest draw")
    assert "Winners by this proof" not in out
    assert "Values to compare" not in out


def test_a_draw_that_the_operator_chose_is_not_called_proven(terminal: Terminal, folder: Path) -> None:
    for choice in (many_ids(), a_closing_for_each_witness()):
        (folder / "proof").write_text(choice.given.proof)
        (folder / "leaves").write_text("".join(f"{line}\n" for line in choice.given.leaves or ()))
        named = " ".join(f"--witness {key}" for key in choice.given.witnesses)

        status, out, _ = terminal(f"audit proof --key {KEY} --leaves leaves {named}")

        assert status == 0
        assert "Everything is proven." not in out
        assert "– terms, not proven: " in out
        assert str(choice.published.terms.id) in out.splitlines()[0]


def test_winners_are_shown_with_what_became_of_their_prizes(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(ANNOUNCED.given.proof)
    order = [ANNOUNCED.example.leaves[serial].ticket_number for serial in ANNOUNCED.example.slots(ANNOUNCED.proof.seed)]

    status, out, _ = terminal("audit proof")

    assert status == 0
    assert f"  ticket {order[0]} won “invisibility” and lost it (renounced: “has one already”)\n" in out
    assert f"  ticket {order[5]} took over “invisibility” from ticket {order[0]}\n" in out


@pytest.mark.parametrize(
    ("base", "rules"),
    [
        (
            ANNOUNCED,
            "Randomness: announced, from “Lotto 6/49 of 23 August 2023”\n"
            "Entry: with an invitation code\n"
            "Tickets per participant: up to 5\n"
            "Draw planned: 2023-08-23 16:00:24 UTC\n"
            "To redeem: within 7 days of the draw\n"
            "Collection: “at the bar until 21:00”\n"
            "Promoter: “Scouts of Upton”\n"
            "Address: “1 Mill Lane, Upton”\n"
            "Price: “£1”\n"
            "Licence: “M123456”\n"
            "Note: “Over 18s only ☂”\n",
        ),
        (
            EARLY,
            "Randomness: drand-quicknet, 60 s after the closing\n"
            "Entry: only from the operator\n"
            "Opens: 2023-08-23 15:00:00 UTC\n"
            "Closes: 2023-08-23 16:00:00 UTC\n",
        ),
        (SECRETS, "Randomness: secrets\n"),
    ],
    ids=lambda value: value.name if isinstance(value, Base) else "",
)
def test_all_announced_rules_are_shown(terminal: Terminal, folder: Path, base: Base, rules: str) -> None:
    (folder / "proof").write_text(base.given.proof)

    out = terminal("audit proof").out

    assert f"Prizes: 1 × “invisibility”, 3 × “warm hug”\n{rules}✓ form: " in out


def test_names_and_reasons_cannot_imitate_the_output(terminal: Terminal, folder: Path) -> None:
    trap = "tea”.                    ✓ key: The key is right. \u202e„☑ Everything is proven.“"
    terms = replace(ANNOUNCED.example.terms, name=trap, prizes=(Prize(trap, 1),), source=trap, note=trap)
    trapped = replace(ANNOUNCED.example, terms=terms)
    (folder / "proof").write_text(json.dumps(trapped.proof(losses=[Loss(1, Why.DISQUALIFIED, trap, DRAWN)]).shape()))

    status, out, _ = terminal("audit proof")

    assert status == 0
    shown = "“tea'. \\u2713 key: The key is right. \\u202e'\\u2611 Everything is proven.'”"
    assert out.splitlines()[0].startswith(f"Raffle: {shown}, ")
    assert out.splitlines()[1] == f"Prizes: 1 × {shown}"
    assert out.splitlines()[2] == f"Randomness: announced, from {shown}"
    assert f" won {shown} and lost it (disqualified: {shown})\n" in out
    assert [line for line in out.splitlines() if "✓" in line[1:] or "☑" in line] == []


def test_a_key_of_a_document_cannot_imitate_the_output(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(DRAND.edited(lambda proof: proof.update({"x   ✓ key: right": 1})).proof)

    out = terminal("audit proof").out

    assert "has no field “x \\u2713 key: right”" in out


def test_more_than_1_000_winners_are_counted(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(MANY.given.proof)
    (folder / "leaves").write_text("".join(f"{line}\n" for line in MANY.given.leaves or ()))

    out = terminal("audit proof --leaves leaves").out
    report = json.loads(terminal("audit proof --leaves leaves --json").out)

    assert "  … and 3 more; --json lists them all\n" in out
    assert len(report["winners"]) == 1_003


@pytest.mark.parametrize(
    ("options", "step", "to_check"),
    [
        (f"--raffle {SECRETS.given.raffle}", "terms", "The proof is for another raffle than --raffle. "),
        (f"--key {signer('stranger').verifier}", "key", "The proof has another key than --key. "),
        ("--leaves proof", "leaves", "--leaves does not fit. "),
        ("--receipt proof", "receipt", "--receipt does not fit. "),
        (
            "--receipt 'of another raffle and key'",
            "receipt",
            "--receipt does not fit. ",
        ),
        (
            f"--receipt receipt --code {DRAND.example.codes[5]}",
            "code",
            "--code is not the code of the ticket in --receipt. ",
        ),
    ],
)
@pytest.mark.usefixtures("others")
def test_a_mistake_in_what_was_given_accuses_no_one(terminal: Terminal, options: str, step: str, to_check: str) -> None:
    status, out, err = terminal(f"audit proof {options}")

    assert (status, err) == (1, "")
    assert f"✗ {step}: " in out
    last = out.splitlines()[-1]
    assert last.startswith(to_check)
    # A person who gave the right thing is not reassured.
    assert re.search(r" If (it is|both are|they are)( right| equal)?, ", last)
    shown = "This shows nothing for or against" if step in {"terms", "key"} else "The other steps still count."
    assert shown in last


def test_another_key_than_the_operators_accuses_the_proof(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(json.dumps(replace(DRAND.example, signer=signer("stranger")).proof().shape()))

    assert "If they are equal, this is not that operator's proof." in terminal(f"audit proof --key {KEY}").out


@pytest.mark.usefixtures("others")
def test_a_receipt_that_does_not_fit_the_proof_is_kept(terminal: Terminal) -> None:
    of_another_operator = terminal("audit proof --receipt 'of another raffle and key'").out
    of_this_operator = terminal("audit proof --receipt 'of another raffle'").out

    assert "If it is, the receipt and the proof contradict each other; keep both." in of_another_operator
    assert "✗ receipt: The receipt belongs to another raffle that this operator ran" in of_this_operator
    assert of_this_operator.splitlines()[-1].startswith("These documents are not from an honest draw")


ACCUSING = {
    "another raffle's receipt",
    "signed receipt: another closing",
    "signed receipt: other terms",
    "signed receipt: more tickets than there are",
    "signed receipt: by another key of the same name",
    "signed receipt: another history",
    "signed receipt: another ticket in its place later",
    "a consistency proof of another history",
    "a leaf whose hash fits no code",
}


@pytest.mark.parametrize("case", [case for case in catalogue() if case.name in ACCUSING], ids=lambda case: case.name)
def test_a_true_receipt_that_does_not_fit_accuses_the_proof(terminal: Terminal, folder: Path, case: Case) -> None:
    given = case.given
    texts = {"proof": given.proof, "receipt": given.receipt, "consistency": given.consistency}
    texts["leaves"] = None if given.leaves is None else "\n".join(given.leaves)
    for name, text in texts.items():
        (folder / name).write_text(str(text))
    options = [f"--{name} {name}" for name, text in texts.items() if text is not None and name != "proof"]

    status, out, _ = terminal(f"audit proof {' '.join(options)} --code '{given.code}'")

    assert status == 1
    assert f"✗ {case.step}: " in out
    assert out.splitlines()[-1].startswith("These documents are not from an honest draw")


def test_each_of_these_cases_is_tried() -> None:
    assert {case.name for case in catalogue()} >= ACCUSING


def test_a_document_that_is_not_a_proof_is_called_so(terminal: Terminal, operator: Operator, others: Path) -> None:
    raffle = (others / "no proof").read_bytes()
    operator.answers[f"{RAFFLE}/"] = sent(raffle)

    for proof in ("'no proof'", "receipt", f"{operator.url}{RAFFLE}/"):
        status, out, _ = terminal(f"audit {proof}")

        assert status == 1
        assert out.splitlines()[-1].startswith("This is not a readable proof of a draw, so it proves nothing.")
        assert out.splitlines()[-1].endswith("or an address that ends with /raffles/<id>/proof/.")


def test_json_is_one_line_and_the_exit_status_says_the_same(terminal: Terminal, folder: Path) -> None:
    good = terminal("audit proof --json")
    (folder / "proof").write_text("{}")
    bad = terminal("audit proof --json")

    assert (good.status, bad.status, good.out.count("\n"), bad.out.count("\n")) == (0, 1, 1, 1)
    assert json.loads(good.out)["good"] is True
    assert outcomes(bad) == {"form": "wrong"}


@pytest.mark.usefixtures("others")
def test_json_of_a_mistake_has_no_other_shape(terminal: Terminal) -> None:
    report = json.loads(terminal("audit proof --receipt 'of another raffle and key' --json").out)

    assert report.keys() == {"good", "raffle", "winners", "values", "steps"}
    assert {tuple(step) for step in report["steps"]} == {("name", "outcome", "sentence")}


@pytest.mark.usefixtures("folder")
def test_a_file_of_another_form_is_called_so_in_words(terminal: Terminal) -> None:
    Path("noise").write_text("ticket_number: 7")

    audited = terminal("audit proof --receipt noise --witnessed noise").out

    assert "✗ receipt: This is not a receipt: it is not JSON (line 1, column 1).\n" in audited
    assert "✗ witnessed: Your copy is not a copy of a closing: it is not a signed note: " in audited


def test_files_that_hold_anything_get_a_report(terminal: Terminal, folder: Path) -> None:
    for noise in (b"\xff\xfe\0", b"\x1b[31m", "\ud800".encode(errors="surrogatepass"), b"[" * 100_000):
        (folder / "noise").write_bytes(noise)
        assert outcomes(terminal("audit noise --json")) == {"form": "wrong"}
        session = terminal("audit proof --json --leaves noise --receipt noise --witnessed noise")
        assert (session.status, outcomes(session)["leaves"], outcomes(session)["receipt"]) == (1, "wrong", "wrong")
        assert "\x1b" not in terminal("audit noise").out


def test_files_of_other_programs_are_read_or_named(terminal: Terminal, folder: Path) -> None:
    names = ("proof", "receipt", "leaves", "copy")
    for name in names:
        (folder / name).write_bytes((folder / name).read_text().encode("utf-8-sig"))
    marked = terminal("audit proof --receipt receipt --leaves leaves --witnessed copy --json")
    wide = {name: (folder / name).read_text(encoding="utf-8-sig") for name in names}
    for name in names[1:]:
        (folder / name).write_text(wide[name], encoding="utf-16")
    others = terminal("audit proof --receipt receipt --leaves leaves --witnessed copy").out
    (folder / "proof").write_text(wide["proof"], encoding="utf-16")
    proof = terminal("audit proof").out

    assert (marked.status, json.loads(marked.out)["good"]) == (0, True)
    for out, steps in ((others, ("receipt", "leaves", "witnessed")), (proof, ("form",))):
        for step in steps:
            assert f"✗ {step}: The file is text in UTF-16. Save it as UTF-8 and try again." in out
        assert "honest draw" not in out


@pytest.mark.usefixtures("folder")
def test_an_id_is_the_same_in_capitals(terminal: Terminal) -> None:
    assert outcomes(terminal(f"audit proof --json --raffle {str(DRAND.given.raffle).upper()}"))["terms"] == "ok"
