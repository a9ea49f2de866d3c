"""Expensive documents: made once, kept as bytes, and shared by everyone who asks for them meanwhile.

A server has few threads. At most `_AT_ONCE` of them make something expensive, and at most `_WAITING` wait for that:
about half of its threads. Further callers must retry, and all others are answered as usual.
"""

import gzip
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from threading import Condition, Lock

import falcon

BUSY = "The server is busy with other large requests; try again in a few seconds."
"""The message for callers that must retry."""

_AT_ONCE = 2
_WAITING = 6
_WAIT_S = 20
_RETRY_AFTER_S = 2
_KEPT_BYTES = 64 * 1024 * 1024

_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q\s*=\s*(?P<q>[0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)
_NO_WEIGHT = re.compile(r"0(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes as they are sent, with their entity tag."""

    data: bytes
    etag: str

    @classmethod
    def of(cls, data: bytes) -> "Content":
        """Return bytes with their entity tag, a strong one."""
        return cls(data, etag_of(data))


@dataclass(frozen=True, slots=True)
class Document:
    """A document, plain and compressed."""

    plain: Content
    compressed: Content

    @classmethod
    def of(cls, data: bytes) -> "Document":
        """Return a document, compressed once; without the time, so that the same bytes have the same entity tag."""
        return cls(Content.of(data), Content.of(gzip.compress(data, mtime=0)))

    def __len__(self) -> int:
        return len(self.plain.data) + len(self.compressed.data)


class Turns:
    """Let few callers at a time do something expensive: `_AT_ONCE`, while at most `most_waiting` wait for that."""

    def __init__(self, *, most_waiting: int = _WAITING) -> None:
        self._most_waiting = most_waiting
        self._changed = Condition()
        self._taken: set[Hashable] = set()
        self._waiting = 0

    @contextmanager
    def turn(self, name: Hashable) -> Iterator[None]:
        """Let one caller at a time do what has this name, and few others meanwhile.

        Raises:
            HTTPServiceUnavailable: too many others are waiting for their turn.
        """
        with self._changed:
            if not self._is_free(name):
                if self._waiting >= self._most_waiting:
                    raise _busy()
                self._waiting += 1
                try:
                    is_free = self._changed.wait_for(lambda: self._is_free(name), _WAIT_S)
                finally:
                    self._waiting -= 1
                if not is_free:
                    raise _busy()
            self._taken.add(name)
        try:
            yield
        finally:
            with self._changed:
                self._taken.remove(name)
                self._changed.notify_all()

    def _is_free(self, name: Hashable) -> bool:
        return name not in self._taken and len(self._taken) < _AT_ONCE


class Kept:
    """The documents that were asked for last, for any number of threads; `turns` are those of their makers."""

    def __init__(self, turns: Turns, *, most_bytes: int = _KEPT_BYTES) -> None:
        self.turns = turns
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._documents: OrderedDict[Hashable, Document] = OrderedDict()

    def get(self, name: Hashable, make: Callable[[], bytes]) -> Document:
        """Return the document with this name, which `make` makes if it is not kept.

        Raises:
            HTTPServiceUnavailable: too many others are waiting for their turn.
        """
        found = self._found(name)
        if found is not None:
            return found
        with self.turns.turn(name):
            found = self._found(name)
            if found is None:
                found = Document.of(make())
                self._keep(name, found)
            return found

    def _found(self, name: Hashable) -> Document | None:
        with self._lock:
            if name in self._documents:
                self._documents.move_to_end(name)
            return self._documents.get(name)

    def _keep(self, name: Hashable, document: Document) -> None:
        with self._lock:
            self._documents[name] = document
            while len(self._documents) > 1 and sum(map(len, self._documents.values())) > self._most_bytes:
                self._documents.popitem(last=False)


def _busy() -> falcon.HTTPServiceUnavailable:
    return falcon.HTTPServiceUnavailable(description=BUSY, retry_after=_RETRY_AFTER_S)


def etag_of(data: bytes) -> str:
    """Return the entity tag of bytes, a strong one: their hash."""
    return f'"{sha256(data).hexdigest()[:32]}"'


def answer_document(request: falcon.Request, response: falcon.Response, document: Document) -> None:
    """Answer with a document, compressed for clients that accept that; `Vary` is the caller's to set."""
    content = document.plain
    if accepts_gzip(request.get_header("Accept-Encoding") or ""):
        content = document.compressed
        response.set_header("Content-Encoding", "gzip")
    response.set_header("ETag", content.etag)
    response.data = content.data


def accepts_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding header names gzip, with another weight than 0."""
    found = _GZIP.search(header)
    return found is not None and not (found["q"] and _NO_WEIGHT.fullmatch(found["q"]))
