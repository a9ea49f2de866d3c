import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from falcon import testing

from rafflekit import InvalidSetting, StorageUnavailable
from rafflekit.http import wsgi
from tests.databases import PostgresqlServer
from tests.http.conftest import RAFFLE
from tests.live_server import surroundings
from tests.programs import run

# Parent and child each create a raffle with the same application, which has served before the fork.
FORKING = f"""
import os
from falcon import testing
from rafflekit.http.wsgi import application

def create():
    client = testing.TestClient(application, headers={{"Host": "localhost"}})
    answer = client.simulate_post("/raffles", json={RAFFLE!r}, remote_addr="127.0.0.1")
    print(answer.status_code, flush=True)

create()
child = os.fork()
if child == 0:
    print("child", flush=True)
    create()
    raise SystemExit
print(os.waitpid(child, 0)[1])
print("parent", flush=True)
create()
print(testing.TestClient(application).simulate_get("/raffles").json["count"])
"""


def test_the_application_is_made_from_the_environment(database_url: str) -> None:
    environment = {"RAFFLEKIT_DATABASE_URL": database_url, "MANAGER_IPS": "198.51.100.7"}
    client = testing.TestClient(wsgi.application_from_env(environment), headers={"Host": "localhost"})

    assert client.simulate_post("/raffles", json=RAFFLE, remote_addr="198.51.100.7").status_code == 201
    assert client.simulate_post("/raffles", json=RAFFLE, remote_addr="198.51.100.8").status_code == 403


def test_an_environment_that_cannot_be_read_makes_no_application(database_url: str) -> None:
    with pytest.raises(InvalidSetting, match="MANAGER_IPS"):
        wsgi.application_from_env({"RAFFLEKIT_DATABASE_URL": database_url, "MANAGER_IPS": "everyone"})


def test_a_shared_database_without_a_key_makes_no_application(postgresql: PostgresqlServer) -> None:
    with pytest.raises(InvalidSetting, match="RAFFLEKIT_SIGNING_KEY is not set"):
        wsgi.application_from_env({"RAFFLEKIT_DATABASE_URL": postgresql.new_url()})


def test_the_database_is_made_when_the_application_is_read(database: Path) -> None:
    program = f"""
import pathlib, rafflekit.http.wsgi as wsgi
print(pathlib.Path({str(database)!r}).exists())
from rafflekit.http.wsgi import application
print(pathlib.Path({str(database)!r}).exists(), application is wsgi.application)
"""
    environment = {"RAFFLEKIT_DATABASE_URL": f"sqlite:///{database}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "True"]
    # No journal is left, so the database was closed.
    assert sorted(database.parent.iterdir()) == [database, database.with_name(f"{database.name}.key")]


def test_a_forked_child_opens_the_database_for_itself(database_url: str) -> None:
    """In its own process, since the tests' process should not be forked while it has threads."""
    environment = {"RAFFLEKIT_DATABASE_URL": database_url, "MANAGER_IPS": "127.0.0.1"}
    done = run([sys.executable, "-c", FORKING], env=surroundings() | environment, text=True, check=True)

    assert done.stdout.split() == ["201", "child", "201", "0", "parent", "201", "3"]
    assert done.stderr == ""


def test_a_missing_database_is_a_problem_until_it_is_back(database: Path, database_url: str) -> None:
    application = wsgi.ForkSafeApplication({"RAFFLEKIT_DATABASE_URL": database_url})
    client = testing.TestClient(application)
    good = database.read_bytes()
    database.write_bytes(b"no database at all" * 1000)

    broken = client.simulate_get("/raffles")
    database.write_bytes(good)

    assert (broken.status_code, broken.json["type"]) == (503, "urn:rafflekit:problem:storage-unavailable")
    assert broken.headers["content-type"] == "application/problem+json"
    assert client.simulate_get("/raffles").status_code == 200


def test_without_a_database_there_is_no_application(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        wsgi.ForkSafeApplication({"RAFFLEKIT_DATABASE_URL": f"sqlite:///{tmp_path}/no/such/folder.db"})


def test_the_module_has_no_other_dynamic_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'app'"):
        _ = importlib.import_module("rafflekit.http.wsgi").app
