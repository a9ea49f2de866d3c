"""The connections of waitress: how many there may be, what each may take of time and memory, and ambiguous requests.

When its connections are used up, waitress stops accepting, and a client that sends or takes a byte now and then keeps
its connection indefinitely. What no one reads fills its memory, then temporary files, and then holds its threads. Here
every connection has a time limit, all of them share an amount of memory, and those that have kept the server waiting
longest make room. waitress has no settings for that, so these are subclasses of its classes, tested from outside.
"""

import math
import re
import select
import socket
import sys
import time
from typing import Any

from waitress import receiver  # type: ignore[import-untyped]  # waitress has no types
from waitress.buffers import OverflowableBuffer  # type: ignore[import-untyped]  # no types
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # no types
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]  # no types
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]  # no types
from waitress.task import WSGITask  # type: ignore[import-untyped]  # no types
from waitress.utilities import RequestHeaderFieldsTooLarge  # type: ignore[import-untyped]  # no types

from rafflekit.http.polling import is_to_end
from rafflekit.http.serving.listening import (
    ANSWER_BYTES,
    ANSWER_BYTES_PER_S,
    ANSWER_GRACE_S,
    CONNECTIONS,
    KEEP_ALIVE_S,
    KEPT_BYTES,
    is_tcp,
    room_for_connections,
)

# New connections that are accepted before the others are served again.
_AT_ONCE = 64
# One in this many connections is closed when there is no room, since choosing takes a look at all of them.
_CLOSED_OF = 16
_LOOK_EVERY_S = 1.0
# A request arrives a moment after its connection is opened, and the next one a moment after the answer.
_GRACE_S = 0.25

_FOLDED_LINE = re.compile(rb"\r\n[ \t]")
# Blanks around the value are removed later: an expression for them takes time in the square of their number.
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding:([^\r\n]*)", re.IGNORECASE)

# waitress's own ends in "$", which also matches before a final line feed: "5\n" would be a chunk's size here, but the
# end of a line for a proxy that accepts a bare line feed. Then the two would see different requests.
receiver.ONLY_HEXDIG_RE = re.compile(rb"[0-9a-fA-F]+\Z")


class _Request(HTTPRequestParser):  # type: ignore[misc]  # no types
    """A request that cannot be read in two ways (RFC 9112, 6.1 and 11.2: request smuggling)."""

    def received(self, data: bytes) -> int:
        """Read on, and return how much was read."""
        taken: int = super().received(data)
        # The sizes of chunks, their extensions and the trailers. waitress does not limit them, and reads a line
        # without an end from its start with every packet: 2 MB of it in small packets took its loop more than 20 s.
        if self.chunked and self.body_bytes_received - len(self.body_rcv) > self.adj.max_request_header_size:
            self.error = RequestHeaderFieldsTooLarge("What is around the chunks of the body is too large")
            self.completed = True
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers; if they are ambiguous, the answer is 400, and nothing after them is read."""
        if _FOLDED_LINE.search(header_plus):
            raise ParsingError("A header is folded into several lines")
        encodings = _TRANSFER_ENCODING.findall(header_plus)
        try:
            super().parse_header(header_plus)
        # Python refuses to read a number of thousands of digits, or "http://[" as an address.
        except ValueError:
            raise ParsingError("The address or Content-Length is invalid") from None
        if not encodings:
            return
        # HTTP/1.0 does not have this header, and waitress ignores it there.
        if not self.chunked or len(encodings) > 1 or encodings[0].strip(b" \t").lower() != b"chunked":
            raise ParsingError("Transfer-Encoding must be chunked, once, in HTTP/1.1")
        if "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Both Transfer-Encoding and Content-Length are given")


class _Answering(WSGITask):  # type: ignore[misc]  # no types
    """The answer to a request, which ends its connection if the application wants that."""

    def build_response_header(self) -> bytes:
        """Return the status and the headers."""
        if is_to_end(self.get_environment()):
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


class Channel(HTTPChannel):  # type: ignore[misc]  # no types
    """One client's connection.

    Requests that arrive together (pipelining) are taken one at a time. waitress takes all of them, and keeps all their
    answers for a client that may never read them.
    """

    parser_class = _Request
    task_class = _Answering
    # waitress's own.
    socket: socket.socket
    request: Any
    sent_continue: bool
    total_outbufs_len: int
    last_activity: float

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.unread = b""
        # Since when the server waits for the client: for a request, the rest of one, or until it reads an answer.
        self.waiting_since = time.monotonic()
        # What is in memory of the request that is arriving or being answered, and of the answer until all of it is
        # sent; and since when there is something of the answer to read.
        self.request_bytes = self.answer_bytes = 0
        self.answer_since = math.inf
        super().__init__(*arguments, **keywords)

    def received(self, data: bytes) -> bool:
        """Take in what has arrived, up to the end of a request; the rest once that is answered."""
        with self.requests_lock:
            # The thread that answered is closing the connection.
            if self.will_close or self.close_when_flushed:
                return False
            self.unread += data
            while self.unread and not (self.requests or self.will_close):
                self._take_in()
        return True

    def readable(self) -> bool:
        """Return whether to read more from the client, after taking what has already arrived."""
        # As in waitress, in one function: every connection is asked in every turn of the loop.
        if self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed:
            return False
        if self.unread:
            self.received(b"")
        return not self.requests

    def service(self) -> None:
        """Answer a request, in a thread."""
        answered_bytes = self.request_bytes
        super().service()
        with self.requests_lock:
            # The next request may have begun to arrive.
            self.request_bytes -= answered_bytes
            if not self.requests:
                self.waiting_since = time.monotonic()

    def write_soon(self, data: bytes) -> int:
        """Send something of an answer, or keep it until the client reads; in a thread, which never waits for that."""
        with self.outbuf_lock:
            if not self.answer_bytes:
                self.answer_since = time.monotonic()
            self.answer_bytes += len(data)
            if self.answer_bytes > ANSWER_BYTES + self.adj.max_request_header_size:
                raise OverflowError("An answer is too long")
            written: int = super().write_soon(data)
            return written

    def is_overdue(self, now: float) -> bool:
        """Return whether the client's time to send a whole request, or to take more of an answer, is over."""
        # The one exception to waiting for what is kept to be read is "100 Continue", in the middle of a request.
        if self.total_outbufs_len and self.request is None:
            taken = self.answer_bytes - self.total_outbufs_len
            return now - self.answer_since > ANSWER_GRACE_S + taken / ANSWER_BYTES_PER_S
        return now - self.waiting_since > KEEP_ALIVE_S

    def may_make_room(self, now: float) -> bool:
        """Return whether the server has been waiting for the client for a moment."""
        return not self.requests and now - self.waiting_since > _GRACE_S

    def keeps_more_than(self, share: int) -> bool:
        """Return whether the server waits for the client, and keeps more than `share` bytes for it."""
        return not self.requests and self.request_bytes + self.answer_bytes > share

    def is_silent(self) -> bool:
        """Return whether nothing has arrived that is still to be read."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def _flush_some(self, do_close: bool = True) -> bool:
        has_sent: bool = super()._flush_some(do_close)
        if not self.total_outbufs_len:
            # waitress keeps the memory of an answer until the next one is sent.
            self.outbufs = [OverflowableBuffer(self.adj.outbuf_overflow)]
            self.current_outbuf_count = self.answer_bytes = 0
        return has_sent

    def _take_in(self) -> None:
        if self.request is None:
            # Empty lines may precede a request (RFC 9112, 2.2).
            self.unread = self.unread.lstrip(b"\r\n")
            if not self.unread:
                return
            self.request = self.parser_class(self.adj)
            self.waiting_since = time.monotonic()
        request = self.request
        taken = request.received(self.unread)
        self.unread = self.unread[taken:]
        self.request_bytes += taken
        # A client without anything more to send waits for the answer, and waitress would wait for the rest.
        if request.expect_continue and request.headers_finished and not (request.completed or self.sent_continue):
            self.send_continue()
        if request.completed:
            self.sent_continue = False
            self.request = None
            if request.empty:
                self.will_close = True
                return
            # `service` ends this when the answer is complete; the request leaves the list a moment earlier.
            self.waiting_since = math.inf
            self.requests.append(request)
            self.server.add_task(self)


class WaitressServer(TcpWSGIServer):  # type: ignore[misc]  # no types
    """waitress on one socket that is already listening; call `tend` before each turn of its loop."""

    channel_class = Channel
    # waitress's own.
    accepting: bool
    active_channels: dict[int, Channel]

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        # Those in the queue are accepted when the service stops.
        self._room = min(CONNECTIONS, room_for_connections(CONNECTIONS + self.adj.backlog))
        self._next_look = 0.0

    def tend(self) -> None:
        """Close connections whose time is over, and those that have waited longest if a client or memory needs room.

        Not within a turn of the loop: a new connection gets the file number of a closed one, and with it the events
        that waitress had noticed there.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_EVERY_S
            for channel in [channel for channel in self.active_channels.values() if channel.is_overdue(now)]:
                channel.handle_close()
        self._keep_less()
        if self.accepting and self._is_full() and select.select([self.socket], [], [], 0)[0]:
            waiting = [channel for channel in self.active_channels.values() if channel.may_make_room(now)]
            for channel in sorted(waiting, key=_claim)[: 1 + self._room // _CLOSED_OF]:
                # Nothing is read from a client that has an answer to read, so what it sent does not keep it connected.
                if channel.total_outbufs_len or channel.is_silent():
                    channel.handle_close()

    def getsockname(self) -> tuple[str, str]:
        """Return what requests without a Host header get for their URLs; a Unix socket has no name."""
        name: tuple[str, str] = super().getsockname() if is_tcp(self.socket) else ("localhost", "80")
        return name

    def set_socket_options(self, conn: socket.socket) -> None:
        """Set waitress's options, which only TCP has."""
        if is_tcp(conn):
            super().set_socket_options(conn)

    def fix_addr(self, addr: Any) -> Any:
        """Return the client's address and port, empty on a Unix socket; waitress would say "localhost"."""
        return addr or ("", "")

    def readable(self) -> bool:
        """Return whether there is room for one more connection."""
        return self.accepting and not self._is_full()

    def handle_accept(self) -> None:
        """Accept the clients that wait, as far as there is room."""
        for _ in range(_AT_ONCE):
            before = len(self.active_channels)
            if not self._is_full():
                super().handle_accept()
            if len(self.active_channels) == before:
                break

    def stop_listening(self) -> None:
        """Accept all clients that have already connected, then no more; closing the socket alone would reset them."""
        self._room = sys.maxsize
        for _ in range(1 + self.adj.backlog // _AT_ONCE):
            self.handle_accept()
        self.accepting = False
        self.del_channel()
        self.socket.close()

    def _keep_less(self) -> None:
        """Close connections until what is kept is within its limit.

        Requests in progress are not closed. What keeps no more than its share is not closed either; all connections
        with their share are within the limit.
        """
        kept = sum(channel.request_bytes + channel.answer_bytes for channel in self.active_channels.values())
        if kept > KEPT_BYTES:
            share = KEPT_BYTES // CONNECTIONS
            greedy = [channel for channel in self.active_channels.values() if channel.keeps_more_than(share)]
            for channel in sorted(greedy, key=_since):
                if kept <= KEPT_BYTES:
                    break
                kept -= channel.request_bytes + channel.answer_bytes
                channel.handle_close()

    def _is_full(self) -> bool:
        return len(self.active_channels) >= self._room


def _claim(channel: Channel) -> tuple[bool, float]:
    # Clients in the middle of a request or an answer come after those that only wait.
    return channel.request is not None or channel.total_outbufs_len > 0, channel.waiting_since


def _since(channel: Channel) -> float:
    return channel.waiting_since
