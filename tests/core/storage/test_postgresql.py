"""A PostgreSQL that is unreachable, refuses, restarts or is another program's: one sentence each, without a password.

Of several hosts, the first one that is reachable and writable is used.
"""

import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import NoReturn
from uuid import UUID

import pytest
from sqlalchemy import URL, Connection, bindparam, func, make_url, select

from rafflekit import (
    InvalidSetting,
    Prize,
    RaffleError,
    SchemaMismatch,
    State,
    StorageUnavailable,
    check_database,
)
from rafflekit.core.storage import driver
from rafflekit.core.storage import postgresql as backend
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import raffles
from tests.databases import PostgresqlServer, open_engine, run
from tests.postgresql_server import SUPERUSER, OwnServer, own_server
from tests.waiting import wait_until

PASSWORD = "hunter2@example"
GRANTS = Path(__file__).parents[3] / "docs" / "postgresql.md"


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server that asks every TCP client for this password; these tests restart it and make roles."""
    with own_server() as started:
        run(started.url(), f"ALTER ROLE {SUPERUSER} PASSWORD '{PASSWORD}'")
        yield started


def new_role(server: OwnServer, name: str) -> str:
    """Make a role that can only connect; return its URL."""
    run(server.url(), f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    return server.url(user=name, password=PASSWORD)


def new_database(server: OwnServer, name: str) -> str:
    """Make a database; return its owner's URL."""
    run(server.url(), f"CREATE DATABASE {name}")
    return server.url(password=PASSWORD, database=name)


def refusal(url: str) -> RaffleError:
    """Return the error of opening a database, after checking that it does not contain the password."""
    with pytest.raises(RaffleError) as failure:
        open_engine(url).close()
    shown = "".join(traceback.format_exception(failure.value))
    assert PASSWORD not in shown
    assert "hunter2" not in shown
    return failure.value


def test_a_password_is_in_no_url_repr_or_log(server: OwnServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with open_engine(server.url(password=PASSWORD)) as engine:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

        assert engine.database_url == f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
        for thing in (engine, engine._database, engine._database._engine, engine._database._backend):
            assert "hunter2" not in repr(thing)
    assert "hunter2" not in caplog.text


def test_a_password_in_the_query_does_not_show_either(server: OwnServer) -> None:
    url = make_url(server.url()).update_query_dict({"password": PASSWORD})

    with open_engine(url.render_as_string(hide_password=False)) as engine:
        assert "hunter2" not in engine.database_url
    assert "hunter2" not in str(refusal("mysql://host/db?password=hunter2"))


def test_a_server_that_does_not_run_is_unreachable() -> None:
    error = refusal(URL.create("postgresql", "ann", PASSWORD, "127.0.0.1", 1, "db").render_as_string(False))

    assert isinstance(error, StorageUnavailable)
    assert str(error).startswith(
        "The database postgresql://ann@127.0.0.1:1/db cannot be reached; check that it runs, and check the URL ("
    )


def test_a_wrong_password_is_reported(server: OwnServer) -> None:
    error = refusal(server.url(password="hunter2, but wrong"))

    assert isinstance(error, StorageUnavailable)
    assert "does not let this user in; check name and password (" in str(error)


def test_a_missing_database_is_reported(server: OwnServer) -> None:
    error = refusal(server.url(password=PASSWORD, database="nowhere"))

    assert isinstance(error, StorageUnavailable)
    assert "/nowhere does not exist; 'createdb' makes one (" in str(error)


def test_a_role_without_the_right_to_make_tables_is_refused(server: OwnServer) -> None:
    error = refusal(new_role(server, "guest"))

    assert isinstance(error, StorageUnavailable)
    assert "does not let this user do that; the owner of the tables can do it, or grant it (" in str(error)


def test_a_role_needs_only_the_rights_in_the_docs(server: OwnServer, caplog: pytest.LogCaptureFixture) -> None:
    owner = new_database(server, "granted")
    open_engine(owner).close()
    (grants,) = re.findall(r"```sql\n(.*?)```", GRANTS.read_text(), flags=re.DOTALL)
    guest = make_url(new_role(server, "raffle_server")).set(database="granted").render_as_string(hide_password=False)
    for statement in grants.strip().split(";\n"):
        run(owner, statement)

    with open_engine(guest) as engine:
        raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")], tickets_each=2)
        engine.change(raffle.id, prizes=[Prize("kiss")])
        ticket = engine.participate(raffle.id, "ann")
        engine.close_raffle(raffle.id)
        engine.draw(raffle.id)
        for undo in (False, True):
            assert engine.redeem(raffle.id, ticket.number, ticket.verification_code, undo=undo).has_won
        assert engine.forfeit(raffle.id, ticket.number, why="unclaimed") is None
        assert engine.list().count == 1
        assert engine.passes.find(f"rkp_{0:032}") is None
        cancelled = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")])
        engine.participate(cancelled.id, "ann")
        assert engine.cancel(cancelled.id, "rain").state is State.CANCELLED
        assert "permission denied for table tickets" in caplog.text
        run(owner, "GRANT UPDATE ON tickets TO raffle_server")
        assert engine.purge(cancelled.id) == 1
        run(owner, "GRANT INSERT, UPDATE ON passes TO raffle_server")
        assert engine.passes.make("Ann", may=["redeem"], lasts=timedelta(days=1))
        assert engine.passes.revoke("Ann").revoked_at


def test_another_programs_tables_are_not_changed(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url()
    run(url, "CREATE TABLE alembic_version (version_num text)")

    error = refusal(url)

    assert isinstance(error, SchemaMismatch)
    assert "belongs to another program; name another database, or another schema in it" in str(error)
    assert run(
        url, "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    ) == [("alembic_version",)]


def test_a_search_path_without_a_schema_is_refused(server: OwnServer) -> None:
    url = make_url(server.url()).update_query_dict({"options": "-csearch_path=nowhere"})

    error = refusal(url.render_as_string(hide_password=False))

    assert isinstance(error, SchemaMismatch)
    assert "has no schema for the tables; make the one that search_path names." in str(error)


@pytest.mark.parametrize("option", ["sslmod=require", "prepare_threshold=0", "autocommit=0", "row_factory=x"])
def test_an_unknown_option_of_postgresql_is_refused(server: OwnServer, option: str) -> None:
    error = refusal(f"{server.url(password=PASSWORD)}?{option}")

    assert isinstance(error, InvalidSetting)
    assert f"PostgreSQL knows no option '{option.partition('=')[0]}'" in str(error)


@pytest.mark.parametrize("how", ["restarted", "crashed"])
def test_at_most_one_call_fails_after_a_restart_of_the_server(server: OwnServer, how: str) -> None:
    with open_engine(new_database(server, how)) as engine:
        raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
        if how == "restarted":
            server.stop()
        else:
            server.kill()
        with pytest.raises(StorageUnavailable, match=r"being shut down or started|cannot be reached"):
            engine.participate(raffle.id, "ann")
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            engine.participate(raffle.id, "ann")
        for look in (engine.get, engine.winners, engine.draw):
            with pytest.raises(StorageUnavailable, match="cannot be reached"):
                look(raffle.id)
        server.start()

        assert engine.participate(raffle.id, "ann")
        server.stop()
        server.start()
        with suppress(StorageUnavailable):
            engine.participate(raffle.id, "bob")
        assert engine.participate(raffle.id, "cid")
        assert engine.get(raffle.id).available_tickets in (6, 7)


def fetch(opened: Database) -> object:
    return opened.fetch(raffles.RAFFLE, {"raffle": UUID(int=1)})


def send(opened: Database) -> object:
    return opened.write(lambda connection: driver.send(connection, "SELECT 1"))


def send_many(opened: Database) -> object:
    return opened.write(lambda connection: driver.send_many(connection, "SELECT %s", [(1,)]))


@pytest.mark.parametrize("ask", [fetch, send, send_many])
def test_after_a_dead_connection_no_idle_one_is_tried(server: OwnServer, ask: Callable[[Database], object]) -> None:
    all_connected = Barrier(3)

    def look(connection: Connection) -> None:
        all_connected.wait(60)
        connection.exec_driver_sql("SELECT 1")

    database = new_database(server, f"idle_{ask.__name__}")
    with closing(Database(database)) as opened, ThreadPoolExecutor(3) as pool:
        list(pool.map(opened.query, [look] * 3))
        server.stop()
        server.start()
        with pytest.raises(StorageUnavailable):
            ask(opened)

        assert list(pool.map(opened.query, [look] * 3)) == [None] * 3


def fetch_slowly(opened: Database) -> object:
    return opened.fetch(select(func.pg_sleep(bindparam("long"))), {"long": 20})


def send_slowly(opened: Database) -> object:
    return opened.write(lambda connection: driver.send(connection, "SELECT pg_sleep(20)"))


def send_many_slowly(opened: Database) -> object:
    return opened.write(lambda connection: driver.send_many(connection, "SELECT pg_sleep(%s)", [(20,)]))


@contextmanager
def broken_off(server: PostgresqlServer) -> Iterator[None]:
    """Interrupt the caller, like a worker's time-out, while the server runs a statement that sleeps."""

    def end(*_: object) -> NoReturn:
        raise TimeoutError

    def is_asleep() -> bool:
        return bool(run(server.url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))

    def watch() -> None:
        wait_until(is_asleep)
        signal.pthread_kill(caller, signal.SIGALRM)

    caller, before = threading.get_ident(), signal.signal(signal.SIGALRM, end)
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        watching.join()
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (fetch_slowly, TimeoutError),
        (send_slowly, TimeoutError),
        # If it gets that far, psycopg raises an error for a pipeline that ends while its statement still runs.
        (send_many_slowly, (TimeoutError, StorageUnavailable)),
    ],
)
def test_a_connection_interrupted_in_a_statement_is_not_reused(
    postgresql: PostgresqlServer,
    ask: Callable[[Database], object],
    expected: type[Exception] | tuple[type[Exception], ...],
) -> None:
    with closing(Database(postgresql.new_url())) as opened:
        with pytest.raises(expected), broken_off(postgresql):
            ask(opened)

        assert send(opened) == [(1,)]


def write(opened: Database) -> object:
    return opened.write(lambda connection: driver.send(connection, "DELETE FROM tickets"))


def write_many(opened: Database) -> object:
    return opened.write(lambda connection: driver.send_many(connection, "DELETE FROM tickets WHERE %s", [(True,)]))


@pytest.mark.parametrize("ask", [write, write_many])
def test_a_read_only_connection_is_not_reused(postgresql: PostgresqlServer, ask: Callable[[Database], object]) -> None:
    with closing(Database(postgresql.new_url())) as opened:
        opened.query(lambda connection: connection.exec_driver_sql("SET default_transaction_read_only = on"))
        with pytest.raises(StorageUnavailable, match="read-only"):
            ask(opened)

        ask(opened)


def test_missing_psycopg_is_reported_with_how_to_install_it() -> None:
    program = "import sys; sys.modules['psycopg'] = None; from rafflekit.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["list", "--database-url", "postgresql://ann:hunter2@host/db"]

    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "rafflekit: --database-url is 'postgresql://ann@host/db': PostgreSQL needs the extra 'postgresql'. "
        "In the clone of rafflekit, run: pip install '.[postgresql]'\n"
    )


def several_hosts(*ports: int, user: str = SUPERUSER) -> str:
    """Return a URL of several servers on this machine."""
    hosts, numbers = ",".join(["127.0.0.1"] * len(ports)), ",".join(map(str, ports))
    query = {"host": hosts, "port": numbers}
    return URL.create("postgresql", user, PASSWORD, database="postgres", query=query).render_as_string(False)


def test_the_first_reachable_host_of_several_is_used(server: OwnServer) -> None:
    with open_engine(several_hosts(1, server.port)) as engine:
        assert engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
        assert engine.database_url == f"postgresql://postgres@/postgres?host=127.0.0.1,127.0.0.1&port=1,{server.port}"


def test_a_writable_host_of_several_is_used(server: OwnServer) -> None:
    with own_server() as standby:
        run(standby.url(), f"ALTER ROLE {SUPERUSER} PASSWORD '{PASSWORD}'")
        run(standby.url(), "ALTER DATABASE postgres SET default_transaction_read_only = on")

        with open_engine(several_hosts(standby.port, server.port)) as engine:
            assert engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
        without_the_primary = refusal(several_hosts(standby.port, 1))
        without_asking = refusal(standby.url(password=PASSWORD))

    for error in (without_the_primary, without_asking):
        assert isinstance(error, StorageUnavailable)
        assert "cannot be written: it is a standby or read-only; add the primary's host to the URL" in str(error)


def test_a_silent_server_is_abandoned_but_not_a_slow_one(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "ANSWER_LIMIT_S", 2)
    with closing(Database(postgresql.new_url())) as opened:
        with pytest.raises(StorageUnavailable, match=r"cannot be reached; .* \(no answer for 2 s\)"):
            opened.query(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(20)"))

        bits = opened.query(
            lambda connection: connection.exec_driver_sql(
                "SELECT repeat('x', 20000), pg_sleep(0.25) FROM generate_series(1, 10)"
            ).all()
        )

    assert len(bits) == 10


def test_a_check_up_waits_without_limit(postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgresql.new_url()
    open_engine(url).close()
    monkeypatch.setattr(backend, "ANSWER_LIMIT_S", 1)
    with ThreadPoolExecutor() as elsewhere:
        holding = elsewhere.submit(run, url, "BEGIN; LOCK TABLE prizes; SELECT pg_sleep(2.5); COMMIT")
        wait_until(lambda: run(url, "SELECT 1 FROM pg_locks WHERE relation = 'prizes'::regclass"))

        assert check_database(url).problems == ()
        assert holding.result() is not None


def test_tcp_notices_a_machine_that_is_gone(server: OwnServer) -> None:
    url = make_url(server.url(password=PASSWORD)).update_query_dict({"keepalives_count": "9"})
    with closing(Database(url.render_as_string(hide_password=False))) as opened:
        handle = opened.query(lambda connection: connection.connection.driver_connection.fileno())
        with socket.socket(fileno=handle) as connected:
            names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            options = [connected.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
            connected.detach()

    assert options == [10, 5, 9, 30_000]
