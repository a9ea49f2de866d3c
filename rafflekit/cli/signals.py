"""The signals that end a command which has to clear up: they do what Ctrl-C does.

Left alone, they end a process on the spot, and what it was about to clear away stays.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rafflekit.cli.failures import Terminated

# A system that shuts down sends the one, a terminal that is closed the other, which Windows does not have.
_ENDING_SIGNALS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@contextmanager
def ending_as_with_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated`, a child of Ctrl-C's exception; a second SIGTERM kills.

    What is ignored stays so: `nohup rafflekit backup copy.db` outlives its terminal.
    """
    has_ended = False

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal has_ended
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
        # Both may come, and SIGHUP twice, from the shell and from the system: that must not break the clearing up.
        if not has_ended:
            has_ended = True
            raise Terminated(number)

    # A program that calls `main` in another thread gets no signals there.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in _ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
