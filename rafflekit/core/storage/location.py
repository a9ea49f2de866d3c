"""Where the raffles are kept unless a URL says otherwise."""

import platformdirs
from sqlalchemy import URL

from rafflekit.core.errors import StorageUnavailable


def default_database_url() -> str:
    """Return the URL of `raffles.db` in the user's data folder, made if need be.

    Raises:
        StorageUnavailable: the folder cannot be made.
    """
    folder = platformdirs.user_data_path("rafflekit", appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return URL.create("sqlite", database=str(folder / "raffles.db")).render_as_string()
