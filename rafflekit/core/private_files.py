"""Files that hold secrets: no other user can read, change or plant them, and they survive a power cut once written.

A file is private if it belongs to us or to root, gives other users no right and its group at most the right to read,
and if other users cannot replace it in its folder. A private file that is written has only one name. Folders above that
one are not looked at.

Some file systems (of network folders, memory sticks, Windows) show other owners, or the same rights for every file.
There, a file is private if it looks like a new private file in the same folder.
"""

import errno
import os
import secrets
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rafflekit.core.errors import InvalidValue

_OWNER_ONLY = 0o600
_BY_UMASK = 0o666
_NOT_PRIVATE = stat.S_IRWXO | stat.S_IWGRP
_ROOT = 0

# Windows has none of these.
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)

# What systems say of a link that is not followed.
_IS_LINK = {errno.ELOOP, errno.EMLINK}


class NotPrivate(PermissionError):
    """Another user can read, change or replace a file, or has made it; `problem` says so of "it", and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(errno.EPERM, f"{path} is not private: {problem}", str(path))
        self.problem = problem


def private(path: str, flags: int) -> int:
    """Open a private file as the `opener` of `open`, or make it; links are not followed.

    Raises:
        NotPrivate: it exists and is not private.
    """
    return _opened(Path(path), flags | _NO_LINK)


def private_target(path: str, flags: int) -> int:
    """Open an existing private file as the `opener` of `open`; it may be a link, as secrets in containers are.

    Raises:
        NotPrivate: it is not private.
    """
    return _opened(Path(path), flags)


def exposure(path: Path, *, is_written: bool) -> str | None:
    """Return why a file that is opened by its name is not private; None if it is, or is missing.

    A link is followed if the file is only read.

    Raises:
        OSError: the file cannot be looked at.
    """
    try:
        return _problem(os.stat(path, follow_symlinks=not is_written), path, is_written=is_written)
    except FileNotFoundError:
        return None


def folder_exposure(folder: Path, *, holds_still: bool = True) -> str | None:
    """Return why the files in a folder are not private; None if they can be.

    In a sticky folder, such as /tmp, other users can replace no file, but they can make new ones. It is refused if
    `holds_still` is false, which is for files whose program makes other ones next to them.

    Raises:
        OSError: the folder cannot be looked at.
    """
    found = os.stat(folder)
    if sys.platform == "win32":
        return None
    # Root decides for itself in whose folder it works, as in a container that mounts one.
    is_anothers = found.st_uid != os.geteuid() and _ROOT not in (found.st_uid, os.geteuid())
    others = found.st_mode & stat.S_IWOTH
    # Few groups may write to the folder, and looking one up can mean asking a network.
    if found.st_mode & stat.S_IWGRP and _has_others(found.st_gid):
        others |= stat.S_IWGRP
    is_sticky = bool(found.st_mode & stat.S_ISVTX)
    if not is_anothers and (not others or (is_sticky and holds_still)):
        return None
    new = _new_file_in(folder)
    if new is not None and (found.st_uid == new.st_uid if is_anothers else bool(new.st_mode & stat.S_IWOTH)):
        return None
    if is_anothers:
        return f"its folder {folder} belongs to another user (number {found.st_uid}); use a folder of your own"
    if is_sticky:
        return f"other users can make files in its folder {folder}; use a folder of your own"
    whose = ("g" if others & stat.S_IWGRP else "") + ("o" if others & stat.S_IWOTH else "")
    command = f"chmod {whose}-w {shlex.quote(str(folder))}"
    return f"other users can replace files in its folder {folder}; run '{command}', or use another folder"


def _has_others(group: int) -> bool:
    """Return whether a group lists another member than this user; a user's own group does not."""
    import grp
    import pwd

    try:
        return bool({*grp.getgrgid(group).gr_mem} - {pwd.getpwuid(os.geteuid()).pw_name})
    except KeyError:
        return False


def _opened(path: Path, flags: int) -> int:
    assert not flags & os.O_TRUNC, "it would delete the content of a file that is not private"
    _refuse(path, folder_exposure(path.parent))
    if flags & os.O_CREAT:
        try:
            return os.open(path, flags | os.O_EXCL, _OWNER_ONLY)
        except FileExistsError:
            if flags & os.O_EXCL:
                raise
    try:
        # A pipe that someone has put there would never open.
        descriptor = os.open(path, flags & ~os.O_CREAT | _NO_WAIT)
    except OSError as error:
        if flags & _NO_LINK and error.errno in _IS_LINK:
            raise NotPrivate(path, "it is a symbolic link; name the file itself") from error
        raise
    try:
        is_written = bool(flags & (os.O_WRONLY | os.O_RDWR))
        _refuse(path, _problem(os.fstat(descriptor), path, is_written=is_written))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse(path: Path, problem: str | None) -> None:
    if problem is not None:
        raise NotPrivate(path, problem)


def _problem(found: os.stat_result, path: Path, *, is_written: bool) -> str | None:
    if stat.S_ISLNK(found.st_mode):
        return "it is a symbolic link; name the file itself"
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    if os.name == "nt":
        return None
    if is_written and found.st_nlink > 1:
        return "it has another name too (a hard link), under which it would change as well; copy it to a new file"
    return _others_right(found, path)


def _others_right(found: os.stat_result, path: Path) -> str | None:
    is_ours, rights = found.st_uid in (os.geteuid(), _ROOT), found.st_mode & _NOT_PRIVATE
    if is_ours and not rights:
        return None
    new = _new_file_in(path.parent)
    if new is not None:
        is_ours, rights = is_ours or found.st_uid == new.st_uid, rights & ~new.st_mode
    if not is_ours:
        # If root took over a service's file, the service could no longer open it.
        way_out = (
            f"run this as that user (sudo -u '#{found.st_uid}' …)"
            if os.geteuid() == _ROOT
            else "if you trust its content, take it over with 'chown'"
        )
        return f"it belongs to another user (number {found.st_uid}); name another file or {way_out}"
    shown, where = f"mode {stat.S_IMODE(found.st_mode):04o}", shlex.quote(str(path))
    if rights & (stat.S_IWOTH | stat.S_IWGRP):
        return f"other users can change it ({shown}); if you trust its content, run 'chmod g-w,o= {where}'"
    return f"other users can read it ({shown}); run 'chmod o= {where}'" if rights else None


def _new_file_in(folder: Path) -> os.stat_result | None:
    """Return how a new private file in a folder looks; None if none can be made there."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno())
    except OSError:
        return None


def require_folder(file: Path, *, field: str) -> None:
    """Check that the folder for a file exists.

    Raises:
        InvalidValue: for `field`.
    """
    if not file.parent.is_dir():
        raise InvalidValue(field, f"there is no folder {file.parent}.")


@contextmanager
def partial_file(path: Path, *, is_private: bool = True) -> Iterator[Path]:
    """Yield a new empty file next to `path`. Rename or link it to `path` once it is complete; otherwise it is deleted.

    Raises:
        NotPrivate: it is to be private, and other users can replace files there.
        OSError: the file cannot be created.
    """
    if is_private:
        _refuse(path, folder_exposure(path.parent))
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY if is_private else _BY_UMASK))
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
