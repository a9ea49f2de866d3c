"""`rafflekit audit` like a terminal session: files, standard input, and a server that may say anything."""

import io
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rafflekit.cli import fetching, main
from rafflekit.core.protocol.audit import STEPS
from rafflekit.core.protocol.documents import PROOF_BYTES
from rafflekit.core.protocol.entropy.drand import BlsMissing
from tests.cli.conftest import OnScreen, Session, Terminal
from tests.tamper.making import Case, bases, catalogue
from tests.vectors.examples import signer, witness

DRAND, SECRETS = bases()["drand"], bases()["secrets"]
KEY, WITNESS, CODE = str(DRAND.given.key), str(witness().verifier), str(DRAND.given.code)
RAFFLE = f"/raffles/{DRAND.example.terms.id}"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Operator:
    """A server that somebody else runs: what it answers under which address, and what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        operator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                operator.asked.append(self.path)
                self.close_connection = True
                operator.answers.get(self.path, refused(404, b"nothing here"))(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def sent(content: bytes, *, length: int | None = None, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def refused(status: int, content: bytes) -> Answer:
    return sent(content, status=status)


def in_chunks(content: bytes, *, ended: bool = True) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for at in range(0, len(content), 1000):
            chunk = content[at : at + 1000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.wfile.write(b"0\r\n\r\n" if ended else b"3e8\r\n{")

    return answer


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the servers of a test themselves, whatever proxy this machine has."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything of one honest raffle, in which the terminal stands."""
    assert DRAND.given.leaves is not None
    assert DRAND.given.witnessed is not None
    for name, text in {
        "proof": DRAND.given.proof,
        "leaves": "".join(f"{line}\n" for line in DRAND.given.leaves),
        "receipt": DRAND.given.receipt,
        "consistency": DRAND.given.consistency,
        "copy": DRAND.given.witnessed.note,
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


def outcomes(session: Session) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in json.loads(session.out)["steps"]}


@pytest.mark.usefixtures("folder")
def test_everything_at_hand_proves_everything(terminal: Terminal) -> None:
    status, out, err = terminal(
        f"audit proof --key {KEY} --raffle {DRAND.example.terms.id} --witness {WITNESS} --witnessed copy "
        f"--witnessed-at 2023-08-23T15:58:44Z --leaves leaves --receipt receipt --code {CODE} --consistency consistency"
    )

    assert (status, err) == (0, "")
    *steps, last = out.splitlines()
    assert [line.split(":")[0] for line in steps] == [f"✓ {name}" for name in STEPS]
    assert last == "Everything is proven."
    assert CODE not in out


@pytest.mark.usefixtures("folder")
def test_what_was_not_shown_is_named_at_the_end(terminal: Terminal) -> None:
    status, out, _ = terminal("audit proof")

    assert status == 0
    assert "– key, not proven: " in out
    assert out.splitlines()[-1] == "Nothing is wrong. These steps rest on trust: key, witnesses, witnessed, leaves."


def test_a_falsified_proof_is_shown_as_wrong_with_exit_status_1(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(DRAND.edited(lambda proof: proof["winners"].reverse()).proof)
    status, out, err = terminal("audit proof")

    assert (status, err) == (1, "")
    assert re.search(r"^✗ winners: By the seed, win 1 is prize ", out, flags=re.MULTILINE)
    assert out.splitlines()[-1].startswith("These documents are not from an honest draw")


@pytest.fixture
def others(folder: Path) -> Path:
    """That folder, beside it what does not belong to its raffle: receipts, and a file that is no proof."""
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


@pytest.mark.parametrize(
    ("options", "step", "to_check"),
    [
        (f"--raffle {SECRETS.given.raffle}", "terms", "compare --raffle with the id of your raffle"),
        (f"--key {signer('stranger').verifier}", "key", "compare --key with the key that the operator published"),
        ("--receipt proof", "receipt", "--receipt must be the whole receipt of a ticket of this raffle"),
        ("--receipt 'of another raffle'", "receipt", "--receipt must be the whole receipt of a ticket of this raffle"),
        (
            "--receipt 'of another raffle and key'",
            "receipt",
            "--receipt must be the whole receipt of a ticket of this raffle",
        ),
        (f"--receipt receipt --code {DRAND.example.codes[5]}", "code", "--code must be the code of the ticket"),
    ],
)
@pytest.mark.usefixtures("others")
def test_a_mistake_of_whoever_checks_accuses_nobody(terminal: Terminal, options: str, step: str, to_check: str) -> None:
    status, out, err = terminal(f"audit proof {options}")

    assert (status, err) == (1, "")
    assert f"✗ {step}: " in out
    last = out.splitlines()[-1]
    assert last.startswith(f"These do not belong together: {to_check}")
    # Who gave the right thing is not calmed.
    assert "; if it is" in last
    shown = "This shows nothing for or against" if step in {"terms", "key"} else "The other steps still count."
    assert shown in last


def test_a_key_that_is_the_operators_after_all_speaks_against_the_proof(terminal: Terminal, folder: Path) -> None:
    (folder / "proof").write_text(json.dumps(replace(DRAND.example, signer=signer("stranger")).proof().shape()))

    assert "if it is that one, the proof has another key" in terminal(f"audit proof --key {KEY}").out


ACCUSING = {
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
def test_a_receipt_of_this_raffle_that_the_proof_does_not_fit_stays_evidence(
    terminal: Terminal, folder: Path, case: Case
) -> None:
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


def test_what_is_no_proof_is_called_so(terminal: Terminal, operator: Operator, others: Path) -> None:
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
    report = json.loads(terminal("audit proof --receipt 'of another raffle' --json").out)

    assert report.keys() == {"good", "steps"}
    assert {tuple(step) for step in report["steps"]} == {("name", "outcome", "sentence")}


def test_a_proof_comes_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "proof").read_bytes())))

    assert main(["audit", "-", "--json", "--leaves", "leaves"]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True


@pytest.mark.usefixtures("folder")
def test_a_code_comes_from_standard_input_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{CODE}\n".encode())))

    assert main(["audit", "proof", "--receipt", "receipt", "--code", "-"]) == 0
    printed = capsys.readouterr()
    assert "✓ code: " in printed.out
    assert CODE not in printed.out + printed.err


@pytest.mark.usefixtures("folder")
def test_a_code_that_is_typed_does_not_appear_on_the_screen(screen: OnScreen) -> None:
    status, text = screen("audit proof --receipt receipt --code -", answers={"Verification code:": f"{CODE}\n"})

    assert status == 0
    assert "code: The code matches the receipt's ticket." in " ".join(text.split())
    assert CODE not in text


@pytest.mark.parametrize("code", ["-", ""])
@pytest.mark.usefixtures("folder")
def test_no_code_is_not_a_wrong_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))

    assert main(["audit", "proof", "--receipt", "receipt", "--code", code]) == 2
    assert capsys.readouterr() == ("", "rafflekit: No code was given.\n")


@pytest.mark.usefixtures("folder")
def test_ctrl_d_at_the_question_for_a_code_is_no_code(screen: OnScreen) -> None:
    status, text = screen("audit proof --receipt receipt --code -", answers={"Verification code:": "\x04"})

    assert status == 2
    assert "No code was given." in text


@pytest.mark.usefixtures("folder")
def test_no_database_is_made_or_needed(terminal: Terminal, database: Path) -> None:
    assert terminal("audit proof --leaves leaves").status == 0
    assert not database.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("audit", "PROOF is missing"),
        ("audit proof --selftest", "omit PROOF"),
        (f"audit proof --code {CODE}", "--code needs --receipt"),
        ("audit proof --consistency consistency", "--consistency needs --receipt"),
        ("audit proof --witnessed-at 2026-11-24T12:00:00Z", "--witnessed-at needs --witnessed"),
        ("audit proof --witnessed copy --witnessed-at yesterday", "--witnessed-at: give a time with its zone"),
        ("audit proof --witnessed copy --witnessed-at 2026-11-24T12:00", "--witnessed-at: give a time with its zone"),
        ("audit - --leaves -", "Only one document can come from standard input"),
        ("audit proof --key nonsense", "--key: this is not a public key"),
        (f"audit proof --key {WITNESS}", "--key: this is not an operator's key"),
        (f"audit proof --witness {KEY}", "--witness: this is not a witness's key"),
        ("audit proof --leaves server", "--leaves server needs the address of a proof"),
        ("audit proof --receipt receipt --consistency server", "--consistency server needs the address of a proof"),
        ("audit file:///etc/passwd", "this address cannot be fetched"),
        ("audit ftp://127.0.0.1/proof/", "this address cannot be fetched"),
        ("audit http:///proof/", "this address cannot be fetched"),
        ("audit http://me:secret@127.0.0.1/proof/", "this address cannot be fetched"),
        ("audit http://[::1/proof/", "this address cannot be fetched"),
        ("audit 'http://127.0.0.1/a b/'", "this address cannot be fetched"),
        ("audit http://127.0.0.1:99999/proof/", "this address cannot be fetched"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_command_line_is_explained(terminal: Terminal, line: str, message: str) -> None:
    status, out, err = terminal(line)

    assert (status, out) == (2, "")
    assert message in err
    assert "secret" not in err


@pytest.mark.parametrize("option", ["", "proof --leaves ", "proof --receipt ", "proof --witnessed "])
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there_is_named_with_its_option(terminal: Terminal, option: str) -> None:
    status, out, err = terminal(f"audit {option}missing")

    named = option.removeprefix("proof ").strip() or "PROOF"
    assert (status, out, err) == (2, "", f"rafflekit: {named}: missing cannot be read: No such file or directory.\n")


def test_files_that_hold_anything_get_a_report(terminal: Terminal, folder: Path) -> None:
    for noise in (b"", b"\xff\xfe\0", b"\x1b[31m", "\ud800".encode(errors="surrogatepass"), b"[" * 100_000):
        (folder / "noise").write_bytes(noise)
        assert outcomes(terminal("audit noise --json")) == {"form": "wrong"}
        session = terminal("audit proof --json --leaves noise --receipt noise --witnessed noise")
        assert (session.status, outcomes(session)["leaves"], outcomes(session)["receipt"]) == (1, "wrong", "wrong")
        assert "\x1b" not in terminal("audit noise").out


def test_a_server_gives_proof_leaves_and_consistency(terminal: Terminal, operator: Operator) -> None:
    session = terminal(
        f"audit {operator.url}{RAFFLE}/proof/ --json --key {KEY} --witness {WITNESS} --leaves server "
        f"--receipt receipt --code {CODE} --consistency server"
    )

    assert session.status == 0
    assert outcomes(session) == dict.fromkeys(STEPS, "ok")
    # A code never leaves this machine, nor what was asked beside the addresses.
    assert sorted(operator.asked) == sorted(operator.answers)


def test_a_receipt_of_the_closing_needs_no_consistency_proof(
    terminal: Terminal, operator: Operator, folder: Path
) -> None:
    (folder / "receipt").write_text(json.dumps(DRAND.example.receipt(4, 20).shape()))

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt --consistency server")

    assert (session.status, outcomes(session)["receipt"]) == (0, "ok")
    assert operator.asked == [f"{RAFFLE}/proof/"]


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    terminal: Terminal, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_PROOF_S", 0.5)
    sent_bytes = 0
    given_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent_bytes
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while sent_bytes < 200 and not given_up.wait(0.05):
            handler.wfile.write(b" ")
            sent_bytes += 1

    operator.answers[f"{RAFFLE}/proof/"] = drip
    session = terminal(f"audit {operator.url}{RAFFLE}/proof/")
    given_up.set()

    assert (session.status, session.out) == (74, "")
    assert "takes longer than 0.5 s to answer" in session.err
    assert sent_bytes < 200


def test_that_the_list_goes_on_from_a_receipt_is_looked_at_unasked(terminal: Terminal, operator: Operator) -> None:
    path = f"{RAFFLE}/ledger/consistency/?from=7&to=20"

    honest = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")
    operator.answers[path] = sent(b'{"old":7,"new":20,"proof":[]}')
    rewritten = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")
    del operator.answers[path]
    hidden = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --receipt receipt")

    assert (honest.status, outcomes(honest)["receipt"]) == (0, "ok")
    assert (rewritten.status, outcomes(rewritten)["receipt"]) == (1, "wrong")
    assert (hidden.status, hidden.out) == (74, "")


@pytest.mark.parametrize("raffle", ["90b6f672", "no id", ""])
@pytest.mark.usefixtures("folder")
def test_what_is_no_whole_id_is_no_other_raffle(terminal: Terminal, raffle: str) -> None:
    session = terminal(f"audit proof --raffle '{raffle}'")

    assert (session.status, session.out) == (2, "")
    assert "--raffle: the raffle's whole id is needed" in session.err


@pytest.mark.usefixtures("folder")
def test_an_id_is_the_same_in_capitals(terminal: Terminal) -> None:
    assert outcomes(terminal(f"audit proof --json --raffle {str(DRAND.given.raffle).upper()}"))["terms"] == "ok"


def test_a_server_that_gives_another_raffles_proof_is_found_out(terminal: Terminal, operator: Operator) -> None:
    other = bases()["secrets"].given.proof
    operator.answers[f"{RAFFLE}/proof/"] = sent(other.encode())

    assert outcomes(terminal(f"audit {operator.url}{RAFFLE}/proof/ --json"))["terms"] == "wrong"
    for option in ("", f"--raffle {DRAND.given.raffle}"):
        last = terminal(f"audit {operator.url}{RAFFLE}/proof/ {option}").out.splitlines()[-1]
        assert last.startswith("These documents are not from an honest draw")


def test_a_server_that_hides_a_leaf_is_found_out(terminal: Terminal, operator: Operator, folder: Path) -> None:
    lines = (folder / "leaves").read_bytes().splitlines(keepends=True)
    operator.answers[f"{RAFFLE}/ledger/leaves/"] = in_chunks(b"".join(lines[:-1]))

    session = terminal(f"audit {operator.url}{RAFFLE}/proof/ --json --leaves server")

    assert (session.status, outcomes(session)["leaves"]) == (1, "wrong")


@pytest.mark.parametrize("proof", [b"x" * (PROOF_BYTES + 1), b" " * (3 * PROOF_BYTES)])
def test_of_an_endless_answer_only_the_beginning_is_read(terminal: Terminal, operator: Operator, proof: bytes) -> None:
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
    assert "cannot be reached" in err


def test_the_selftest_counts_what_it_refused(terminal: Terminal) -> None:
    status, out, err = terminal("audit --selftest")
    tried = catalogue()

    assert (status, err) == (0, "")
    for step in STEPS:
        assert f"✓ {step}: {sum(case.step == step for case in tried)} falsified documents were refused.\n" in out


def test_the_selftest_tells_what_it_cannot_try(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise BlsMissing

    monkeypatch.setattr("rafflekit.core.protocol.entropy.drand.require_bls", missing)
    status, out, _ = terminal("audit --selftest --json")
    untried = [case.name for case in catalogue() if case.needs == "bls"]

    assert status == 0
    assert json.loads(out) == {
        "good": True,
        "refused": len(catalogue()) - len(untried),
        "untried": untried,
        "failures": [],
    }


def test_the_selftest_of_a_broken_verifier_fails(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rafflekit.core.protocol.audit.winners.check_inclusion", lambda *_: None)
    status, out, _ = terminal("audit --selftest")

    assert status == 1
    assert "✗ winners: winners: a path with another bit: not judged correctly.\n" in out
