"""The floor: the work of one ticket that cannot be avoided, added up in a plain loop on one thread.

That is an Argon2 hash, the ticket's number (π), and a row in a group that raw sqlite3 commits together. Over HTTP the
time of an empty request comes on top: see `empty_falcon.py`.
"""

import os
from time import perf_counter

from argon2 import PasswordHasher

from benchmarks.baselines import raw_sqlite
from benchmarks.stock import ROOM, Filled
from rafflekit.core.protocol.codes import CODE_BYTES, CodeHasher, spell
from rafflekit.core.tickets.numbering import Numbering

# Plain argon2-cffi with the default costs of rafflekit's CodeHasher, because the rest of CodeHasher is avoidable.
_ARGON2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16, salt_len=16)


class RawRaffle:
    """A raffle whose tickets raw sqlite3 stores, `group` at a time; the database grows as rafflekit's does.

    Use it as a context manager.
    """

    def __init__(self, filled: Filled, *, group: int) -> None:
        _check_cost_of_hash()
        self._raffle = filled.raffle
        self._serial = filled.sold
        self._last_serial = filled.sold + ROOM
        self._group = group
        self._numbering = Numbering(raw_sqlite.numbering_key(filled.database, filled.raffle), filled.total_tickets)
        self._connection = raw_sqlite.connect(filled.database)

    def seconds_of_floor(self, tickets: int) -> float:
        """Hash, number and store this number of tickets (in whole groups); return how long it takes."""
        start = perf_counter()
        for _ in range(tickets // self._group):
            raw_sqlite.store_tickets(self._connection, self._next_group())
        return perf_counter() - start

    def seconds_of_storing(self, tickets: int) -> float:
        """Store this number of tickets, whose rows exist already; return how long it takes."""
        groups = [self._next_group() for _ in range(tickets // self._group)]
        start = perf_counter()
        for rows in groups:
            raw_sqlite.store_tickets(self._connection, rows)
        return perf_counter() - start

    def seconds_of_storing_and_hashing(self, tickets: int) -> float:
        """Store this number of tickets, whose rows exist already, and hash their codes; return how long it takes."""
        groups = [self._next_group() for _ in range(tickets // self._group)]
        start = perf_counter()
        for rows in groups:
            for _ in rows:
                _hash_of_a_code()
            raw_sqlite.store_tickets(self._connection, rows)
        return perf_counter() - start

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __enter__(self) -> "RawRaffle":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next_group(self) -> list[raw_sqlite.TicketRow]:
        first, self._serial = self._serial, self._serial + self._group
        assert self._serial <= self._last_serial, "the stock has no room for these tickets"
        return [
            raw_sqlite.ticket_row(self._raffle, serial, self._numbering.number(serial), code_hash=_hash_of_a_code())
            for serial in range(first, self._serial)
        ]


def _hash_of_a_code() -> str:
    return _ARGON2.hash(os.urandom(12).hex())


def _check_cost_of_hash() -> None:
    parameters, expected = (
        text.split("$")[:4] for text in (_hash_of_a_code(), CodeHasher().hash_all([spell(bytes(CODE_BYTES))])[0])
    )
    assert parameters == expected, f"the floor hashes with {parameters}, rafflekit with {expected}"
