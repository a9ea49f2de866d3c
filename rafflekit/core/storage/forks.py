"""Close connections before a fork, so that no child inherits one.

SQLite's locks belong to the process: a child that inherits an open file believes that it holds locks on it, and two
processes then write at the same time (https://sqlite.org/howtocorrupt.html, 2.6). If connections are in use during the
fork, the child cannot use its databases.
"""

import os
from typing import Protocol
from weakref import WeakSet

from rafflekit.core.errors import StorageUnavailable


class Forkable(Protocol):
    """A database whose process may fork."""

    def before_fork(self) -> bool:
        """Close all connections; return True if some are in use."""

    def after_fork(self) -> None:
        """Start afresh in the child."""


_watched: WeakSet[Forkable] = WeakSet()
_were_in_use = False
_inherited_in_use = False


def watch(database: Forkable) -> None:
    """Let a database take part in future forks."""
    _watched.add(database)


def check_inheritance(name: str) -> None:
    """Check that this process inherited no connection in use.

    Raises:
        StorageUnavailable: it did.
    """
    if _inherited_in_use:
        raise StorageUnavailable(
            f"{name} was in use when this process was forked off; spawn it instead, or fork before the first request."
        )


def _before() -> None:
    global _were_in_use  # noqa: PLW0603 - a process has one past
    in_use = [database.before_fork() for database in list(_watched)]
    _were_in_use = any(in_use)


def _in_child() -> None:
    global _inherited_in_use  # noqa: PLW0603
    _inherited_in_use = _inherited_in_use or _were_in_use
    for database in list(_watched):
        database.after_fork()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_in_child)
