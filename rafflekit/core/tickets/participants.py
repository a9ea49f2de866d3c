"""What counts as one participant: normalise a text and hash it under the raffle's key (pure).

Any stable text names a participant. An IP address has one spelling: an IPv4-mapped address (::ffff:0:0/96) counts as
IPv4, and an IPv6 address by its network, a /64 unless the engine is told otherwise. Other IPv6 addresses that contain
an IPv4 address (NAT64, 6to4, IPv4-compatible) are not unwrapped, because they name the translator and not the sender.
In any other text, letter case (full case folding), the form of characters (NFKC), invisible characters and the amount
of white space do not count.
"""

import unicodedata
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from rafflekit.core.characters import without_invisible
from rafflekit.core.limits import IPV6_PREFIX

KEY_BYTES = 32

# The longest IPv6 address (45), then % and the name of a network interface (15).
_ADDRESS_CHARACTERS = 61
_DOTS_OF_IPV4 = 3

# Two of the 10^12 participants of the largest raffle collide with a chance of 1.5e-15 at 128 bits.
HASH_BYTES = 16
_PARTICIPANT_TAG = b"rafflekit who"
_REPEAT_TAG = b"rafflekit repeat"


def canonical_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `text` spells, an IPv4-mapped one as IPv4, no zone id; None if it is not an address."""
    # Most texts are not addresses, and this takes a twentieth of the time in which ip_address fails.
    if ":" not in text and text.count(".") != _DOTS_OF_IPV4:
        return None
    # The cache keeps what it is given, and strangers send text of any length.
    return _remembered_address(text) if len(text) <= _ADDRESS_CHARACTERS else None


# A request names the same few addresses several times: its sender's and its proxy's.
@lru_cache(maxsize=1_024)
def _remembered_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # The zone (fe80::1%eth0) names the receiver's network interface and says nothing about the sender.
        address = IPv6Address(int(address))
        return address.ipv4_mapped or address
    return address


def normalise(participant: str, ipv6_prefix: int = IPV6_PREFIX) -> str:
    """Return the one spelling under which a participant counts; of an IPv6 address, its first `ipv6_prefix` bits."""
    # Most participants are plain ASCII, where only letter case and spaces can differ; folding takes four times as long.
    is_plain = participant.isascii() and participant.isprintable()
    text = " ".join(participant.lower().split()) if is_plain else _folded(participant)
    address = canonical_address(text)
    if address is None:
        return text
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), ipv6_prefix), strict=False))
    return str(address)


def _folded(text: str) -> str:
    # Invisible characters go first: they separate a letter from its accent. Folding can take a composed character
    # apart, so that it is composed again.
    composed = unicodedata.normalize("NFKC", without_invisible(text))
    return " ".join(unicodedata.normalize("NFKC", composed.casefold()).split())


def participant_hash(key: bytes, participant: str, ipv6_prefix: int = IPV6_PREFIX) -> bytes:
    """Return the keyed hash (BLAKE2b, RFC 7693; 16 bytes) that identifies a participant in a raffle."""
    text = normalise(participant, ipv6_prefix).encode()
    return blake2b(text, digest_size=HASH_BYTES, key=key, person=_PARTICIPANT_TAG).digest()


def repeat_hash(key: bytes, participant: bytes, idempotency_key: str) -> bytes:
    """Return the keyed hash of a participant's hash and idempotency key, by which a repeated request is recognised."""
    message = participant + idempotency_key.encode()
    return blake2b(message, digest_size=HASH_BYTES, key=key, person=_REPEAT_TAG).digest()
