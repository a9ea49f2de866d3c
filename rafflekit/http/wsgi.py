"""`rafflekit.http.wsgi:application`, for any WSGI server.

Importing this module opens nothing; asking for `application` reads the environment and opens the database, once.
With a server that forks its workers, let each worker import it (gunicorn does so without `--preload`): a database
connection does not survive a fork.
"""

import atexit
import os
from collections.abc import Mapping
from functools import cache

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.app import WsgiApp, create_app


def application_from_env(environment: Mapping[str, str]) -> WsgiApp:
    """Return an application on the database and with the settings that an environment names.

    The database is closed when the process ends.

    Raises:
        InvalidSetting: a value cannot be read.
        SchemaMismatch, StorageUnavailable: the database cannot be used.
    """
    settings = Settings.from_env(environment)
    engine = RaffleEngine(settings.database_url, code_hasher=settings.code_hasher)
    atexit.register(engine.close)
    return create_app(engine, settings)


@cache
def _application() -> WsgiApp:
    return application_from_env(os.environ)


def __getattr__(name: str) -> WsgiApp:
    if name == "application":
        return _application()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
