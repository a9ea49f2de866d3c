"""`listening_unix_socket`: a socket that only a proxy on the same machine reaches, and only its group.

A port of 127.0.0.1 is open to every account of the machine, and a trusted proxy may say who its clients are. The file
of a socket has an owner and a mode. What is at its path and was not made by a server of this account is never deleted.
"""

import errno
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rafflekit.core.private_files import folder_exposure
from rafflekit.http.serving.listening import CannotServe

_MODE = 0o660
"""For this account and the group of the proxy."""


class UnixSocket(NamedTuple):
    """Where a server listens instead of at a host and a port; without a `group`, the file has this account's."""

    path: Path
    group: str | None = None


@contextmanager
def listening_unix_socket(where: UnixSocket) -> Iterator[socket.socket]:
    """Give a socket that listens; its file is removed afterwards.

    The file that a killed server left there is replaced.

    Raises:
        CannotServe: another server is listening there, the path is taken by something else, it cannot be created, or
            the group does not exist or cannot be given to it.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise CannotServe("This system has no Unix sockets; use --host and --port.")
    path = where.path.absolute()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _check_folder(path)
        _remove_leftover(path)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise CannotServe(_why_not(error, path)) from error
        own = _identity(path)
        try:
            # No one can connect before it listens, so no one can with another mode or group.
            path.chmod(_MODE)
            if where.group is not None:
                _give_to(where.group, path)
            listener.listen()
            yield listener
        finally:
            # A server that was started while this one was stopping may have replaced it.
            with suppress(FileNotFoundError):
                if _identity(path) == own:
                    path.unlink()


def _check_folder(path: Path) -> None:
    with suppress(OSError):  # `bind` says why.
        problem = folder_exposure(path.parent, holds_still=False)
        if problem is not None:
            raise CannotServe(f"The socket {str(path)!r} would not be private: {problem}.")


def _remove_leftover(path: Path) -> None:
    try:
        found = path.lstat()
    except OSError:
        # `bind` says why, if that is a problem.
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise CannotServe(f"There is something other than a socket at {str(path)!r}; choose another path.")
    if found.st_uid != os.geteuid():
        raise CannotServe(f"The socket {str(path)!r} belongs to another user; choose another path.")
    if _is_in_use(path):
        raise CannotServe(f"Another server is listening at {str(path)!r}; stop it, or choose another path.")
    path.unlink(missing_ok=True)


def _is_in_use(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A server with a full queue would keep it waiting.
        probe.setblocking(False)
        return probe.connect_ex(str(path)) not in (errno.ECONNREFUSED, errno.ENOENT)


def _give_to(group: str, path: Path) -> None:
    try:
        shutil.chown(path, group=group)
    except LookupError as error:
        raise CannotServe(f"This system has no group {group!r}.") from error
    except PermissionError as error:
        raise CannotServe(
            f"The socket cannot be given to the group {group!r}, because this account is not in it."
        ) from error


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _why_not(error: OSError, path: Path) -> str:
    # Python's own error for a path that is too long has no number.
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"The socket {str(path)!r} cannot be created: {reason}."
