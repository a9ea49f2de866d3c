"""The addresses of a raffle's ledger and its proof."""

import json
import re
from uuid import UUID

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core import limits
from rafflekit.core.protocol import tree
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import leaf_line, read_leaf_line, read_proof, read_receipt
from rafflekit.core.protocol.notes import Note, VerifierKey, read_base64
from rafflekit.core.protocol.receipts import check_receipt
from tests.http.conftest import Post

LARGE = {"name": "Large", "total_tickets": 300, "prizes": [{"name": "warm hug", "amount": 3}]}


@pytest.fixture
def drawn(post: Post) -> str:
    """The address of a drawn raffle of 300 tickets."""
    raffle = f"/raffles/{post('/raffles/', json=LARGE).json['id']}"
    for n in range(300):
        assert post(f"{raffle}/participate", source=f"192.0.{n // 200}.{n % 200 + 1}").status_code == 201
    assert post(f"{raffle}/winners").status_code == 201
    return raffle


def id_of(raffle: str) -> UUID:
    return UUID(raffle.rpartition("/")[2])


def test_a_ticket_comes_with_a_receipt_that_can_be_checked(client: testing.TestClient, post: Post, raffle: str) -> None:
    ticket = post(f"{raffle}/participate", source="192.0.2.1").json
    post(f"{raffle}/participate", source="192.0.2.2")
    post(f"{raffle}/winners")
    key = VerifierKey.read(client.simulate_get(f"{raffle}/proof").json["key"])

    receipt = read_receipt(json.dumps(ticket["receipt"]))

    assert check_receipt(receipt, id_of(raffle), key).size == 1
    assert receipt.leaf.ticket_number == ticket["ticket_number"]


def test_a_draw_can_be_checked_from_the_leaves_to_the_winners(client: testing.TestClient, drawn: str) -> None:
    checkpoint = client.simulate_get(f"{drawn}/ledger/")
    leaves = client.simulate_get(f"{drawn}/ledger/leaves/")
    shape = client.simulate_get(f"{drawn}/proof/")

    assert checkpoint.headers["Content-Type"].startswith("text/plain")
    assert leaves.headers["Content-Type"] == "application/jsonl"
    proof = read_proof(shape.text)
    assert Note.read(checkpoint.text) == Note.read(proof.closing)
    closing = Checkpoint.read(Note.read(proof.closing).text)
    hashes = [read_leaf_line(line).hash(id_of(drawn)) for line in leaves.text.splitlines()]
    assert [closing.root] == list(tree.running_roots(hashes, [300]))
    assert closing.terms == proof.terms.hash()
    winners = client.simulate_get(f"{drawn}/winners/").json["results"]
    assert proof.winners is not None
    assert [win.leaf.ticket_number for win in proof.winners] == [win["ticket_number"] for win in winners]


def test_a_tickets_place_and_an_older_state_are_proven(client: testing.TestClient, drawn: str) -> None:
    key = VerifierKey.read(client.simulate_get(f"{drawn}/proof").json["key"])
    receipt = client.simulate_get(f"{drawn}/ledger/proof/", params={"ticket_number": 7})
    consistency = client.simulate_get(f"{drawn}/ledger/consistency/", params={"from": 100, "to": 300}).json

    read = read_receipt(receipt.text)
    closing = check_receipt(read, id_of(drawn), key)
    assert (read.leaf.ticket_number, closing.size) == (7, 300)
    leaves = client.simulate_get(f"{drawn}/ledger/leaves/").text.splitlines()
    hashes = [read_leaf_line(line).hash(id_of(drawn)) for line in leaves]
    [old_root] = tree.running_roots(hashes, [100])
    proof = [read_base64(each) for each in consistency["proof"]]
    tree.check_consistency(consistency["old"], consistency["new"], proof, old_root, closing.root)


def test_leaves_come_in_parts_with_links(
    client: testing.TestClient, engine: RaffleEngine, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LEAVES_AT_ONCE", 100)
    parts, query = [], ""
    while query is not None:
        part = client.simulate_get(f"{drawn}/ledger/leaves", query_string=query)
        parts.append((query, part.text))
        following = re.fullmatch(r'<\?(.*)>; rel="next"', part.headers.get("Link", ""))
        query = following and following[1]
    some = client.simulate_get(f"{drawn}/ledger/leaves/", params={"from": 250, "to": 260})
    none = client.simulate_get(f"{drawn}/ledger/leaves/", params={"from": 300})

    lines = [f"{leaf_line(leaf)}\n" for leaf in engine.proofs.leaves(id_of(drawn))]
    assert [asked for asked, _ in parts] == ["", "from=100&to=300", "from=200&to=300"]
    assert [text for _, text in parts] == ["".join(lines[first : first + 100]) for first in (0, 100, 200)]
    assert (some.text, none.text) == ("".join(lines[250:260]), "")
    assert not [each for each in (some, none) if "Link" in each.headers]


def test_a_list_of_leaves_ends_where_the_ledger_did_at_first(
    client: testing.TestClient, post: Post, raffle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LEAVES_AT_ONCE", 1)
    links = []
    for host in (1, 2):
        post(f"{raffle}/participate", source=f"192.0.2.{host}")
        links.append(client.simulate_get(f"{raffle}/ledger/leaves/").headers.get("Link"))

    assert links == [None, '<?from=1&to=2>; rel="next"']


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("ledger/proof", 400, "ticket_number: is missing."),
        ("ledger/proof?ticket_number=x", 400, "ticket_number: must be a whole number"),
        ("ledger/proof?ticket_number=3", 404, "No ticket with this number has been handed out."),
        (f"ledger/proof?ticket_number={'9' * 400}", 404, "No ticket with this number"),
        ("ledger/consistency?from=1", 400, "to: is missing."),
        ("ledger/consistency?from=1&to=1", 400, "to: must be at most 0"),
        ("ledger/consistency?from=2&to=1", 400, "from: must be a size from 0"),
        ("ledger/leaves?from=1", 400, "from: must be a size from 0"),
        ("ledger/leaves?from=2&to=1", 400, "from: must be a size from 0"),
        ("ledger/leaves?to=1", 400, "to: must be at most 0"),
        ("ledger/leaves?from=-1", 400, "from: must be a whole number"),
        ("proof", 400, "Winners for the raffle have not been drawn yet"),
    ],
)
def test_what_cannot_be_proven_is_refused(
    client: testing.TestClient, raffle: str, path: str, status: int, words: str
) -> None:
    answer = client.simulate_get(f"{raffle}/{path}")

    assert (answer.status_code, answer.json["status"]) == (status, status)
    assert words in answer.json["detail"]


@pytest.mark.parametrize("path", ["ledger", "ledger/proof?ticket_number=1", "ledger/leaves", "proof"])
@pytest.mark.parametrize("raffle", ["garbage", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_raffle_has_no_ledger(client: testing.TestClient, raffle: str, path: str) -> None:
    assert client.simulate_get(f"/raffles/{raffle}/{path}").status_code == 404


def test_a_ledger_reveals_no_code_and_no_participant(client: testing.TestClient, post: Post, raffle: str) -> None:
    tickets = [post(f"{raffle}/participate", source=f"192.0.2.{n}").json for n in (1, 2)]
    post(f"{raffle}/winners")

    paths = ("ledger", "ledger/leaves", "ledger/proof?ticket_number=1", "proof")
    texts = "".join(client.simulate_get(f"{raffle}/{path}").text for path in paths)

    assert not [ticket for ticket in tickets if ticket["verification_code"] in texts]
    assert "192.0.2." not in texts
