"""Stored data reveals no code, no participant and, before the draw, no winner."""

import base64
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.winners import winning_serials
from rafflekit.core.settings import Settings
from rafflekit.core.storage.schema import metadata
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.log_lines import Log
from tests.databases import PostgresqlServer, run
from tests.live_server import Serve
from tests.raffles import keys_of, sell_all, stored_bytes

SIGNER = SignerKey.make("raffles.example.org")
KEY = "a key that only its sender knows"


def spellings(code: str) -> list[bytes]:
    """A verification code as it might be written: with and without dashes, in either case, as raw bytes, in hex."""
    plain = code.replace("-", "")
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    raw = int("".join(f"{crockford.index(character):05b}" for character in plain), 2).to_bytes(15, "big")
    texts = [code, plain, raw.hex(), base64.b64encode(raw).decode(), base64.b32encode(raw).decode()]
    return [raw, *(form.encode() for text in texts for form in (text, text.lower(), text.upper()))]


def test_no_code_participant_or_idempotency_key_is_stored(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = engine.create("Foobar", total_tickets=30, prizes=[Prize("hug", 3)])
        tickets = sell_all(engine, engine.create("Other", total_tickets=5, prizes=[Prize("hug")]))
        for n in range(30):
            key = f"{KEY} {n}" if n % 2 else None
            tickets.append(engine.participate(raffle.id, f"203.0.113.{n}", idempotency_key=key))
        invited = engine.create("Invited", total_tickets=5, prizes=[Prize("hug")], entry="invitation")
        invitations = engine.invitations(invited.id, 3)
        tickets.append(engine.participate(invited.id, invitation=invitations[0]))
        before_the_draw = stored_bytes(database)
        engine.draw(raffle.id)
        after_the_draw = stored_bytes(database)

    assert b"$argon2id$" in before_the_draw
    for stored in (before_the_draw, after_the_draw, stored_bytes(database)):
        codes = [*invitations, *(ticket.verification_code for ticket in tickets)]
        assert not [spelling for code in codes for spelling in spellings(code) if spelling in stored]
        assert b"203.0.113." not in stored
        assert KEY.encode() not in stored


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_a_copy_of_the_database_alone_opens_no_secret(database: Path, postgresql: PostgresqlServer, kind: str) -> None:
    """Without the key's file it tells neither coming numbers nor, by trying out addresses, participants."""
    url = f"sqlite:///{database}" if kind == "SQLite" else postgresql.new_url()
    with RaffleEngine(url, signing_key=SIGNER) as engine:
        raffles = [engine.create(f"Raffle {n}", total_tickets=20, prizes=[Prize("hug", 3)]) for n in range(3)]
        for raffle in raffles:
            for person in range(5):
                engine.participate(raffle.id, f"203.0.113.{person}", idempotency_key=f"{KEY} {person}")
        keys = [key for raffle in raffles for key in astuple(keys_of(engine, raffle))]
        assert len(set(keys)) == 9
        stored = stored_bytes(database) if kind == "SQLite" else dumped(url)

    assert all(raffle.id.hex in stored.hex() or str(raffle.id).encode() in stored for raffle in raffles)
    assert not [part for key in keys for part in parts_of(key) if part in stored]
    assert SIGNER.private.private_bytes_raw() not in stored
    assert SIGNER.write().encode() not in stored


def dumped(url: str) -> bytes:
    """Return every value of every row of a PostgreSQL database, bytes as bytes."""
    rows = [row for table in metadata.sorted_tables for row in run(url, f"SELECT * FROM {table.name}")]
    return b"|".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)


LOGGING_SERVERS = {
    "waitress, JSON": ("--log-format", "json"),
    "Granian, for people": ("--log-format", "human", "--server", "granian", "--workers", "2"),
}


@pytest.mark.parametrize("arguments", LOGGING_SERVERS.values(), ids=LOGGING_SERVERS)
def test_over_http_a_code_is_only_in_its_own_answer(database: Path, serve: Serve, arguments: tuple[str, ...]) -> None:
    server = serve(*arguments, MANAGER_IPS="127.0.0.1")
    body = {"name": "Foobar", "total_tickets": 12, "prizes": [{"name": "hug", "amount": 4}]}
    raffle = server.request("POST", "/raffles/", body).json["id"]
    paths = ("/raffles/", f"/raffles/{raffle}/", f"/raffles/{raffle}/winners/")
    path = f"/raffles/{raffle}/participate/"

    tickets, others = [], []
    for n in range(1, 13):
        keyed = {"Idempotency-Key": f"{KEY} {n}".replace(" ", "-")}
        tickets.append(server.request_from(f"127.0.1.{n}", "POST", path, None, **keyed))
        others += [server.request_from(f"127.0.1.{n}", "POST", path), *(server.request("GET", each) for each in paths)]
    others += [server.request("POST", f"/raffles/{raffle}/winners/") for _ in range(2)]
    for ticket in tickets:
        number, code = ticket.json["ticket_number"], ticket.json["verification_code"]
        for tried in (number, number % 12 + 1):
            verification = {"ticket_number": tried, "verification_code": code}
            others.append(server.request("POST", f"/raffles/{raffle}/verify-ticket/", verification))
    others += [server.request("GET", each) for each in paths]
    server.stop()

    # Every request has its line, and no line has a whole address.
    log = server.log.read_text()
    requests = [line for line in log.splitlines() if " ms " in line or "rafflekit.requests" in line]
    # Another worker may just have read the journal that the draw empties.
    assert not [line for line in server.complaints().splitlines() if line not in requests and "is in use" not in line]
    assert len(requests) == len(tickets) + len(others) + 1
    assert log.count("/raffles/{raffle_id}/participate") == 24
    assert log.count("127.0.1.0/24") == 24
    assert not re.search(r"127\.0\.\d\.[1-9]", log)

    assert {ticket.status for ticket in tickets} == {201}
    assert {answer.status for answer in others} == {200, 201, 400, 403, 410}
    said = b"".join(repr(answer.headers).encode() + answer.body for answer in others)
    written = said + server.log.read_bytes() + stored_bytes(database)
    for ticket in tickets:
        code = ticket.json["verification_code"]
        assert not [spelling for spelling in spellings(code) if spelling in written]
        assert [other for other in tickets if code.encode() in other.body] == [ticket]
    assert KEY.replace(" ", "-").encode() not in server.log.read_bytes() + stored_bytes(database)


@pytest.mark.parametrize("form", ["human", "json"])
def test_an_unforeseen_failure_logs_no_secret(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: Any
) -> None:
    """The errors contain everything in the request, and everything that the engine would have answered."""
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")])
    client = testing.TestClient(create_app(engine, Settings()), headers={"Host": "127.0.0.1"})
    key, addresses = KEY.replace(" ", "-"), ("203.0.113.77", "2001:db8:1:2::3", "::ffff:198.51.100.7")
    codes = []

    def fail_after(method: str) -> None:
        done = getattr(engine, method)

        def failing(*given: Any, **named: Any) -> None:
            outcome = done(*given, **named)
            codes.append(getattr(outcome, "verification_code", given[-1]))
            raise KeyError(given, named, outcome, codes) from ValueError(f"{given} {named} {codes[-1].lower()}")

        monkeypatch.setattr(engine, method, failing)

    fail_after("participate")
    with Log(form, requests=True).written():
        for address in addresses:
            path = f"/raffles/{raffle.id}/participate"
            client.simulate_post(path, remote_addr=address, headers={"Idempotency-Key": f'"{key}"'})
        engine.draw(raffle.id)
        fail_after("verify")
        for number in (1, 2, 3):
            given = {"ticket_number": number, "verification_code": codes[number - 1]}
            client.simulate_post(f"/raffles/{raffle.id}/verify-ticket?x={codes[0]}", json=given)

    log = capsys.readouterr().err
    assert log.count("KeyError") >= len(addresses)
    assert "203.0.113.0/24" in log
    assert not [secret for secret in (key, *addresses, "198.51.100.7") if secret in log]
    assert not [spelling for code in codes for spelling in spellings(code) if spelling in log.encode()]


@pytest.mark.parametrize("arguments", [("draw",), ("cancel", "No stage.")], ids=["draw", "cancellation"])
def test_an_end_removes_the_secrets_from_file_and_journal(
    database: Path, engine: RaffleEngine, arguments: tuple[str, ...]
) -> None:
    raffle = engine.create("Foobar", total_tickets=40, prizes=[Prize("hug", 3)])
    sell_all(engine, raffle)
    with closing(sqlite3.connect(database)) as connection:
        (sealed,) = connection.execute("SELECT sealed FROM secrets").fetchone()
    assert sealed in stored_bytes(database)

    with RaffleEngine(f"sqlite:///{database}") as another_session:
        another_session.list()
        method, *given = arguments
        getattr(engine, method)(raffle.id, *given)
        stored = stored_bytes(database)

    # Not even a part of them: a page that was half overwritten would keep some.
    assert not [part for part in parts_of(sealed) if part in stored]


def test_only_raffles_that_are_not_drawn_keep_their_secrets(database: Path, engine: RaffleEngine) -> None:
    """Enough raffles for the pages of secrets to be split and joined, drawn in a different order."""
    raffles = [engine.create(f"Raffle {n}", total_tickets=1, prizes=[Prize("hug")]) for n in range(300)]
    with closing(sqlite3.connect(database)) as connection:
        keys = dict(connection.execute("SELECT raffle, sealed FROM secrets").fetchall())
    drawn = sorted(raffles, key=lambda raffle: raffle.id)[::2]
    for raffle in drawn:
        engine.participate(raffle.id, "ann")
        engine.draw(raffle.id)

    stored = stored_bytes(database)

    left = {raffle.id for raffle in raffles if any(part in stored for part in parts_of(keys[raffle.id.bytes]))}
    assert left == {raffle.id for raffle in raffles} - {raffle.id for raffle in drawn}


def parts_of(secret: bytes) -> list[bytes]:
    """Cut a secret into pieces of 8 bytes: not even one may be left."""
    return [secret[at : at + 8] for at in range(0, len(secret) - 7, 4)]


def test_secrets_go_once_the_journals_reader_is_done(
    database: Path, engine: RaffleEngine, caplog: pytest.LogCaptureFixture
) -> None:
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug", 3)])
    sell_all(engine, raffle)
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        (secret,) = reader.execute("SELECT sealed FROM secrets").fetchone()
        engine.draw(raffle.id)
        reader.execute("ROLLBACK")
    assert "is in use" in caplog.text
    assert secret in stored_bytes(database)

    engine.list()

    assert secret not in stored_bytes(database)


def test_nothing_stored_before_the_draw_determines_who_wins(tmp_path: Path) -> None:
    """Two copies of one sold-out raffle are drawn. A coincidence of 10 winners out of 50: 1 in 3.7·10¹⁶."""
    original, copy = tmp_path / "original.db", tmp_path / "copy.db"
    with RaffleEngine(f"sqlite:///{original}") as engine:
        raffle = engine.create("Foobar", total_tickets=50, prizes=[Prize("hug", 10)])
        sell_all(engine, raffle)
    shutil.copyfile(original, copy)
    # Without the key that signed the tickets nothing is drawn.
    shutil.copyfile(f"{original}.key", f"{copy}.key")

    draws = []
    for database in (original, copy):
        with RaffleEngine(f"sqlite:///{database}") as engine:
            draws.append([win.ticket_number for win in engine.draw(raffle.id)])

    assert draws[0] != draws[1]


def test_a_draw_can_be_replayed_from_its_stored_seed(database: Path, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=50, prizes=[Prize("hug", 10)])
    numbers = [ticket.number for ticket in sell_all(engine, raffle)]
    wins = engine.draw(raffle.id)
    with closing(sqlite3.connect(database)) as connection:
        (seed,) = connection.execute("SELECT seed FROM raffles").fetchone()

    assert [numbers[serial] for serial in winning_serials(seed, tickets=50, wins=10)] == [
        win.ticket_number for win in wins
    ]


@pytest.mark.parametrize("tickets", [1, 2])
def test_every_draw_has_its_own_seed(database: Path, engine: RaffleEngine, tickets: int) -> None:
    for _ in range(5):
        raffle = engine.create("Foobar", total_tickets=tickets, prizes=[Prize("hug")])
        sell_all(engine, raffle)
        engine.draw(raffle.id)

    with closing(sqlite3.connect(database)) as connection:
        seeds = {bytes(seed) for (seed,) in connection.execute("SELECT seed FROM raffles")}
    assert len(seeds) == 5
    assert {len(seed) for seed in seeds} == {32}
