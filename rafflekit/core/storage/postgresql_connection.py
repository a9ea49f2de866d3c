"""A connection of psycopg that limits its waiting, and raises an error when a commit is in doubt.

A server may hang while its machine still acknowledges every packet, and a commit waits for a lost synchronous standby
without limit; neither TCP nor a setting of the server ends that. If an operator cancels that wait, PostgreSQL only
warns that it committed a transaction which the standby may not have.
"""

import time
from typing import Any, TypeVar

from psycopg import Connection, OperationalError, errors
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

# PostgreSQL's function that issues this warning; its text is in the server's language. It has existed since 9.1.
_WAIT_FOR_STANDBYS = "SyncRepWaitForLSN"

Waited = TypeVar("Waited")


class PostgresqlConnection(Connection[TupleRow]):
    """A connection that gives up when the server is silent for `answer_limit_s`; with None, it waits without limit.

    It then closes without cancelling anything: a commit that waits for a standby must not be cut short.
    """

    answer_limit_s: float | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._doubt: str | None = None
        self.add_notice_handler(self._note)

    def wait(self, gen: PQGen[Waited], *arguments: Any, **named: Any) -> Waited:
        """Wait like psycopg, unless the server is silent for longer than the limit.

        Raises:
            OperationalError: the server was silent for that long; the connection is closed.
        """
        return super().wait(self._limited(gen), *arguments, **named)

    def commit(self) -> None:
        """Commit, and return when the transaction is as durable as the server's settings require.

        Raises:
            TransactionResolutionUnknown: it is committed on this server, but perhaps not on its standby.
        """
        self._doubt = None
        super().commit()
        if self._doubt is not None:
            raise errors.TransactionResolutionUnknown(self._doubt)

    def _limited(self, gen: PQGen[Waited]) -> PQGen[Waited]:
        limit_s = self.answer_limit_s
        try:
            awaited = next(gen)
            silent_since = time.monotonic()
            while True:
                # Nothing is ready whenever psycopg checks for Ctrl-C, ten times a second.
                ready = yield awaited
                if ready:
                    silent_since = time.monotonic()
                elif limit_s is not None and time.monotonic() - silent_since >= limit_s:
                    self.close()
                    raise OperationalError(f"no answer for {limit_s:g} s")
                awaited = gen.send(ready)
        except StopIteration as end:
            outcome: Waited = end.value
            return outcome

    def _note(self, notice: errors.Diagnostic) -> None:
        if notice.source_function == _WAIT_FOR_STANDBYS:
            self._doubt = notice.message_primary or notice.source_function
