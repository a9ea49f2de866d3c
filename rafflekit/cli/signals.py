"""Signals that end a command: a command that leaves something to delete lets them do what Ctrl-C does.

By default, they kill the process at once, and its temporary files are not deleted.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rafflekit.cli.failures import Terminated

# A system that shuts down sends SIGTERM, a terminal that is closed sends SIGHUP. Windows has no SIGHUP.
_ENDING_SIGNALS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@contextmanager
def ending_as_with_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated`, a subclass of Ctrl-C's exception; a second SIGTERM kills.

    A signal that is ignored stays ignored: `nohup rafflekit backup copy.db` outlives its terminal.
    """
    has_ended = False

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal has_ended
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
        # Both may come, and SIGHUP twice, from the shell and from the system. A second one must not interrupt what the
        # first one started.
        if not has_ended:
            has_ended = True
            raise Terminated(number)

    # Python delivers signals only to the main thread.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = [number for number in _ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
