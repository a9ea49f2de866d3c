"""The operator's signing key: named by a setting, or made at its first use beside a SQLite file.

It is a file with one line (`ledger.notes`), for its owner alone. Whoever has it can sign other histories; who loses it
cannot sign for the raffles that were begun with it.
"""

import logging
import os
import stat
from pathlib import Path

from rafflekit.core.errors import InvalidSetting, StorageUnavailable
from rafflekit.core.ledger.notes import OPERATOR, NoteWrong, SignerKey
from rafflekit.core.private_files import partial_file, sync, sync_name
from rafflekit.core.settings import KEY_NAME, SIGNING_KEY, Settings

_KEY_FILE_BYTES = 4096

_log = logging.getLogger(__name__)


def read_signing_key(file: Path, *, setting: str = SIGNING_KEY.name) -> SignerKey:
    """Read a key from its file, which this setting names.

    Raises:
        InvalidSetting: there is none, it may not be read, or it holds no key.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_KEY_FILE_BYTES)
            mode = os.fstat(opened.fileno()).st_mode
    except OSError as error:
        raise InvalidSetting(setting, str(file), f"the key cannot be read: {error.strerror}.") from error
    # Not refused: where secrets are mounted into containers, this is how they come. Windows has no such rights.
    if mode & stat.S_IROTH and os.name != "nt":
        _log.warning("The key %s can be read by everybody on this machine; 'chmod o= %s' ends that.", file, file)
    try:
        return SignerKey.read(content.decode().strip())
    # UnicodeDecodeError is a ValueError. Not "from": the cause could show the key.
    except (NoteWrong, ValueError) as error:
        reason = str(error) if isinstance(error, NoteWrong) else "it is no text"
        raise InvalidSetting(setting, str(file), f"{reason}; 'rafflekit key make' makes one.") from None


def signing_key_of(settings: Settings) -> SignerKey | None:
    """Return the key that the settings name, or None if they name none.

    Raises:
        InvalidSetting: there is none, it may not be read, or it holds no key.
    """
    if settings.signing_key is None:
        return None
    key = read_signing_key(settings.signing_key)
    if key.kind != OPERATOR:
        raise InvalidSetting(
            SIGNING_KEY.name, str(settings.signing_key), "it is a witness's key; 'rafflekit key make' makes another."
        )
    return key


def make_signing_key(file: Path, *, name: str = KEY_NAME, kind: int = OPERATOR) -> SignerKey:
    """Make a new key in a new file; nothing is overwritten. It is there whole, or not at all.

    Raises:
        InvalidSetting: no key can have this name, or there is a file already.
        StorageUnavailable: the file cannot be written.
    """
    try:
        key = SignerKey.make(name, kind=kind)
    except NoteWrong as error:
        raise InvalidSetting("name", name, f"{error}.") from error
    try:
        with partial_file(file) as partial:
            with partial.open("w", encoding="utf-8") as opened:
                opened.write(f"{key.write()}\n")
                sync(opened, file)
            # Not a rename, which would overwrite a key that another process made meanwhile.
            os.link(partial, file)
            sync_name(file)
    except FileExistsError as error:
        raise InvalidSetting("file", str(file), "it is there already, and no key is ever overwritten.") from error
    except OSError as error:
        raise StorageUnavailable(f"The key {file} cannot be made: {error.strerror}.") from error
    return key


def signing_key_beside(file: Path) -> SignerKey:
    """Return the key in this file, made if there is none; of several processes one makes it.

    Raises:
        InvalidSetting: there is a file, and no key in it.
        StorageUnavailable: it cannot be made.
    """
    if not os.path.lexists(file):
        try:
            return make_signing_key(file)
        except InvalidSetting:
            # Another process was faster.
            pass
    return read_key_beside(file)


def read_key_beside(file: Path) -> SignerKey:
    """Read the key of a database that has it beside it, which no setting names.

    Raises:
        InvalidSetting: there is none, it may not be read, or it holds no key.
    """
    return read_signing_key(file, setting="The signing key")
