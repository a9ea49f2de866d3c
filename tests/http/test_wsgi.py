import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from falcon import testing

from rafflekit import InvalidSetting
from rafflekit.http import wsgi
from tests.http.conftest import RAFFLE


def test_the_application_is_made_from_the_environment(database_url: str) -> None:
    environment = {"RAFFLEKIT_DATABASE_URL": database_url, "MANAGER_IPS": "198.51.100.7"}
    client = testing.TestClient(wsgi.application_from_env(environment), headers={"Host": "localhost"})

    assert client.simulate_post("/raffles", json=RAFFLE, remote_addr="198.51.100.7").status_code == 201
    assert client.simulate_post("/raffles", json=RAFFLE, remote_addr="198.51.100.8").status_code == 403


def test_an_environment_that_cannot_be_read_makes_no_application(database_url: str) -> None:
    with pytest.raises(InvalidSetting, match="MANAGER_IPS"):
        wsgi.application_from_env({"RAFFLEKIT_DATABASE_URL": database_url, "MANAGER_IPS": "everyone"})


def test_importing_opens_nothing_and_asking_for_the_application_opens_once(database: Path) -> None:
    program = f"""
import pathlib, rafflekit.http.wsgi as wsgi
print(pathlib.Path({str(database)!r}).exists())
from rafflekit.http.wsgi import application
print(pathlib.Path({str(database)!r}).exists(), application is wsgi.application)
"""
    environment = {"RAFFLEKIT_DATABASE_URL": f"sqlite:///{database}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "True"]
    # Closed when the process ended: no journal is left.
    assert list(database.parent.iterdir()) == [database]


def test_the_module_has_no_other_surprises() -> None:
    with pytest.raises(AttributeError, match="no attribute 'app'"):
        _ = importlib.import_module("rafflekit.http.wsgi").app
