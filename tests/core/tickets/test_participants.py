"""Participants: one spelling per person, and only a keyed hash of it is stored."""

import pytest

from rafflekit.core.tickets.participants import KEY_BYTES, normalise, participant_hash, repeat_hash

LONGEST = "0000:0000:0000:0000:0000:ffff:203.100.113.107%" + "x" * 15


@pytest.mark.parametrize(
    ("written", "counts_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:CB00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::", "::/64"),
        # Addresses that contain an IPv4 address but are not IPv4-mapped: compatible, NAT64, 6to4.
        ("::203.0.113.7", "::/64"),
        ("64:ff9b::203.0.113.7", "64:ff9b::/64"),
        ("2002:cb00:7107::1", "2002:cb00:7107::/64"),
        ("fe80::1%", "fe80::1%"),
        ("203.0.113.7%eth0", "203.0.113.7%eth0"),
        ("::1%" + "x" * 100, "::1%" + "x" * 100),
        # One character more than the longest address.
        (LONGEST, "203.100.113.107"),
        (LONGEST + "x", LONGEST + "x"),
        ("\uff12\uff10\uff13.0.113.7", "\uff12\uff10\uff13.0.113.7"),
        ("staff 0042", "staff 0042"),
        ("ann@example.org\n", "ann@example.org"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("203.0.113.07", "203.0.113.07"),
        ("203.0.113", "203.0.113"),
        ("an.example.of.dots", "an.example.of.dots"),
        ("1", "1"),
    ],
)
def test_a_participant_counts_in_one_spelling(written: str, counts_as: str) -> None:
    assert normalise(written) == counts_as


def test_a_participant_has_a_different_hash_in_each_raffle() -> None:
    one, other = bytes(KEY_BYTES), bytes([1] * KEY_BYTES)

    assert participant_hash(one, "203.0.113.7") == participant_hash(one, "::ffff:203.0.113.7")
    assert participant_hash(one, "203.0.113.7") != participant_hash(other, "203.0.113.7")


def test_an_idempotency_key_has_one_hash_per_participant() -> None:
    key = bytes(KEY_BYTES)

    assert repeat_hash(key, bytes(16), "k" * 16) != repeat_hash(key, bytes([1] * 16), "k" * 16)


def test_a_participants_hash_never_changes() -> None:
    """Stored hashes recognise a participant, so these are frozen."""
    key = bytes(range(KEY_BYTES))

    participant = participant_hash(key, "203.0.113.7")

    assert participant.hex() == "d6dcd04eb2334b4b65f9d85530517601"
    assert repeat_hash(key, participant, "k" * 16).hex() == "93bd1704ea3a5e2a9e70d4c5dbc81581"
    assert repeat_hash(bytes(KEY_BYTES), participant, "k" * 16) != repeat_hash(key, participant, "k" * 16)
