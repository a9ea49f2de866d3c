"""Other users of the machine. Only root can act for them; without its rights, a test is skipped or runs as it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Run as the user `nobody`, who has this folder meanwhile, because root may write everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        _give(folder, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
            _give(folder, 0)


def _give(folder: Path, user: int) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, user, -1)
