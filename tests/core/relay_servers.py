"""Relays on 127.0.0.1, honest ones and others: each a real server, in threads of the test's process."""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import cycle, islice
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[socket.socket], None]
"""What a relay does with a connection, after it read the request."""

_DRIP_S = 0.02
_DRIPS = 5_000
_REQUEST_BYTES = 4096


@dataclass
class Relay:
    """A server that answers every connection in one way; `requests` is what it was asked."""

    answer: Answer
    certificate: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if self.certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Stop the relay; its connections end when the other side closes them."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        # The listening socket was shut down: there is nothing more to accept.
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                Thread(target=self._talk, args=(connection,)).start()

    def _talk(self, connection: socket.socket) -> None:
        # Most of these relays are for clients that hang up or refuse the certificate.
        with suppress(OSError), connection:
            if self.certificate is None:
                self._answer(connection)
            else:
                with self.certificate.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, connection: socket.socket) -> None:
        request = connection.recv(_REQUEST_BYTES)
        self.requests.append(request.decode(errors="replace"))
        self.answer(connection)


def says(body: str, *, status: str = "200 OK", headers: str = "") -> Answer:
    """Answer with a body."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n{headers}\r\n"
    return lambda connection: connection.sendall((head + body).encode())


def sends(content: bytes) -> Answer:
    """Answer with these bytes, whatever they are, and close."""
    return lambda connection: connection.sendall(content)


def hangs(connection: socket.socket) -> None:
    """Say nothing until the other side hangs up."""
    while connection.recv(_REQUEST_BYTES):
        pass


def drips(connection: socket.socket) -> None:
    """Send one header after the other, slowly, until the other side hangs up, or for 100 s at most."""
    connection.sendall(b"HTTP/1.1 100 Continue\r\n")
    # An interim status (1xx) starts a new set of headers before there are too many.
    drip = b"X: x\r\n" * 50 + b"\r\nHTTP/1.1 100 Continue\r\n"
    _send_slowly(connection, [drip[at : at + 6] for at in range(0, len(drip), 6)])


def drips_in_the_handshake(connection: socket.socket) -> None:
    """Begin a handshake of TLS with a long message, and send it slowly, as `drips` does."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    _send_slowly(connection, [b"\0"])


def _send_slowly(connection: socket.socket, pieces: Sequence[bytes]) -> None:
    connection.settimeout(_DRIP_S)
    for piece in islice(cycle(pieces), _DRIPS):
        connection.sendall(piece)
        with suppress(TimeoutError):
            if not connection.recv(_REQUEST_BYTES):
                return


def self_signed(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS context of a server with a new certificate for a host, and that of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a relay of the tests")])
    named = x509.DNSName(host) if host.isalpha() else x509.IPAddress(ip_address(host))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "relay.pem"
    file.write_bytes(private + certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=certificate.decode())
