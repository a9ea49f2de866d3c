"""The page's verifier finds what the Python one finds: on the frozen vectors, and on falsified documents."""

import json
from base64 import b64decode
from typing import Any

import pytest

from rafflekit.core.protocol.documents import leaf_line
from rafflekit.html.assets import assets
from tests.tamper.test_tampering import BASES, CASES
from tests.vectors.test_vectors import vector
from tests.verifiers.node import Javascript
from tests.verifiers.raffles import Written
from tests.verifiers.raffles import fair as early_closed

NO_ARGON2 = "browsers have no Argon2, so a code is not checked"
NO_BLS = "browsers have no BLS12-381, so drand's signature is not checked"
NOT_SEEN = {
    "another ticket's code": NO_ARGON2,
    "a code with another character": NO_ARGON2,
    "a beacon with another bit": NO_BLS,
    "a beacon with another sign": NO_BLS,
    "a beacon that is the point at infinity": NO_BLS,
    "a beacon of zeros": NO_BLS,
    "a beacon of ones": NO_BLS,
}
"""Falsified documents that this verifier does not refuse at the step that knows why, and the reason."""

NEVER_PROVEN = ("entropy", "code")
"""What rests on BLS or Argon2 is never good here."""


def expected(outcomes: dict[str, str]) -> dict[str, str]:
    return {
        name: "not proven" if name in NEVER_PROVEN and outcome == "ok" else outcome
        for name, outcome in outcomes.items()
    }


def test_the_hashes_are_those_of_the_standards(javascript: Javascript) -> None:
    # The examples of FIPS 180-4, and all lengths around the size of a block.
    from hashlib import sha256, sha512

    texts = [b"abc", *(bytes(range(length)) for length in (0, 1, 54, 55, 56, 63, 64, 65, 111, 112, 113, 127, 128, 250))]

    found = javascript.calls(*(("sha256", text) for text in texts), *(("sha512", text) for text in texts))

    assert found == [sha256(text).digest() for text in texts] + [sha512(text).digest() for text in texts]


def test_hashes_terms_and_leaves_are_those_of_the_vectors(javascript: Javascript) -> None:
    for each in vector("hashes.json"):
        assert javascript.call("taggedHash", each["tag"], bytes.fromhex(each["data"])).hex() == each["hash"]
    for each in vector("terms.json"):
        canonical = javascript.call("canonicalJson", each["terms"])
        read = javascript.call("((text) => termsHash(readTerms(readJson(text, 1e6))))", json.dumps(each["terms"]))
        assert (canonical, read.hex()) == (each["canonical"], each["hash"])
    for each in vector("leaves.json"):
        read = javascript.call("((id, line) => leafHash(id, readLeafLine(line)))", each["id"], json.dumps(each["leaf"]))
        assert read.hex() == each["hash"]


def test_trees_and_their_proofs_are_those_of_the_vectors(javascript: Javascript) -> None:
    leaf = "((index) => sha256(joined([0], utf8(`leaf ${index}`))))"
    root = (
        "((size) => { const tree = new RunningRoot();"
        f" for (let index = 0; index < size; index++) tree.add({leaf}(index)); return tree.root(); }})"
    )
    for each in vector("tree.json"):
        size, found = each["size"], b64decode(each["root"])
        assert javascript.call(root, size) == found
        for proof in each["inclusion"]:
            path = [b64decode(one) for one in proof["path"]]
            hashed = javascript.call(leaf, proof["index"])
            good, shorter, other = javascript.calls(
                ("checkInclusion", hashed, proof["index"], size, path, found),
                ("checkInclusion", hashed, proof["index"], size, path[:-1], found),
                ("checkInclusion", hashed, proof["index"], size, path, bytes(32)),
            )
            assert good is None
            assert "wrong" in other
            assert not path or "wrong" in shorter
        for proof in each["consistency"]:
            hashes = [b64decode(one) for one in proof["proof"]]
            old = b64decode(proof["old_root"])
            good, longer, other = javascript.calls(
                ("checkConsistency", proof["old_size"], size, hashes, old, found),
                ("checkConsistency", proof["old_size"], size, [*hashes, bytes(32)], old, found),
                ("checkConsistency", proof["old_size"], size, hashes, bytes(32), found),
            )
            assert good is None
            assert "wrong" in longer
            assert "wrong" in other


def test_keys_and_signed_notes_are_those_of_the_vectors(javascript: Javascript) -> None:
    operator, witness, _ = keys = vector("keys.json")
    for key in keys:
        read = javascript.call("readKey", key["verifier_key"], key["type"], "key")
        assert (read["publicKey"].hex(), read["id"].hex()) == (key["public"], key["id"])
        assert "wrong" in javascript.call("readKey", key["verifier_key"], 5 - key["type"], "key")
    times = "((note, key, type) => timesOf(readNote(note), readKey(key, type, 'key')))"
    for each in vector("checkpoints.json"):
        read = javascript.call("readCheckpoint", each["note"])
        assert (read["size"], read["root"].hex(), read["terms"].hex()) == (each["size"], each["root"], each["terms"])
        assert javascript.call(times, each["note"], operator["verifier_key"], 1) == [0]
        if "closed" in each:
            closing = javascript.call("readClosing", each["cosigned_note"])
            assert (closing["closed"], closing["round"]) == (each["closed"], each.get("round"))
            assert closing["hash"].hex() == each["closing_hash"]
            cosigned = javascript.call(times, each["cosigned_note"], witness["verifier_key"], 4)
            assert cosigned == [each["cosigned_at"]]


def test_rounds_winners_and_draws_are_those_of_the_vectors(javascript: Javascript) -> None:
    drand = vector("drand.json")
    for each in drand["times"]:
        assert javascript.call("timeOfRound", each["round"]) == each["time"]
    for each in drand["rounds"]:
        assert javascript.call("roundOf", each["closed"], each["delay_s"]) == each["round"]
    for each in vector("winners.json"):
        found = javascript.call("winningSerials", bytes.fromhex(each["seed"]), each["tickets"], each["wins"])
        assert found == each["serials"]
    for each in vector("draws.json"):
        wins = [{"serial": w["serial"], "number": w["ticket_number"], "prize": w["prize"]} for w in each["wins"]]
        seed, digest, statement = javascript.calls(
            ("seedOf", bytes.fromhex(each["closing_hash"]), bytes.fromhex(each["entropy"])),
            ("winnersDigest", wins),
            ("readStatement", each["note"]),
        )
        assert (seed.hex(), digest.hex()) == (each["seed"], each["digest"])
        assert (statement["seed"], statement["digest"]) == (seed, digest)


@pytest.mark.parametrize("case", vector("audits.json"), ids=lambda case: f"{case['base']}, {case['what']}")
def test_honest_documents_are_audited_as_the_vectors_say(javascript: Javascript, case: dict[str, Any]) -> None:
    given = {field: BASES[case["base"]][field] for field in case["uses"]} | case["given"]

    assert javascript.audit(given) == expected(case["outcomes"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_falsified_documents_are_refused_at_the_right_step(javascript: Javascript, case: dict[str, Any]) -> None:
    outcomes = javascript.audit(BASES[case["base"]] | case["given"])

    wrong = next((name for name, outcome in outcomes.items() if outcome == "wrong"), None)
    if case["name"] in NOT_SEEN:
        # What cannot be checked must not be called good.
        assert outcomes[case["step"]] == "not proven"
    else:
        assert wrong == case["step"]


def test_the_cases_that_javascript_cannot_see_exist() -> None:
    assert set(NOT_SEEN) <= {case["name"] for case in CASES}
    assert {case["name"] for case in CASES if case.get("needs") == "bls"} <= set(NOT_SEEN)


def test_bytes_are_read_as_utf8_or_refused(javascript: Javascript) -> None:
    proof = BASES["secrets"]["proof"]

    for content in (proof.encode(), b"\xef\xbb\xbf" + proof.encode()):
        assert javascript.audit({"proof": content}) == javascript.audit({"proof": proof})
    for content in (b"\xef\xbb\xbf" * 2 + proof.encode(), proof.encode() + b"\xff", proof.encode("utf-16")):
        assert javascript.audit({"proof": content}) == {"form": "wrong"}


def test_the_id_in_the_proofs_own_address_shows_nothing(javascript: Javascript) -> None:
    given = {"proof": BASES["secrets"]["proof"]}

    ends = [javascript.audit(given | {"served_id": id_})["terms"] for id_ in (BASES["secrets"]["raffle"], "x")]

    assert ends == ["not proven", "wrong"]


def test_names_cannot_reorder_the_text_around_them(javascript: Javascript) -> None:
    name = "prize \u202e\u2066evil\u2069 \u200f<img onerror=x>"

    assert javascript.call("shown", name) == "prize ‹U+202E›‹U+2066›evil‹U+2069› ‹U+200F›<img onerror=x>"
    assert javascript.call("quoted", "مرحبا") == "“\u2068مرحبا\u2069”"


def test_names_in_sentences_cannot_look_like_our_own_words(javascript: Javascript) -> None:
    name = "x”\u3000\u2800   ✓ winners: «all\u202e good» 👩\u200d🌾"

    assert javascript.call("quoted", name) == "“\u2068x' * winners: 'all‹U+202E› good' 👩\u200d🌾\u2069”"


def test_forfeits_rest_on_the_word_of_the_operator(javascript: Javascript) -> None:
    find = "((proof) => audit(proof).steps.find((step) => step.name === 'forfeits').sentence)"
    proofs = [BASES["announced"]["proof"], BASES["early"]["proof"], BASES["secrets"]["proof"]]

    said = javascript.calls(*((find, proof) for proof in proofs))

    trust = "Only the operator says why each was lost, and that no forfeit is missing."
    assert said == [
        "Prizes that passed on (5) went to the next tickets of the same shuffle. Prizes for which no ticket was "
        f"left: 1. {trust}",
        f"Prizes that passed on (1) went to the next tickets of the same shuffle. {trust} At least one was lost as "
        "unclaimed, although no deadline was announced.",
        "The proof lists no prize that passed on.",
    ]


@pytest.mark.parametrize(
    ("base", "changed", "tone", "words"),
    [
        ("secrets", {}, "part", "The 4 winners follow from the closed list of tickets and the random number"),
        ("secrets", {"key": None}, "part", "whose key signed it"),
        ("secrets", {"raffle": None, "receipt": None, "witnessed": []}, "part", "not another one with the same name"),
        ("announced", {}, "part", "which prizes passed on to other tickets, and why"),
        ("secrets", {"now": 0}, "part", "when the list was closed"),
        ("secrets", {"now": 0}, "part", "The 4 winners follow from the closed list of tickets and the random number"),
        ("many", {"leaves": None}, "part", "The places of the 1,003 winners in the list follow from"),
        ("secrets", {"proof": "{}"}, "wrong", "This proof is not valid. This is not a proof: "),
        ("secrets", {"receipt": "{}"}, "wrong", "chose does not fit. This is not a receipt: "),
        ("secrets", {"raffle": "x"}, "wrong", "This shows nothing for or against the draw."),
        ("secrets", {"proof": b"\xff\xfe"}, "wrong", "does not fit. This is not a proof: it is text in UTF-16"),
        ("secrets", {"witnesses": ["x"]}, "wrong", "The other steps still count."),
        ("secrets", {"receipt": BASES["drand"]["receipt"]}, "wrong", "ran with the same key. Keep the receipt and the"),
    ],
)
def test_a_sentence_sums_up_what_holds_and_what_is_not_proven(
    javascript: Javascript, base: str, changed: dict[str, Any], tone: str, words: str
) -> None:
    given = BASES[base] | changed
    rest = {name: value for name, value in given.items() if name != "proof"}

    found = javascript.call("((proof, given) => summaryOf(audit(proof, given)))", given["proof"], rest)

    assert found["tone"] == tone
    assert words in " ".join([found["sentence"], *found["open"], found["more"]])


def test_the_page_says_what_a_ticket_won(javascript: Javascript) -> None:
    base = BASES["secrets"]
    [first, *_] = json.loads(base["proof"])["winners"]
    prize = json.loads(base["proof"])["terms"]["prizes"][first["prize"]]["name"]
    winner = first["leaf"]["ticket_number"]
    summary = "((proof, given, number) => ticketSummaryOf(audit(proof, given), number))"

    by_number, by_leaves, of_none, beyond = javascript.calls(
        (summary, base["proof"], {}, winner),
        (summary, base["proof"], {"leaves": base["leaves"]}, winner),
        (summary, base["proof"], {"receipt": base["receipt"], "consistency": base["consistency"]}, None),
        (summary, base["proof"], {}, 21),
    )

    assert by_number["tone"] == "not proven"
    assert by_number["sentence"].startswith(f"Ticket {winner} won “\u2068{prize}\u2069”. Only a receipt shows")
    assert by_leaves == {
        "tone": "ok",
        "sentence": f"Ticket {winner} is in the draw. Ticket {winner} won “\u2068{prize}\u2069”.",
    }
    assert (of_none["tone"], beyond["tone"]) == ("ok", "wrong")


def test_the_page_says_which_prizes_passed_on(javascript: Javascript) -> None:
    raffle = Written(early_closed())
    proof = json.dumps(raffle.proof())
    first, second, third, fourth, _ = (raffle.leaves[serial].ticket_number for serial in raffle.serials)
    loser = next(leaf.ticket_number for leaf in raffle.leaves if leaf.serial not in raffle.serials)
    leaves = [leaf_line(leaf) for leaf in raffle.leaves]
    summary = "((proof, given, number) => ticketSummaryOf(audit(proof, given), number))"

    found = javascript.calls(
        *((summary, proof, {"leaves": leaves}, number) for number in (first, third, fourth, loser, 1))
    )

    said = [each["sentence"].replace("\u2068", "").replace("\u2069", "") for each in found]
    assert said == [
        f"Ticket {first} is in the draw. Ticket {first} won “dinner” and lost it (not collected: “never came”).",
        f"Ticket {third} is in the draw. Ticket {third} won “radio”.",
        f"Ticket {fourth} is in the draw. Ticket {fourth} took over “radio” from ticket {second}.",
        f"Ticket {loser} is in the draw. Ticket {loser} won nothing.",
        "Ticket 1 was not handed out.",
    ]


def test_the_words_of_a_closing_are_those_of_the_vectors(javascript: Javascript) -> None:
    listed = assets()["words.txt"].content.decode()

    for each in vector("words.json"):
        assert " ".join(javascript.call("wordsOf", bytes.fromhex(each["closing_hash"]), listed)) == each["words"]
