"""Files that commands write with `--out`: whole or not at all, and over another file only where a command says so."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rafflekit.cli import terminal
from rafflekit.cli.failures import IO_FAILED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import refuse_standard_output
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.core.private_files import NotPrivate, partial_file, require_folder, sync, sync_name


def check_new(path: Path, *, option: str = "--out", may_exist: bool = False) -> None:
    """Check that a new file can have this name; for commands in which it takes long until the file is written.

    Raises:
        CommandStopped: the name is taken, unless it `may_exist`; or it is `-`.
        InvalidValue: there is no such folder.
    """
    refuse_standard_output(option, path)
    if os.path.lexists(path) and not may_exist:
        raise _taken(path, option)
    require_folder(path, field=option)


@contextmanager
def new_file(path: Path, *, is_private: bool, option: str = "--out", is_replaced: bool = False) -> Iterator[BinaryIO]:
    """Give a file that gets its name once it is complete; without success, nothing is left of it.

    Only its owner can read a private file, and its folder has to be safe from other users. If a file of this name
    `is_replaced`, it stays until the new one is complete.

    Raises:
        CommandStopped: the name is taken or is `-`, or the file cannot be written.
        InvalidValue: there is no such folder.
        NotPrivate: a private file cannot be kept private there.
    """
    check_new(path, option=option, may_exist=is_replaced)
    complete: os.stat_result | None = None
    try:
        with ending_as_with_ctrl_c(), partial_file(path, is_private=is_private) as partial:
            with partial.open("wb") as file:
                yield file
            with partial.open("ab") as written:
                sync(written, partial)
                complete = os.fstat(written.fileno())
            _name(partial, path, is_replaced=is_replaced)
            sync_name(path)
    except KeyboardInterrupt:
        # A signal can come when the file has its name already.
        terminal.remark(f"{path} was {'written' if _is_named(complete, path) else 'not written'}.")
        raise
    except FileExistsError as error:
        raise _taken(path, option) from error
    except NotPrivate:
        raise
    except OSError as error:
        raise CommandStopped(f"{option}: {path} cannot be written: {error.strerror}.", status=IO_FAILED) from error


def _name(partial: Path, path: Path, *, is_replaced: bool) -> None:
    if is_replaced:
        partial.replace(path)
        return
    try:
        # Unlike a rename, a link never replaces a file that someone else has made meanwhile.
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:
        # File systems of memory sticks have no links.
        partial.rename(path)


def _is_named(complete: os.stat_result | None, path: Path) -> bool:
    return complete is not None and path.exists() and os.path.samestat(complete, path.stat())


def _taken(path: Path, option: str) -> CommandStopped:
    what = "is a folder; name a file in it" if path.is_dir() else "already exists; name a new file"
    return CommandStopped(f"{option}: {path} {what}.", status=WRONG_USAGE)
