"""The frozen vectors: no edit goes unnoticed, and both the library and the protocol's text reproduce them.

The second half is written from `docs/draw-protocol.md` alone and uses nothing of rafflekit.
"""

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from argon2.low_level import Type, hash_secret, verify_secret
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rafflekit.core.protocol import codes, tree
from rafflekit.core.protocol.audit import Witnessed, audit
from tests.vectors.make_v1 import TAMPER, VECTORS, tampering, vectors

FROZEN = json.loads((Path(__file__).parent / "frozen.json").read_text())
"""The SHA-256 of every frozen file, by folder and name."""


def vector(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


@pytest.mark.parametrize(("name", "folder"), [("vectors", VECTORS), ("tamper", TAMPER)])
def test_no_frozen_file_was_changed_added_or_removed(name: str, folder: Path) -> None:
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}

    assert found == FROZEN[name]


def test_the_list_of_frozen_files_is_frozen() -> None:
    listed = (Path(__file__).parent / "frozen.json").read_bytes()

    assert sha256(listed).hexdigest() == "57fe7e59784c69f4db81700b9bc3dc01435950ebd96f4def7de171a081ee5f83"


def test_the_library_reproduces_the_vectors() -> None:
    found = vectors()

    assert sorted(found) == sorted(file.name for file in VECTORS.iterdir())
    assert [name for name, content in found.items() if (VECTORS / name).read_bytes() != content] == []


def test_the_library_reproduces_the_frozen_cases() -> None:
    found = tampering()

    assert sorted(found) == sorted(file.name for file in TAMPER.iterdir())
    assert [name for name, content in found.items() if (TAMPER / name).read_bytes() != content] == []


@pytest.mark.parametrize("case", vector("audits.json"), ids=lambda case: f"{case['base']}, {case['what']}")
def test_honest_documents_are_audited_as_the_vectors_say(case: dict[str, Any]) -> None:
    honest = json.loads((TAMPER / "bases.json").read_text())[case["base"]]
    given = {field: honest[field] for field in case["uses"]} | case["given"]
    if "witnessed" in given:
        given["witnessed"] = [Witnessed(**copy) for copy in given["witnessed"]]

    assert {step.name: step.outcome for step in audit(**given).steps} == case["outcomes"]


def test_every_tree_proof_holds_only_for_its_root() -> None:
    for each in vector("tree.json"):
        size, root = each["size"], b64decode(each["root"])
        for proof in each["inclusion"]:
            leaf = tree.leaf_hash(f"leaf {proof['index']}".encode())
            tree.check_inclusion(leaf, proof["index"], size, [b64decode(one) for one in proof["path"]], root)
        for proof in each["consistency"]:
            hashes = [b64decode(one) for one in proof["proof"]]
            tree.check_consistency(proof["old_size"], size, hashes, b64decode(proof["old_root"]), root)
            with pytest.raises(tree.ProofWrong):
                tree.check_consistency(proof["old_size"], size, hashes, b64decode(proof["old_root"]), sha256().digest())


def test_codes_are_read_in_every_spelling() -> None:
    found = vector("codes.json")

    for each in found["codes"]:
        assert codes.spell(bytes.fromhex(each["code"])) == each["spelled"]
        assert {codes.read(text) for text in (each["spelled"], *each["also_read"])} == {each["hashed"]}
        assert all(codes.CodeHasher().check(each["hash"], text) for text in (each["spelled"], *each["also_read"]))
    assert [codes.read(text) for text in found["no_codes"]] == [None] * len(found["no_codes"])


# From here on, everything follows the text of the protocol alone.


def h(tag: str, data: bytes) -> bytes:
    return sha256(b"rafflekit v1 " + tag.encode() + b"\0" + data).digest()


def mth(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1."""
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def draw(seed: bytes, tickets: int, wins: int) -> list[int]:
    """Section 7, with every displaced slot in a dictionary and none ever removed."""
    slot: dict[int, int] = {}
    block, found = 0, []
    for k in range(wins):
        n = tickets - k
        while True:
            v = int.from_bytes(sha256(seed + block.to_bytes(8)).digest())
            block += 1
            if v < n * (2**256 // n):
                break
        j = k + v % n
        slot[k], slot[j] = slot.get(j, j), slot.get(k, k)
        found.append(slot[k])
    return found


def signed(note: str, name: str, key_type: int, public: bytes) -> int | None:
    """Return the time of a key's signature on a note (0 for an operator's), None if there is no valid one."""
    text, _, lines = note.rpartition("\n\n")
    key_id = sha256(name.encode() + b"\n" + bytes([key_type]) + public).digest()[:4]
    for line in lines.splitlines():
        dash, line_name, encoded = line.split(" ")
        content = b64decode(encoded, validate=True)
        if (dash, line_name, content[:4]) != ("—", name, key_id):
            continue
        time = int.from_bytes(content[4:-64])
        before = f"cosignature/v1\ntime {time}\n" if key_type == 4 else ""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(content[-64:], f"{before}{text}\n".encode())
        except InvalidSignature:
            return None
        return time
    return None


def leaf_data(raffle: str, leaf: dict[str, Any]) -> bytes:
    code_hash = leaf["code_hash"].encode("ascii")
    numbers = leaf["serial"].to_bytes(8) + leaf["ticket_number"].to_bytes(8)
    return b"\1" + UUID(raffle).bytes + numbers + len(code_hash).to_bytes(2) + code_hash


def test_the_protocol_text_gives_hashes_and_terms() -> None:
    for each in vector("hashes.json"):
        assert h(each["tag"], bytes.fromhex(each["data"])).hex() == each["hash"]
    for each in vector("terms.json"):
        assert json.loads(each["canonical"]) == each["terms"]
        assert h("terms", each["canonical"].encode()).hex() == each["hash"]


def test_the_protocol_text_gives_leaves_and_trees() -> None:
    for each in vector("leaves.json"):
        assert leaf_data(each["id"], each["leaf"]).hex() == each["data"]
        assert sha256(b"\0" + bytes.fromhex(each["data"])).hexdigest() == each["hash"]
    for each in vector("tree.json"):
        assert mth([f"leaf {index}".encode() for index in range(each["size"])]) == b64decode(each["root"])


def test_the_protocol_text_gives_codes() -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for each in vector("codes.json")["codes"]:
        value = int(each["code"], 16)
        characters = "".join(alphabet[value >> 5 * place & 31] for place in reversed(range(24)))
        cost = dict(part.split("=") for part in each["hash"].split("$")[3].split(","))
        hashed = hash_secret(
            characters.encode(),
            bytes.fromhex(each["salt"]),
            time_cost=int(cost["t"]),
            memory_cost=int(cost["m"]),
            parallelism=int(cost["p"]),
            hash_len=16,
            type=Type.ID,
        )
        assert (characters, hashed.decode()) == (each["hashed"], each["hash"])


def test_the_protocol_text_gives_keys_and_signed_notes() -> None:
    operator, witness, _ = keys = vector("keys.json")
    for key in keys:
        public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["private"])).public_key().public_bytes_raw()
        key_id = sha256(key["name"].encode() + b"\n" + bytes([key["type"]]) + public).hexdigest()[:8]
        encoded = b64encode(bytes([key["type"]]) + public).decode()
        assert (public.hex(), key_id) == (key["public"], key["id"])
        assert f"{key['name']}+{key_id}+{encoded}" == key["verifier_key"]
    for each in vector("checkpoints.json"):
        lines = [f"rafflekit/{each['id']}", each["size"], b64encode(bytes.fromhex(each["root"])).decode()]
        lines.append(f"terms {b64encode(bytes.fromhex(each['terms'])).decode()}")
        lines += [f"closed {each['closed']}"] if "closed" in each else []
        lines += [f"round {each['round']}"] if each.get("round") else []
        lines += [f"cancelled {each['cancelled']}", f"reason {each['reason']}"] if "cancelled" in each else []
        assert "".join(f"{line}\n" for line in lines) == each["text"]
        assert signed(each["note"], operator["name"], 1, bytes.fromhex(operator["public"])) == 0
        if "closed" in each:
            assert h("closing", each["text"].encode()).hex() == each["closing_hash"]
            time = signed(each["cosigned_note"], witness["name"], 4, bytes.fromhex(witness["public"]))
            assert time == each["cosigned_at"]


def test_the_protocol_text_gives_rounds_and_entropy() -> None:
    found = vector("drand.json")
    for each in found["times"]:
        assert 1692803367 + 3 * (each["round"] - 1) == each["time"]
    for each in found["rounds"]:
        due = each["closed"] + each["delay_s"]
        assert 1692803367 + 3 * (each["round"] - 2) < due <= 1692803367 + 3 * (each["round"] - 1)
    (beacon,) = found["beacons"]
    # What drand published as the randomness of this round.
    assert beacon["entropy"] == "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
    assert sha256(bytes.fromhex(beacon["signature"])).hexdigest() == beacon["entropy"]


def test_the_protocol_text_gives_winners_seeds_and_statements() -> None:
    operator = vector("keys.json")[0]
    for each in vector("winners.json"):
        assert draw(bytes.fromhex(each["seed"]), each["tickets"], each["wins"]) == each["serials"]
    for each in vector("draws.json"):
        seed = h("seed", bytes.fromhex(each["closing_hash"]) + bytes.fromhex(each["entropy"]))
        rows = (w["serial"].to_bytes(8) + w["ticket_number"].to_bytes(8) + w["prize"].to_bytes(4) for w in each["wins"])
        assert (seed.hex(), h("winners", b"".join(rows)).hex()) == (each["seed"], each["digest"])
        assert draw(seed, each["tickets"], len(each["wins"])) == [win["serial"] for win in each["wins"]]
        origin = each["text"].split("\n")[1]
        closing_hash = b64encode(bytes.fromhex(each["closing_hash"])).decode()
        digest = b64encode(bytes.fromhex(each["digest"])).decode()
        assert each["text"] == (
            f"rafflekit draw v1\n{origin}\nclosing {closing_hash}\ndrawn {each['drawn']}\nentropy {each['entropy']}\n"
            f"seed {each['seed']}\nwinners {len(each['wins'])} {digest}\n"
        )
        assert h("draw", each["text"].encode()).hex() == each["draw_hash"]
        assert signed(each["note"], operator["name"], 1, bytes.fromhex(operator["public"])) == 0


def test_the_protocol_text_gives_announced_entropy() -> None:
    for each in vector("announced.json"):
        # The regular expression knows the same white space as the property White_Space, apart from U+001C to U+001F.
        assert re.sub(r"\s+", " ", each["typed"]).strip(" ") == each["value"]
        assert sha256(each["value"].encode()).hexdigest() == each["entropy"]


def test_the_protocol_text_gives_forfeits() -> None:
    operator = vector("keys.json")[0]
    for each in vector("forfeits.json"):
        following = each["next"]
        shown = "none" if following is None else f"{following['serial']} {following['ticket_number']}"
        assert each["text"] == (
            f"rafflekit forfeit v1\n{each['origin']}\ndraw {b64encode(bytes.fromhex(each['draw_hash'])).decode()}\n"
            f"forfeit {each['forfeit']}\ntime {each['time']}\nwin {each['win']}\nwhy {each['why']}\n"
            f"reason {each['reason']}\nnext {shown}\n"
        )
        assert signed(each["note"], operator["name"], 1, bytes.fromhex(operator["public"])) == 0


@pytest.mark.parametrize("name", ["early", "announced"])
def test_the_protocol_text_gives_the_tickets_that_are_next(name: str) -> None:
    proof = vector(f"proof-{name}.json")
    tickets = int(proof["closing"].split("\n")[1])
    order = draw(bytes.fromhex(proof["seed"]), tickets, tickets)
    following = order[len(proof["winners"]) :]
    draw_hash = b64encode(h("draw", (proof["draw"].partition("\n\n")[0] + "\n").encode())).decode()

    for number, forfeit in enumerate(proof["forfeits"], start=1):
        lines = forfeit["note"].split("\n")
        assert lines[2:4] == [f"draw {draw_hash}", f"forfeit {number}"]
        if number > len(following):
            assert (lines[8], forfeit["leaf"], forfeit["path"]) == ("next none", None, [])
        else:
            leaf = forfeit["leaf"]
            assert leaf["serial"] == following[number - 1]
            assert lines[8] == f"next {leaf['serial']} {leaf['ticket_number']}"


@pytest.mark.parametrize("name", ["drand", "secrets", "many", "early", "announced"])
def test_the_protocol_text_gives_whole_raffles(name: str) -> None:
    proof, receipts = vector(f"proof-{name}.json"), vector(f"receipts-{name}.json")
    raffle, announced = proof["terms"]["id"], proof["terms"]["total_tickets"]
    leaves = [json.loads(line) for line in (VECTORS / f"leaves-{name}.jsonl").read_text().splitlines()]
    closing = proof["closing"].partition("\n\n")[0].split("\n")
    tickets = int(closing[1])
    wins = draw(bytes.fromhex(proof["seed"]), tickets, sum(prize["amount"] for prize in proof["terms"]["prizes"]))
    numbers = {leaf["ticket_number"] for leaf in leaves}

    assert mth([leaf_data(raffle, leaf) for leaf in leaves]) == b64decode(closing[2])
    assert len(numbers) == len(leaves) == tickets
    assert numbers <= set(range(1, announced + 1))
    assert (tickets == announced) is (name not in ("early", "announced"))
    if name != "many":
        assert [win["leaf"] for win in proof["winners"]] == [leaves[serial] for serial in wins]
    for each in receipts:
        receipt = json.loads(each["receipt"])
        _, size, root, *_ = receipt["checkpoint"].split("\n")
        assert receipt["leaf"] == leaves[each["serial"]]
        assert (int(size), root) == (
            each["size"],
            b64encode(mth([leaf_data(raffle, leaf) for leaf in leaves[: each["size"]]])).decode(),
        )
        assert verify_secret(receipt["leaf"]["code_hash"].encode(), each["code"].replace("-", "").encode(), Type.ID)
