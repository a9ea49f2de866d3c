"""The server's log: what a line says, that it stays one line, and what it never says."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from falcon import testing
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rafflekit import RaffleEngine
from rafflekit.core.protocol import codes
from rafflekit.core.tickets.participants import normalise
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.log_lines import Log, requests_are_logged
from tests.http.conftest import MANAGER, PROXY, SETTINGS, Post

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
FORMS = ("human", "json")
CODE = codes.spell(bytes(15))


class Lines:
    """What was logged since it was last read."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def text(self) -> str:
        return self._capture.readouterr().err

    def objects(self) -> list[dict[str, Any]]:
        text = self.text()
        assert not text or text.endswith("\n")
        return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines of the log."""
    return Lines(capsys)


@contextmanager
def failing_lookups(engine: RaffleEngine, message: str) -> Iterator[None]:
    """Make showing a raffle fail unexpectedly."""

    def fail(_raffle: object) -> None:
        raise ZeroDivisionError(message)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "get", fail)
        yield


def test_a_request_is_one_json_object(post: Post, raffle: str, lines: Lines) -> None:
    with Log("json", requests=True).written():
        post(f"{raffle}/participate/", source="203.0.113.77")
        post(f"{raffle}/participate/", source="203.0.113.77")

    issued, refused = lines.objects()
    assert re.fullmatch(TIME, issued.pop("time"))
    assert issued.pop("duration_ms") > 0
    assert issued == {
        "level": "info",
        "logger": "rafflekit.requests",
        "method": "POST",
        "route": "/raffles/{raffle_id}/participate",
        "status": 201,
        "client": "203.0.113.0/24",
    }
    assert (refused["status"], refused["refusal"]) == (403, "already_participated")


def test_a_request_is_one_line_for_people(post: Post, raffle: str, client: testing.TestClient, lines: Lines) -> None:
    with Log("human", requests=True).written():
        post(f"{raffle}/participate/", source="2001:db8:1:2::3")
        client.simulate_get("/nothing", remote_addr="somewhere")

    issued, missed, end = lines.text().split("\n")
    ms = r"\d+\.\d ms"
    assert re.fullmatch(rf"{TIME} 201 POST /raffles/{{raffle_id}}/participate {ms} 2001:db8:1::/48", issued)
    assert re.fullmatch(rf"{TIME} 404 GET unmatched {ms} - not_found", missed)
    assert end == ""


def test_requests_are_logged_only_on_demand(client: testing.TestClient, lines: Lines) -> None:
    client.simulate_get("/raffles")
    with Log("json", requests=False).written():
        client.simulate_get("/raffles")
    with Log("json", requests=True).written():
        assert requests_are_logged()
    client.simulate_get("/raffles")

    assert lines.text() == ""
    assert not requests_are_logged()


@pytest.mark.parametrize(
    ("source", "forwarded", "client_network"),
    [
        ("203.0.113.77", None, "203.0.113.0/24"),
        ("::ffff:203.0.113.77", None, "203.0.113.0/24"),
        ("2001:db8:aaaa:bbbb::1", None, "2001:db8:aaaa::/48"),
        (PROXY, "192.0.2.1, 203.0.113.77", "203.0.113.0/24"),
        (PROXY, "nonsense", None),
        (PROXY, None, None),
        ("localhost", None, None),
    ],
)
def test_a_client_is_logged_as_its_network(
    client: testing.TestClient, lines: Lines, source: str, forwarded: str | None, client_network: str | None
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with Log("json", requests=True).written():
        client.simulate_get("/raffles", remote_addr=source, headers=headers)

    assert [line["client"] for line in lines.objects()] == [client_network]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_a_client_sends_is_logged(client: testing.TestClient, lines: Lines, form: Any) -> None:
    hostile = "x\r\n2026-11-24T00:00:00.000Z 200 GET /forged \x1b[31m\u202e\x85"
    environ = testing.create_environ("/", method="GET") | {
        "REQUEST_METHOD": hostile,
        "PATH_INFO": f"/raffles/{hostile}".encode().decode("latin-1"),
        "QUERY_STRING": f"name={hostile}",
        "HTTP_HOST": hostile,
        "HTTP_X_FORWARDED_FOR": hostile,
        "HTTP_USER_AGENT": hostile,
        "HTTP_IDEMPOTENCY_KEY": hostile,
        "REMOTE_ADDR": PROXY,
    }
    with Log(form, requests=True).written():
        list(client.app(environ, testing.StartResponseMock()))

    text = lines.text()
    assert text.count("\n") == 1
    assert not [word for word in ("forged", "\x1b", "\u202e", "\x85", "\r") if word in text]


def test_an_incident_has_one_id_in_the_answer_and_the_log(
    client: testing.TestClient, engine: RaffleEngine, raffle: str, lines: Lines
) -> None:
    with failing_lookups(engine, "one\ntwo"), Log("json", requests=True).written():
        answer = client.simulate_get(raffle)

    (shown,) = re.findall(r"incident ([0-9a-f]{16})\.", answer.json["detail"])
    failure, request = lines.objects()
    assert (answer.status_code, request["status"]) == (500, 500)
    assert (failure["incident"], request["incident"]) == (shown, shown)
    assert (failure["level"], failure["method"], failure["route"]) == ("error", "GET", "/raffles/{raffle_id}")
    assert failure["message"] == f"Incident {shown}: GET /raffles/{{raffle_id}} failed."
    assert failure["traceback"].rstrip().endswith("ZeroDivisionError: one\ntwo")


def test_a_failures_message_cannot_imitate_another_line(
    client: testing.TestClient, engine: RaffleEngine, raffle: str, lines: Lines
) -> None:
    forged = "2026-11-24T00:00:00.000Z 200 GET /forged"
    with failing_lookups(engine, f"\n{forged}\r\x1b[31m\u202e"), Log("human").written():
        client.simulate_get(raffle)

    first, *others = lines.text().splitlines()
    assert re.match(rf"{TIME} ERROR Incident [0-9a-f]{{16}}: GET ", first)
    assert others
    assert all(line.startswith("    ") for line in others)
    assert not [word for word in ("\x1b", "\u202e", "\r") if any(word in line for line in others)]


@pytest.mark.parametrize("form", FORMS)
def test_lines_of_libraries_have_no_codes_and_addresses(lines: Lines, form: Any) -> None:
    other = logging.getLogger("waitress")
    with Log(form).written():
        other.error("<%s:50123>, %s", "198.51.100.7", CODE, exc_info=OSError("from 203.0.113.77"))

    text = lines.text()
    assert "203.0.113.0/24" in text
    assert "198.51.100.0/24:50123" in text
    assert not [word for word in ("203.0.113.77", "198.51.100.7", CODE) if word in text]


@pytest.mark.parametrize("form", FORMS)
def test_any_text_can_be_logged(lines: Lines, form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without pytest's handlers, whose parallel runs cannot pass on a lone surrogate.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with Log(form).written():
        logging.getLogger("rafflekit.any").error("\ud800 \x00 \u2028 \x85 %s", "100 %")

    text = lines.text()
    assert len(text.splitlines()) == 1
    assert "100 %" in text


def test_a_log_that_cannot_be_written_is_ignored(client: testing.TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it fails, too
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", full)
        with Log("json", requests=True).written():
            answers = [client.simulate_get("/raffles").status_code for _ in range(3)]
    with pytest.raises(OSError, match="No space left"):
        full.close()

    assert answers == [200] * 3


def test_the_docs_have_a_line_for_every_field(
    post: Post, client: testing.TestClient, engine: RaffleEngine, raffle: str, lines: Lines
) -> None:
    with failing_lookups(engine, "x"), Log("json", requests=True).written():
        client.simulate_get(raffle)
        post(f"{raffle}/participate/")
        client.simulate_get("/nothing")

    table = OPERATIONS.partition("| field |")[2].partition("\n\n")[0]
    documented = set(re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert documented == {name for line in lines.objects() for name in line}


# With an ending that no log has by chance: hypothesis also tries texts that it finds in the code, such as a route.
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=15, max_size=60
).map("{}~".format)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS, is_quoted=st.booleans())
@example(key='a"key\\with"quotes\\in-it', is_quoted=True)
def test_a_failure_that_quotes_the_key_does_not_reveal_it(
    engine: RaffleEngine, capsys: pytest.CaptureFixture[str], key: str, is_quoted: bool
) -> None:
    sent = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' if is_quoted else key.replace('"', "'")
    seen: list[str] = []

    def fail(_raffle: object, _participant: object, *, idempotency_key: str, **_others: object) -> None:
        seen.append(idempotency_key)
        raise ValueError(f"{idempotency_key} or {idempotency_key!r}, sent as {sent} or {sent!r}")

    app = create_app(engine, SETTINGS)
    with pytest.MonkeyPatch.context() as patched, Log("json", requests=True).written():
        patched.setattr(engine, "participate", fail)
        path = "/raffles/3f0c1234-ab12-4cd3-9ef4-123456789abc/participate"
        headers = {"Host": "127.0.0.1", "Idempotency-Key": sent}
        testing.TestClient(app).simulate_post(path, headers=headers, remote_addr=MANAGER)

    logged = capsys.readouterr().err
    traces = [json.loads(line).get("traceback", "") for line in logged.splitlines()]
    assert (len(seen), len(traces), logged.count("ValueError: ")) == (1, 2, 1)
    for known in {sent, *seen}:
        assert known not in logged
        assert not [trace for trace in traces if known in trace or repr(known)[1:-1] in trace]


NAMES = st.text(st.characters(min_codepoint=33, categories=["L", "N", "P"]), min_size=1, max_size=30)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(participant=NAMES.map("{}~".format), invitation=KEYS)
@example(participant="Ann@Example.org", invitation="7K3M 9WQ2 4XRT HB6N 8YCD 5PVA")
def test_a_failure_that_quotes_the_body_does_not_reveal_it(
    engine: RaffleEngine, capsys: pytest.CaptureFixture[str], participant: str, invitation: str
) -> None:
    known = {participant, normalise(participant), invitation}

    def fail(*_arguments: object, **_others: object) -> None:
        raise ValueError(" or ".join(f"{text} or {text!r}" for text in known))

    app = create_app(engine, SETTINGS)
    with pytest.MonkeyPatch.context() as patched, Log("json", requests=True).written():
        patched.setattr(engine, "participate", fail)
        path = "/raffles/3f0c1234-ab12-4cd3-9ef4-123456789abc/participate"
        body = {"participant": participant, "invitation": invitation}
        testing.TestClient(app).simulate_post(path, headers={"Host": "127.0.0.1"}, remote_addr=MANAGER, json=body)

    traces = [json.loads(line).get("traceback", "") for line in capsys.readouterr().err.splitlines()]
    assert len([trace for trace in traces if "ValueError: " in trace]) == 1
    assert not [text for text in known for trace in traces if text in trace or repr(text)[1:-1] in trace]


def test_no_log_of_a_whole_raffle_has_a_secret(post: Post, engine: RaffleEngine, lines: Lines) -> None:
    terms = {"name": "Foobar", "entry": "invitation", "total_tickets": 3, "prizes": [{"name": "hug", "amount": 1}]}
    with Log("json", requests=True).written():
        raffle = post("/raffles", json=terms).json["id"]
        invitation, spare = engine.invitations(raffle, 2)
        bodies = [
            {"participant": "ann@example.org"},
            *({"invitation": code} for code in (invitation, spare, spare[1:])),
        ]
        tickets = [post(f"/raffles/{raffle}/participate", json=body).json for body in bodies]
        [win] = post(f"/raffles/{raffle}/winners").json
        winner = next(ticket for ticket in tickets if ticket.get("ticket_number") == win["ticket_number"])
        shown = {name: winner[name] for name in ("ticket_number", "verification_code")}
        for path, body in (
            *(("verify-ticket", shown), ("redeem", shown), ("redeem", shown | {"undo": True})),
            ("forfeit", shown | {"why": "renounced"}),
        ):
            assert post(f"/raffles/{raffle}/{path}", json=body).status_code == 200

    text = lines.text()
    codes = [ticket["verification_code"] for ticket in tickets[:3]]
    assert text.count("\n") == len(bodies) + 6
    assert not [secret for secret in (*codes, invitation, spare, spare[1:], "ann") if secret in text]


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_service_without_standard_error_continues(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, stream: str | None
) -> None:
    """As after `2>&-`: Python then has no stream, or a closed one."""
    closed = io.StringIO()
    closed.close()
    with ExitStack() as logging:
        # Only while the log looks for the stream, since the test's client needs one.
        with monkeypatch.context() as patched:
            patched.setattr("sys.stderr", closed if stream else None)
            logging.enter_context(Log("json", requests=True).written())
        answer = testing.TestClient(create_app(engine, SETTINGS)).simulate_get("/raffles/")

    assert answer.status_code == 200
