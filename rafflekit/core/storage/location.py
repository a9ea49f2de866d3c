"""Which database a URL names, and which one is used without a URL."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from rafflekit.core.errors import NAMELESS_URL, InvalidSetting, StorageUnavailable
from rafflekit.core.storage.backend import Backend
from rafflekit.core.storage.sqlite import Sqlite

_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


def url_or_default(url: str | None, *, makes_folder: bool = True) -> str:
    """Return the URL; without one, that of `raffles.db` in the user's data folder, which is made if necessary.

    Raises:
        StorageUnavailable: the folder cannot be made.
    """
    if url is not None:
        return url
    # Imported only where the URL does not say the place.
    import platformdirs

    folder = platformdirs.user_data_path("rafflekit", appauthor=False)
    try:
        if makes_folder:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return URL.create("sqlite", database=str(folder / "raffles.db")).render_as_string()


def backend_of(text: str) -> Backend:
    """Return the database that a URL names; nothing is opened or made.

    Raises:
        InvalidSetting: the text is not a URL, or names a database that is not supported.
    """
    try:
        url = make_url(text)
    # ValueError: a port that is not a number, or unbalanced brackets.
    except (ArgumentError, ValueError) as error:
        raise _wrong_url(text, "write it as sqlite:///raffles.db or postgresql://user@host/database.") from error
    if url.drivername in _POSTGRESQL:
        if "@" in (url.host or ""):
            raise _wrong_url(text, "an @ in a password is written %40.")
        # Imported only for such a URL: a command on a SQLite file is to start quickly.
        from rafflekit.core.storage.postgresql import Postgresql

        return Postgresql(url)
    if url.drivername not in _SQLITE:
        supported = "sqlite:///raffles.db and postgresql://user@host/database are supported, with psycopg as driver."
        raise _wrong_url(text, supported)
    if url.query or url.host or url.port or url.username is not None:
        raise _wrong_url(text, "it takes a path only: three slashes, then the file.")
    return Sqlite(url)


def _wrong_url(text: str, reason: str) -> InvalidSetting:
    # The rest may contain a password, except in the URL of a SQLite file.
    scheme, colon, rest = text.partition(":")
    shown = text if not colon or (scheme in _SQLITE and "@" not in rest) else f"{scheme}:…"
    return InvalidSetting(NAMELESS_URL, shown, reason)
