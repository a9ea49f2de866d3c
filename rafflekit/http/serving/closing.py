"""`due_raffles_closed`: while a server runs, a thread closes the raffles whose time is over."""

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.errors import RaffleError
from rafflekit.http.monitoring.redaction import redacted

_EVERY_S = 2.0
_COMPLAINT_EVERY_S = 60.0

# A check that waits for a locked database is abandoned: the process ends soon, and a transaction ends with it.
_LAST_LOOK_S = 2.0

_log = logging.getLogger(__name__)


@contextmanager
def due_raffles_closed(engine: RaffleEngine) -> Iterator[None]:
    """Look every two seconds for raffles to close, in a thread that ends with this context.

    What fails is logged, at most once a minute, and tried again. Any number of servers may do this for one database.
    """
    stopping = threading.Event()
    thread = threading.Thread(target=_close_until, args=(engine, stopping), name="closing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(_LAST_LOOK_S)


def _close_until(engine: RaffleEngine, stopping: threading.Event) -> None:
    quiet_until = 0.0
    while not stopping.wait(_EVERY_S):
        try:
            engine.close_due()
        # The outermost edge: without this thread, no raffle would be closed until the server is started again.
        except Exception as error:
            now = time.monotonic()
            if now < quiet_until:
                continue
            quiet_until = now + _COMPLAINT_EVERY_S
            _log.error("The raffles whose time is over cannot be closed; the server tries again: %s", _shown(error))


def _shown(error: Exception) -> str:
    return str(error) if isinstance(error, RaffleError) else redacted("".join(traceback.format_exception(error)))
