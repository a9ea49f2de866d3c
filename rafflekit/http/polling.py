"""How an answer tells waitress that its client asks again only after a while, so that the connection ends with it.

waitress looks at every open connection in every turn of its loop. The connections of 2,000 phones that wait for their
next look at a raffle would more than halve the number of tickets that it hands out per second.
"""

from collections.abc import MutableMapping
from typing import Any

_ASKS_LATER = "rafflekit.asks_later"


def end_connection(environ: MutableMapping[str, Any]) -> None:
    """Ask the server to end the connection after this answer; servers that do not know of it keep the connection."""
    # An application must not send the header Connection itself (PEP 3333).
    environ[_ASKS_LATER] = True


def is_to_end(environ: MutableMapping[str, Any]) -> bool:
    """Return whether the application asked for that."""
    return _ASKS_LATER in environ
