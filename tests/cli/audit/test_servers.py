"""`rafflekit audit` of what a server gives, which may be anything."""

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from rafflekit.cli import fetching
from rafflekit.core.protocol.audit import STEPS
from rafflekit.core.protocol.documents import PROOF_BYTES
from tests.cli.audit.honest import CODE, DRAND, KEY, RAFFLE, WITNESS
from tests.cli.audit.operators import Answer, Operator, in_chunks, outcomes, refused, sent
from tests.cli.conftest import Terminal
from tests.tamper.making import bases


def test_a_server_gives_proof_leaves_and_consistency(terminal: Terminal, operator: Operator) -> None:
    session = terminal(
        f"audit {operator.url}{RAFFLE}/proof/ --json --key {KEY} --witness {WITNESS} --leaves server "
        f"--receipt receipt --code {CODE} --consistency server"
    )

    assert session.status == 0
    assert outcomes(session) == dict.fromkeys(STEPS, "ok")
    # A code never leaves this machine, and no other address is requested.
    assert sorted(operator.asked) == sorted(operator.answers)


STATUS_LINE, HEADERS = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1000\r\n\r\n"
CHUNKED = STATUS_LINE + b"Transfer-Encoding: chunked\r\n\r\n"
A_LEAF = f"{(DRAND.given.leaves or [''])[0]}\n".encode()


@pytest.mark.parametrize("what", ["proof", "ledger/leaves"])
@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 2", STATUS_LINE + b"Server: ", STATUS_LINE + HEADERS, CHUNKED, CHUNKED + b"3e8\r\n"],
    ids=["the status", "a header", "the content", "the length of a chunk", "a chunk"],
)
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    terminal: Terminal, operator: Operator, monkeypatch: pytest.MonkeyPatch, what: str, start: bytes
) -> None:
    monkeypatch.setattr(fetching, "_DOCUMENT_S" if what == "proof" else "_PART_S", 0.3)
    sent_bytes = 0
    given_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent_bytes
        handler.wfile.write(start)
        while sent_bytes < 1_000 and not given_up.wait(0.02):
            handler.wfile.write(b"0")
            sent_bytes += 1

    operator.answers[f"{RAFFLE}/{what}/"] = drip
    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --leaves server")
    given_up.set()

    assert (session.status, session.out) == (74, "")
    assert "takes longer than 0.3 s to answer" in session.err
    assert sent_bytes < 1_000


def test_leaves_are_fetched_in_parts(terminal: Terminal, operator: Operator, folder: Path) -> None:
    lines = (folder / "leaves").read_bytes().splitlines(keepends=True)
    path = f"{RAFFLE}/ledger/leaves/"
    for first, link in (
        (0, '<?from=7&to=20>; rel="next"'),
        (7, f'</>; title="a, b"; rel="up", <{operator.url}{path}?from=14>; title="<x>, y"; rel=next'),
        (14, ""),
    ):
        asked = {0: path, 7: f"{path}?from=7&to=20", 14: f"{path}?from=14"}[first]
        headers = {"Link": link} if link else {}
        operator.answers[asked] = sent(b"".join(lines[first : first + 7]), **headers)

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --leaves server")

    assert (session.status, outcomes(session)["leaves"]) == (0, "ok")
    assert operator.asked[1:] == [path, f"{path}?from=7&to=20", f"{path}?from=14"]


@pytest.mark.parametrize(
    ("part", "link", "message"),
    [
        (A_LEAF, "<http://192.0.2.1/leaves/>", "links to http://192.0.2.1/leaves/, another server"),
        (A_LEAF, "<file:///etc/passwd>", "links to file:///etc/passwd, another server"),
        (b"", "<?from=0>", "sends parts without an end"),
        (A_LEAF, "<?from=nowhere>", "answers 404"),
        (A_LEAF, "<>;" * 1_000, "sends links that are too long"),
    ],
)
def test_links_that_lead_astray_are_not_followed(
    terminal: Terminal, operator: Operator, part: bytes, link: str, message: str
) -> None:
    for query in ("", "?from=0"):
        operator.answers[f"{RAFFLE}/ledger/leaves/{query}"] = sent(part, Link=f'{link}; rel="next"')

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --leaves server")

    assert (session.status, session.out) == (74, "")
    assert message in session.err
    assert len(operator.asked) <= 3


def test_a_server_that_repeats_its_leaves_is_found_out(terminal: Terminal, operator: Operator) -> None:
    operator.answers[f"{RAFFLE}/ledger/leaves/"] = sent(A_LEAF, Link='<?>; rel="next"')
    operator.answers[f"{RAFFLE}/ledger/leaves/?"] = sent(A_LEAF, Link='<?>; rel="next"')

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --leaves server")

    assert (session.status, outcomes(session)["leaves"]) == (1, "wrong")


def test_all_leaves_together_have_a_largest_size(
    terminal: Terminal, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_LEAVES_BYTES", 500)

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --leaves server")

    assert (session.status, session.out) == (74, "")
    assert "sends more than 500 bytes" in session.err


def test_a_server_that_gives_another_raffles_proof_is_found_out(terminal: Terminal, operator: Operator) -> None:
    other = bases()["secrets"].given.proof
    operator.answers[f"{RAFFLE}/proof/"] = sent(other.encode())

    assert outcomes(terminal(f"audit {operator.url}{RAFFLE}/proof/ --json"))["terms"] == "wrong"
    for option in ("", f"--raffle {DRAND.given.raffle}"):
        last = terminal(f"audit {operator.url}{RAFFLE}/proof/ {option}").out.splitlines()[-1]
        assert last.startswith("These documents are not from an honest draw")


def test_an_id_in_an_address_is_the_operators_word(terminal: Terminal, operator: Operator) -> None:
    alone = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json")
    known = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --raffle {DRAND.given.raffle}")

    assert (outcomes(alone)["terms"], outcomes(known)["terms"]) == ("not proven", "ok")


def test_a_server_that_hides_a_leaf_is_found_out(terminal: Terminal, operator: Operator, folder: Path) -> None:
    lines = (folder / "leaves").read_bytes().splitlines(keepends=True)
    operator.answers[f"{RAFFLE}/ledger/leaves/"] = in_chunks(b"".join(lines[:-1]))

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --leaves server")

    assert (session.status, outcomes(session)["leaves"]) == (1, "wrong")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refused(404, b""), "answers 404."),
        (refused(400, b'{"detail": "Not drawn yet.\\u001b[31m"}'), "answers 400 (Not drawn yet.\\x1b[31m)."),
        (refused(500, b'{"detail": 5}'), "answers 500."),
        (refused(503, b"[" * 60_000), "answers 503."),
        (sent(b"", status=302, Location="file:///etc/passwd"), "answers 302"),
        (sent(b"", status=302, Location="ftp://127.0.0.1/"), "is not followed"),
        (sent(b"", status=302, Location=f"{RAFFLE}/proof/"), "answers 302"),
    ],
)
def test_a_server_that_refuses_or_leads_astray_is_named(
    terminal: Terminal, operator: Operator, answer: Answer, message: str
) -> None:
    operator.answers[f"{RAFFLE}/proof/"] = answer

    status, out, err = terminal(f"audit {operator.url}{RAFFLE}/proof/")

    assert (status, out) == (74, "")
    assert message in err
    assert len(operator.asked) < 10


def test_a_server_may_lead_to_another_address(terminal: Terminal, operator: Operator) -> None:
    operator.answers["/old/"] = sent(b"", status=301, Location=f"{operator.url}{RAFFLE}/proof/")

    assert terminal(f"audit {operator.url}/old/").status == 0
    assert "needs a PROOF address" in terminal(f"audit {operator.url}/old/ --leaves server").err


def test_a_server_that_is_not_there_is_named(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        status, out, err = terminal(f"audit http://127.0.0.1:{free.getsockname()[1]}{RAFFLE}/proof/")

    assert (status, out) == (74, "")
    assert err.endswith(" cannot be reached: Connection refused.\n")


def test_a_receipt_of_the_closing_needs_no_consistency_proof(
    terminal: Terminal, operator: Operator, folder: Path
) -> None:
    (folder / "receipt").write_text(json.dumps(DRAND.example.receipt(4, 20).shape()))

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt --consistency server")

    assert (session.status, outcomes(session)["receipt"]) == (0, "ok")
    assert operator.asked == [f"{RAFFLE}/proof/"]


def test_an_address_is_asked_for_consistency_with_the_receipt(terminal: Terminal, operator: Operator) -> None:
    path = f"{RAFFLE}/ledger/consistency/?from=7&to=20"

    honest = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")
    operator.answers[path] = sent(b'{"old":7,"new":20,"proof":[]}')
    rewritten = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")
    del operator.answers[path]
    hidden = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")

    assert (honest.status, outcomes(honest)["receipt"]) == (0, "ok")
    assert (rewritten.status, outcomes(rewritten)["receipt"]) == (1, "wrong")
    assert (hidden.status, hidden.out) == (74, "")


@pytest.mark.parametrize("proof", [b"x" * (PROOF_BYTES + 1), b" " * (3 * PROOF_BYTES)])
def test_an_endless_answer_is_read_only_up_to_its_limit(terminal: Terminal, operator: Operator, proof: bytes) -> None:
    operator.answers[f"{RAFFLE}/proof/"] = sent(proof, length=10**12)

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json")

    assert (session.status, outcomes(session)) == (1, {"form": "wrong"})


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("proof", sent(b'{"protocol"', length=1000)),
        ("proof", in_chunks(b'{"protocol"', ended=False)),
        ("leaves", sent(b'{"serial":0', length=1000)),
        ("leaves", sent(f"{(DRAND.given.leaves or [''])[0]}\n".encode(), length=1000)),
        ("leaves", in_chunks((DRAND.given.leaves or [""])[0].encode(), ended=False)),
    ],
)
def test_an_answer_that_breaks_off_is_not_called_wrong(
    terminal: Terminal, operator: Operator, what: str, answer: Answer
) -> None:
    path = f"{RAFFLE}/proof/" if what == "proof" else f"{RAFFLE}/ledger/leaves/"
    operator.answers[path] = answer

    status, out, err = terminal(f"audit {operator.url}{RAFFLE}/proof/ --leaves server")

    assert (status, out) == (74, "")
    assert re.search(r"breaks off before its end|cannot be read to its end", err)


def test_a_failed_encryption_is_named_in_words(terminal: Terminal, operator: Operator) -> None:
    address = operator.url.replace("http:", "https:")

    status, _, err = terminal(f"audit {address}{RAFFLE}/proof/")

    assert status == 74
    assert re.search(r" cannot be reached: the encrypted connection failed \([a-z ]+\)\.$", err)


def test_all_leaves_together_have_a_total_time(
    terminal: Terminal, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_LEAVES_S", 0)
    operator.answers[f"{RAFFLE}/ledger/leaves/"] = sent(A_LEAF)

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --leaves server")

    assert (session.status, session.out) == (74, "")
    assert "takes longer than 0 s to answer" in session.err
