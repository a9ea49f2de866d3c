"""Files that hold secrets: only their owner can ever read them, and they survive a power cut once written."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rafflekit.core.errors import InvalidValue

_OWNER_ONLY = 0o600


def private(path: str, flags: int) -> int:
    """Open a file as the `opener` of `open`; only the owner can read a file that this creates."""
    return os.open(path, flags, _OWNER_ONLY)


def require_folder(file: Path, *, field: str) -> None:
    """Check that the folder for a file exists.

    Raises:
        InvalidValue: for `field`.
    """
    if not file.parent.is_dir():
        raise InvalidValue(field, f"there is no folder {file.parent}.")


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Yield a new empty file next to `path`. Rename or link it to `path` once it is complete; otherwise it is deleted.

    Raises:
        OSError: the file cannot be created.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".partial")
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def sync_name(path: Path) -> None:
    """Wait until the name of this file is safe from a power cut."""
    if os.name == "nt":  # Windows keeps names with their files, and opens no folder.
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync(file: IO[bytes] | IO[str], path: Path) -> None:
    """Wait until the content of `file` and its name `path` are safe from a power cut."""
    file.flush()
    os.fsync(file.fileno())
    sync_name(path)


def lock(file: IO[bytes], *, waits: bool) -> None:
    """Lock an open file against other processes until it is closed. Windows has no such locks: there it stays unlocked.

    Raises:
        BlockingIOError: another process has locked it, and this one does not wait for that to end.
        OSError: it cannot be locked.
    """
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
