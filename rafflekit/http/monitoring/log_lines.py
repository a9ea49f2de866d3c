"""How the lines of a server's log look: for people, or one JSON object per line; on standard error.

rafflekit's own messages are written so that they contain no secrets; those of other libraries go through `redacted`.
"""

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from json import JSONEncoder
from typing import Any, Literal, NamedTuple, Protocol, TextIO, runtime_checkable

import msgspec

from rafflekit.http.monitoring.redaction import redacted

_REQUESTS = logging.getLogger("rafflekit.requests")
_SERVERS = logging.getLogger("rafflekit.http.serving")

# Plain ASCII, so that every message fits on one line and can be written.
_encoded = JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


@runtime_checkable
class Event(Protocol):
    """What is logged by its fields instead of a message; `str` of it is the text for people."""

    def fields(self) -> dict[str, Any]:
        """Return the fields of the JSON line."""


class Log(NamedTuple):
    """How the log is written: in which form, and whether with a line for every request."""

    form: Literal["human", "json"] = "human"
    requests: bool = False

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write what this process logs to standard error; afterwards, everything is as before."""
        handler = _Lines(_JsonLine() if self.form == "json" else _HumanLine())
        root = logging.getLogger()
        # What a server reports about itself is always written, requests only on demand.
        informed = (_SERVERS, _REQUESTS) if self.requests else (_SERVERS,)
        before = [(logger, logger.level) for logger in informed]
        root.addHandler(handler)
        for logger in informed:
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            for logger, level in before:
                logger.setLevel(level)
            root.removeHandler(handler)


def requests_are_logged() -> bool:
    """Return whether `log_request` writes anything; if not, its event need not be made."""
    return _REQUESTS.isEnabledFor(logging.INFO)


def log_request(event: Event) -> None:
    """Log a request with the logger `rafflekit.requests`, however the program has configured it."""
    # Not `info`, which looks up the place in the source each time; that is a third of the cost.
    _REQUESTS.handle(logging.LogRecord(_REQUESTS.name, logging.INFO, __file__, 0, event, None, None))


class _Lines(logging.Handler):
    """Write lines to standard error, each in one piece: several processes may share it."""

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(form)
        self._stream: TextIO | None = sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{self.format(record)}\n"
        # A full disk, a reader that has gone, a stream that is closed (ValueError) or missing: the service continues
        # without a log.
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.write(line)


class _JsonLine(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"time": _time_of(record), "level": record.levelname.lower(), "logger": record.name}
        if record.name == _REQUESTS.name:
            # Its text is our own, so it needs no escapes; and it must be fast.
            event: Any = record.msg
            return msgspec.json.encode(fields | event.fields()).decode()
        message = record.msg.fields() if isinstance(record.msg, Event) else {"message": _message(record)}
        return _encoded(fields | message)


class _HumanLine(logging.Formatter):
    """A line, or several with all but the first indented, so that no message can imitate a line of the log."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == _REQUESTS.name:
            return f"{_time_of(record)} {record.msg}"
        return f"{_time_of(record)} {record.levelname} {_visible(_message(record))}"


def _time_of(record: logging.LogRecord) -> str:
    return f"{_second_shown(int(record.created))}.{int(record.msecs):03}Z"


@lru_cache(maxsize=1)
def _second_shown(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1]:
        text = f"{text}\n{''.join(traceback.format_exception(record.exc_info[1]))}"
    return text if record.name.partition(".")[0] == "rafflekit" else redacted(text)


def _visible(text: str) -> str:
    shown = (
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text.rstrip("\n")
    )
    return "".join(shown).replace("\n", "\n    ")
