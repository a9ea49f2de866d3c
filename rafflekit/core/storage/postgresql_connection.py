"""psycopg's connection, but for two things: it does not wait for ever, and a commit in doubt is no commit.

A server may hang with its machine still acknowledging every packet, and a commit waits for a lost synchronous standby
for as long as it is lost; neither TCP nor any setting of the server's ends that. And whoever cancels that wait makes
PostgreSQL call a transaction committed that the standby may not have, with no more than a warning.
"""

import time
from typing import Any, TypeVar

from psycopg import Connection, OperationalError, errors
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

# Where PostgreSQL gives its warning, which it words in the server's language. The name is as old as the wait (9.1).
_WAIT_FOR_STANDBYS = "SyncRepWaitForLSN"

Outcome = TypeVar("Outcome")


class PostgresqlConnection(Connection[TupleRow]):
    """A connection that gives up a server which says nothing for `answer_limit_s`; None waits for ever.

    It then closes itself without cancelling anything: a commit that waits for a standby is not to be cut short.
    """

    answer_limit_s: float | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._doubt: str | None = None
        self.add_notice_handler(self._note)

    def wait(self, gen: PQGen[Outcome], *arguments: Any, **named: Any) -> Outcome:
        """Wait for what a generator of psycopg's waits for, but not in silence for longer than the limit.

        Raises:
            OperationalError: the server said nothing for that long; the connection is closed.
        """
        return super().wait(self._limited(gen), *arguments, **named)

    def commit(self) -> None:
        """Commit, and return when the transaction is as durable as the server's settings ask.

        Raises:
            TransactionResolutionUnknown: it is committed on this server, and perhaps not on its standby.
        """
        self._doubt = None
        super().commit()
        if self._doubt is not None:
            raise errors.TransactionResolutionUnknown(self._doubt)

    def _limited(self, gen: PQGen[Outcome]) -> PQGen[Outcome]:
        limit_s = self.answer_limit_s
        try:
            awaited = next(gen)
            silent_since = time.monotonic()
            while True:
                # Nothing is ready each time that psycopg looks after Ctrl-C, ten times a second.
                ready = yield awaited
                if ready:
                    silent_since = time.monotonic()
                elif limit_s is not None and time.monotonic() - silent_since >= limit_s:
                    self.close()
                    raise OperationalError(f"no answer for {limit_s:g} s")
                awaited = gen.send(ready)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    def _note(self, notice: errors.Diagnostic) -> None:
        if notice.source_function == _WAIT_FOR_STANDBYS:
            self._doubt = notice.message_primary or notice.source_function
