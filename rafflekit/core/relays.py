"""Fetch beacons from drand's relays over HTTPS: all are asked at once, and none is trusted.

No other room of the core uses the network. The operator chooses the relays; a request never does. A proxy from the
environment (`HTTPS_PROXY`) is not used; without access to the network, give the beacon as a text (`read_beacon`).
"""

import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

from rafflekit.core.protocol.entropy.drand import (
    BEACON_CHARACTERS,
    CHAIN_HASH,
    Beacon,
    BeaconWrong,
    check_beacon,
    read_beacon,
    require_bls,
)

DEFAULT_RELAYS = (
    "https://api.drand.sh",
    "https://api2.drand.sh",
    "https://api3.drand.sh",
    "https://drand.cloudflare.com",
)
"""The relays that drand's documentation lists (https://docs.drand.love/developer/http-api), of two operators."""

_MOST_RELAYS = 16
"""The most relays of a list."""

_TIMEOUT_S = 10.0
"""The default time that all relays together have to answer."""

_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_PORTS = {"https": 443, "http": 80}


class RelayWrong(ValueError):
    """A text does not name a relay: `text` holds it, `reason` says what is wrong and what would be right."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r}: {reason}")
        self.text = text
        self.reason = reason


class NoRelayGaveIt(Exception):
    """No relay gave the beacon of a round: `reasons` says why not, for each relay."""

    def __init__(self, round: int, reasons: Mapping[str, str]) -> None:
        listed = "; ".join(f"{relay}: {reason}" for relay, reason in reasons.items())
        super().__init__(f"No relay gave the beacon of round {round} of drand's quicknet. {listed}.")
        self.round = round
        self.reasons = reasons


def read_relays(text: str) -> tuple[str, ...]:
    """Read a list of URLs, separated by commas; an empty text means `DEFAULT_RELAYS`.

    Raises:
        RelayWrong: an entry is not the URL of a relay, or there are too many.
    """
    if not text.strip():
        return DEFAULT_RELAYS
    relays = tuple(dict.fromkeys(_check_relay(entry.strip()) for entry in text.split(",")))
    if len(relays) > _MOST_RELAYS:
        raise RelayWrong(text, f"these are {len(relays)} relays; name at most {_MOST_RELAYS}.")
    return relays


def _check_relay(url: str) -> str:
    """Check a relay's URL, to which `/<chain hash>/public/<round>` will be added; return it without its last slash.

    It has the scheme https, or http for this machine, a host, and optionally a port and a path.

    Raises:
        RelayWrong: it has another form.
    """
    if not url:
        raise RelayWrong(url, "an entry between the commas is empty; remove that comma.")
    if "@" in url:
        # The part before it may be a password, which no message may show.
        raise RelayWrong(f"…@{url.rpartition('@')[2]}", "a relay's URL has no user and no password.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RelayWrong(url, f"not a URL: {error}.") from error
    if not _PRINTABLE.fullmatch(url) or parts.scheme not in _PORTS or not _HOST.fullmatch(host) or port == 0:
        raise RelayWrong(url, "not the URL of a relay; give URLs like https://api.drand.sh, separated by commas.")
    if "?" in url or "#" in url:
        raise RelayWrong(url, "a relay's URL has no ? and no #.")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise RelayWrong(url, "http is for relays on this machine (127.0.0.1, ::1, localhost); give https.")
    return url.rstrip("/")


def beacon_url(relay: str, round: int) -> str:
    """Return the URL of a round's beacon at a relay (version 1 of drand's HTTP API, which all relays offer)."""
    return f"{relay}/{CHAIN_HASH}/public/{round}"


def fetch_beacon(
    round: int,
    relays: Sequence[str] = DEFAULT_RELAYS,
    *,
    timeout_s: float = _TIMEOUT_S,
    context: ssl.SSLContext | None = None,
) -> Beacon:
    """Ask all relays at once and return the first genuine beacon of the round.

    This takes at most `timeout_s` seconds, whatever the relays do. `context` defines which certificates are trusted, by
    default the system's.

    Raises:
        NoRelayGaveIt: no relay gave a genuine beacon.
        BlsMissing: the extra `drand` is not installed; no relay was asked.
        RelayWrong: one of `relays` is not the URL of a relay.
    """
    deadline = monotonic() + timeout_s
    require_bls()
    trusted = context or ssl.create_default_context()
    questions = [_Question(_check_relay(relay), round, timeout_s, trusted) for relay in dict.fromkeys(relays)]
    answers: SimpleQueue[tuple[_Question, Beacon | str]] = SimpleQueue()
    for question in questions:
        # A daemon, because the look-up of a host name cannot be stopped: a program that ends must not wait for it.
        Thread(target=question.ask, args=(answers,), daemon=True, name=f"relay {question.relay}").start()
    reasons = {question.relay: _no_answer(timeout_s) for question in questions}
    waiting = set(questions)
    try:
        while waiting:
            question, outcome = answers.get(timeout=max(0.0, deadline - monotonic()))
            waiting.remove(question)
            if isinstance(outcome, Beacon):
                return outcome
            reasons[question.relay] = outcome
    except Empty:
        pass
    finally:
        for question in waiting:
            question.hang_up()
    raise NoRelayGaveIt(round, reasons)


def why_unreachable(error: object) -> str:
    """Return in words why a server cannot be reached, without the numbers of the operating system."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"the encrypted connection failed ({error.reason.replace('_', ' ').lower()})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


class _NoBeacon(Exception):
    """A relay did not answer with a beacon; the message says what it answered."""


class _Question:
    """One relay, asked once in its own thread; another thread may hang up."""

    def __init__(self, relay: str, round: int, timeout_s: float, context: ssl.SSLContext) -> None:
        self.relay = relay
        self._round = round
        self._timeout_s = timeout_s
        self._context = context
        self._socket: socket.socket | None = None
        self._hung_up = False

    def ask(self, answers: "SimpleQueue[tuple[_Question, Beacon | str]]") -> None:
        """Put the beacon into `answers` if it is genuine, or else the reason why it is not."""
        answers.put((self, self._outcome()))

    def hang_up(self) -> None:
        """Make the other thread stop, except while it looks up the host's name."""
        self._hung_up = True
        if self._socket is not None:
            # Not the TLS socket's method, which drops the state that the other thread is using.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _outcome(self) -> Beacon | str:
        try:
            beacon = read_beacon(self._answer(), round=self._round)
            check_beacon(self._round, beacon.signature)
        # ValueError: a host name that DNS cannot encode.
        except (BeaconWrong, _NoBeacon, HTTPException, OSError, ValueError) as error:
            return self._reason(error)
        return beacon

    def _reason(self, error: Exception) -> str:
        if isinstance(error, BeaconWrong | _NoBeacon):
            return str(error)
        if isinstance(error, TimeoutError):
            return _no_answer(self._timeout_s)
        if isinstance(error, HTTPException) and not isinstance(error, OSError):
            return "its answer is not HTTP"
        return f"it cannot be reached: {why_unreachable(error)}"

    def _answer(self) -> str:
        parts = urlsplit(self.relay)
        host = parts.hostname or ""
        address = (host, parts.port or _PORTS[parts.scheme])
        with socket.create_connection(address, timeout=self._timeout_s) as plain:
            if parts.scheme == "http":
                return self._answer_over(plain, address)
            with self._context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False) as secure:
                self._hold(secure)
                secure.do_handshake()
                return self._answer_over(secure, address)

    def _answer_over(self, connected: socket.socket, address: tuple[str, int]) -> str:
        self._hold(connected)
        parts = urlsplit(beacon_url(self.relay, self._round))
        connection = HTTPConnection(*address)
        connection.sock = connected
        headers = {"Host": parts.netloc, "Accept": "application/json", "User-Agent": "rafflekit", "Connection": "close"}
        connection.request("GET", parts.path, headers=headers)
        with connection.getresponse() as response:
            if response.status != HTTPStatus.OK:
                raise _NoBeacon(_refusal(response.status))
            body = response.read(BEACON_CHARACTERS + 1)
        if len(body) > BEACON_CHARACTERS:
            raise _NoBeacon(f"its answer is longer than {BEACON_CHARACTERS:,} bytes")
        return body.decode(errors="replace")

    def _hold(self, connected: socket.socket) -> None:
        self._socket = connected
        # The other thread may have hung up before there was a socket to shut down.
        if self._hung_up:
            raise TimeoutError


def _no_answer(timeout_s: float) -> str:
    return f"it did not answer within {timeout_s:g} s"


def _refusal(status: int) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "it does not have this round (404)"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"it answered {status}, and redirects are not followed"
    return f"it answered {status}"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
