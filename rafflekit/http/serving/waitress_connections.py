"""The connections of waitress: how many there may be, how long each may take, and what is no clear request.

waitress stops to accept when its connections are used up, and leaves one for ever to whoever sends, or takes, a byte
now and then. Here whoever has kept the server waiting longest makes room, and everybody has a time limit. waitress has
no settings for that, so these are children of its classes; `tests/faults` and `tests/http` look at them from outside.
"""

import math
import re
import select
import socket
import sys
import time
from typing import Any

from waitress import receiver  # type: ignore[import-untyped]  # waitress has no types
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # no types
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]  # no types
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]  # no types

from rafflekit.http.serving.listening import CONNECTIONS, KEEP_ALIVE_S, room_for_connections

# Newcomers that are let in between two looks at everybody else.
_AT_ONCE = 64
# One in so many connections is closed when there is no room: to choose takes a look at all of them.
_CLOSED_OF = 16
_LOOK_EVERY_S = 1.0
# A newcomer's request comes a moment after its connection, and a client's next one a moment after its answer.
_GRACE_S = 0.25

_FOLDED_LINE = re.compile(rb"\r\n[ \t]")
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)

# waitress's own ends in "$", which is true before a last line feed, too: "5\n" would be a chunk's size here, and the
# end of a line for a proxy that is content with a line feed. Then the two see different requests.
receiver.ONLY_HEXDIG_RE = re.compile(rb"[0-9a-fA-F]+\Z")


class _Request(HTTPRequestParser):  # type: ignore[misc]  # no types
    """A request that nobody can understand in two ways (RFC 9112, 6.1 and 11.2: request smuggling)."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers.

        Raises:
            ParsingError: they could mean two things; it is answered 400, and nothing behind it is read.
        """
        if _FOLDED_LINE.search(header_plus):
            raise ParsingError("A header is folded into several lines")
        encodings = _TRANSFER_ENCODING.findall(header_plus)
        try:
            super().parse_header(header_plus)
        # Python makes no number of some thousand digits, and no address of "http://[".
        except ValueError:
            raise ParsingError("The address or Content-Length is invalid") from None
        if not encodings:
            return
        # HTTP/1.0 has no such header, and waitress would not heed it there.
        if not self.chunked or len(encodings) > 1 or encodings[0].lower() != b"chunked":
            raise ParsingError("Transfer-Encoding must be chunked, once, in HTTP/1.1")
        if "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Both Transfer-Encoding and Content-Length are given")


class Channel(HTTPChannel):  # type: ignore[misc]  # no types
    """One client's connection.

    Requests that come together (pipelining) are taken one at a time: waitress takes them all, and a thread then waits
    for a client that never reads the answers; sixteen of those would stop the service.
    """

    parser_class = _Request
    # waitress's own.
    socket: socket.socket
    request: Any
    sent_continue: bool
    total_outbufs_len: int
    last_activity: float

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.unread = b""
        # Since when the server waits for the client: for its next request, the rest of one, or that it reads an answer.
        self.waiting_since = time.monotonic()
        super().__init__(*arguments, **keywords)

    def received(self, data: bytes) -> bool:
        """Take in what has come, up to the end of a request; the rest when that is answered."""
        with self.requests_lock:
            # Being closed, by the thread that answered.
            if self.will_close or self.close_when_flushed:
                return False
            self.unread += data
            while self.unread and not (self.requests or self.will_close):
                self._take_in()
        return True

    def readable(self) -> bool:
        """Tell whether more may come, or take it from what has come already."""
        # As waitress has it, in one go: every connection is asked in every turn of the loop.
        if self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed:
            return False
        if self.unread:
            self.received(b"")
        return not self.requests

    def service(self) -> None:
        """Answer a request, in a thread."""
        super().service()
        with self.requests_lock:
            if not self.requests:
                self.waiting_since = time.monotonic()

    def is_overdue(self) -> bool:
        """Tell whether the client has had its time, to send a whole request or to take the next bytes of an answer."""
        takes_nothing = time.time() - self.last_activity > KEEP_ALIVE_S
        if self.requests:
            # A thread waits for the client, with more than waitress would keep back until an answer is complete.
            return self.total_outbufs_len >= self.adj.send_bytes and takes_nothing
        has_had_its_time = time.monotonic() - self.waiting_since > KEEP_ALIVE_S
        return has_had_its_time and (takes_nothing or not self.total_outbufs_len)

    def may_make_room(self, now: float) -> bool:
        """Tell whether the server waits for the client, and has for a moment."""
        return not self.requests and now - self.waiting_since > _GRACE_S

    def is_silent(self) -> bool:
        """Tell whether nothing has come that is still to be read."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def _take_in(self) -> None:
        if self.request is None:
            # Empty lines may come before a request (RFC 9112, 2.2), and begin none.
            self.unread = self.unread.lstrip(b"\r\n")
            if not self.unread:
                return
            self.request = self.parser_class(self.adj)
            self.waiting_since = time.monotonic()
        request = self.request
        self.unread = self.unread[request.received(self.unread) :]
        # Who has nothing more to send waits for the answer, and waitress would wait for the rest.
        if request.expect_continue and request.headers_finished and not (request.completed or self.sent_continue):
            self.send_continue()
        if request.completed:
            self.sent_continue = False
            self.request = None
            if request.empty:
                self.will_close = True
                return
            # Not before its answer is complete: the request leaves the list a moment earlier.
            self.waiting_since = math.inf
            self.requests.append(request)
            self.server.add_task(self)


class WaitressServer(TcpWSGIServer):  # type: ignore[misc]  # no types
    """waitress on one socket that listens already: call `tend` before each turn of its loop."""

    channel_class = Channel
    # waitress's own.
    accepting: bool
    active_channels: dict[int, Channel]

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        # Those in the queue are let in when the service stops.
        self._room = min(CONNECTIONS, room_for_connections(CONNECTIONS + self.adj.backlog))
        self._next_look = 0.0

    def tend(self) -> None:
        """Close connections whose time is over and, if there is no room for someone who waits, those next to it.

        Not within a turn: the next connection has the number of the one that was closed, and would get what waitress
        had noticed of that.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_EVERY_S
            for channel in [channel for channel in self.active_channels.values() if channel.is_overdue()]:
                channel.handle_close()
        if self.accepting and self._is_full() and select.select([self.socket], [], [], 0)[0]:
            waiting = [channel for channel in self.active_channels.values() if channel.may_make_room(now)]
            for channel in sorted(waiting, key=_claim)[: 1 + self._room // _CLOSED_OF]:
                # Who has an answer to read is not listened to, and could send something just to keep its place.
                if channel.total_outbufs_len or channel.is_silent():
                    channel.handle_close()

    def readable(self) -> bool:
        """Tell whether there is room for one more."""
        return self.accepting and not self._is_full()

    def handle_accept(self) -> None:
        """Let in who waits, as many as there is room for."""
        for _ in range(_AT_ONCE):
            before = len(self.active_channels)
            if not self._is_full():
                super().handle_accept()
            if len(self.active_channels) == before:
                break

    def stop_listening(self) -> None:
        """Let in everybody who has connected already, and nobody else: to close the socket would break them off."""
        self._room = sys.maxsize
        for _ in range(1 + self.adj.backlog // _AT_ONCE):
            self.handle_accept()
        self.accepting = False
        self.del_channel()
        self.socket.close()

    def _is_full(self) -> bool:
        return len(self.active_channels) >= self._room


def _claim(channel: Channel) -> tuple[bool, float]:
    # Who has begun a request, or still reads an answer, goes after those who only wait.
    return channel.request is not None or channel.total_outbufs_len > 0, channel.waiting_since
