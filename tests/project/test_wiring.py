"""The command line and the HTTP service use the real engine, entropy, clock and hashes, never a test double."""

import inspect
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rafflekit import RaffleEngine
from rafflekit.cli import main
from rafflekit.core import limits
from rafflekit.core.protocol.codes import CodeHasher, spell
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.serving import waitress_server


def test_the_engine_uses_real_randomness_and_the_real_clock() -> None:
    parameters = inspect.signature(RaffleEngine).parameters

    assert parameters["random_bytes"].default is secrets.token_bytes
    assert abs(parameters["clock"].default() - datetime.now(UTC)) < timedelta(seconds=5)
    assert parameters["code_hasher"].default is None


def test_serve_uses_the_engine_without_changes(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    given: dict[str, Any] = {}

    def engine_of_the_server(self: RaffleEngine, *arguments: Any, **keywords: Any) -> None:
        given.update(keywords, url=arguments[0])
        original(self, *arguments, **keywords)

    original = RaffleEngine.__init__
    monkeypatch.setattr(RaffleEngine, "__init__", engine_of_the_server)
    monkeypatch.setattr(waitress_server, "run_waitress", lambda engine, *_, **__: given.update(engine=engine))
    monkeypatch.delenv("RAFFLEKIT_ARGON2_MEMORY_KIB", raising=False)

    assert main(["serve", "--port", "0", "--database-url", database_url]) == 0

    assert type(given.pop("engine")) is RaffleEngine
    # The metrics count what is stored.
    assert given.pop("on_group").__self__.__class__ is Metrics
    assert given == {
        "url": database_url,
        "code_hasher": None,
        "signing_key": None,
        "beacons": None,
        "ipv6_prefix": limits.IPV6_PREFIX,
    }


def test_without_settings_codes_are_hashed_with_argon2id(engine: RaffleEngine) -> None:
    assert type(engine._hasher) is CodeHasher
    assert engine._hasher.hash_all([spell(bytes(15))])[0].startswith("$argon2id$")


@pytest.mark.parametrize("module", ["rafflekit", "rafflekit.core.engine", "rafflekit.http.wsgi", "rafflekit.cli"])
def test_importing_opens_nothing_and_starts_nothing(module: str, tmp_path: Path) -> None:
    """In a new process, with an environment that would be refused if it were read."""
    code = f"import threading, {module}; assert threading.active_count() == 1"
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "MANAGER_IPS": "nonsense", "PATH": ""}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

    assert list(tmp_path.iterdir()) == []
