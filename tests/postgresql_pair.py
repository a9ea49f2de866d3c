"""Two PostgreSQL servers, a primary and its standby, as for failover; each of them can be lost in turn."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import URL

from tests.databases import run
from tests.postgresql_server import STANDBY, SUPERUSER, OwnServer, own_server

PASSWORD = "the-password-of-both"

# For either primary: nothing counts as committed before the standby has it on its disk.
SYNCHRONOUS = {"synchronous_standby_names": STANDBY}
ASYNCHRONOUS = {"synchronous_standby_names": "''"}


@contextmanager
def postgresql_pair(**settings: str) -> Iterator["PostgresqlPair"]:
    """Give a primary with its standby; both have these settings and write commits to the disk."""
    with ExitStack() as running:
        yield PostgresqlPair(running, {"fsync": "on", "wal_retrieve_retry_interval": "100ms"} | settings)


class PostgresqlPair:
    """A primary and its standby on two ports that stay the same when the roles change."""

    def __init__(self, running: ExitStack, settings: dict[str, str]) -> None:
        self._running = running
        self._settings = settings
        self.primary = self._start(port=None, follows=None)
        self.standby = self._start(port=None, follows=self.primary)
        self._ports = self.primary.port, self.standby.port
        # Only once the standby exists: otherwise the primary would wait for it.
        run(self.primary.url(), f"ALTER ROLE {SUPERUSER} PASSWORD '{PASSWORD}'")

    def url(self, **options: str) -> str:
        """Return the URL that names both, for servers; `options` are libpq's."""
        places = {"host": "127.0.0.1,127.0.0.1", "port": ",".join(map(str, self._ports))}
        url = URL.create("postgresql", SUPERUSER, PASSWORD, database="postgres", query=places | options)
        return url.render_as_string(hide_password=False)

    def promote_the_standby(self) -> None:
        """Make the standby a primary without a standby; the caller ends the former primary."""
        self.standby.promote()
        self.primary = self.standby

    def add_a_standby(self) -> None:
        """Add a new standby in the place of the former primary."""
        [free] = set(self._ports) - {self.primary.port}
        self.standby = self._start(port=free, follows=self.primary)

    def _start(self, *, port: int | None, follows: OwnServer | None) -> OwnServer:
        return self._running.enter_context(own_server(port=port, follows=follows, **self._settings))
