"""The operator's signing key: named by a setting, or made at its first use next to a SQLite file.

It is a file with one line (`protocol.notes`) that only its owner can read. Anyone who has the key can sign false
histories; without it, raffles started with it can neither issue tickets nor be drawn.
"""

import os
from pathlib import Path

from rafflekit.core.errors import InvalidSetting, InvalidValue, SigningKeyUnavailable, StorageUnavailable
from rafflekit.core.private_files import NotPrivate, partial_file, private_target, require_folder, sync, sync_name
from rafflekit.core.protocol.notes import OPERATOR, WITNESS, NoteWrong, SignerKey
from rafflekit.core.settings import KEY_NAME, SIGNING_KEY, Settings

_KEY_FILE_BYTES = 4096

_KINDS = {OPERATOR: "an operator", WITNESS: "a witness"}


def read_signing_key(file: Path, *, setting: str = SIGNING_KEY.name, kind: int = OPERATOR) -> SignerKey:
    """Read a key of this kind (`notes.OPERATOR`, `notes.WITNESS`) from the file that a setting or an option names.

    Raises:
        InvalidSetting: the file is missing or cannot be read, or does not hold a key of this kind.
    """
    try:
        return _read_of_kind(file, kind)
    except _KeyWrong as error:
        option = "" if kind == OPERATOR else " --witness"
        advice = "" if error.is_out_of_reach else f"; 'rafflekit key make{option}' makes one"
        raise InvalidSetting(setting, str(file), f"{error}{advice}.") from error


def read_any_signing_key(file: Path) -> SignerKey:
    """Read a key of either kind from a file.

    Raises:
        InvalidValue: the file is missing or cannot be read, or does not hold a key.
    """
    try:
        return _read(file)
    except _KeyWrong as error:
        raise InvalidValue("file", f"{file} cannot be used: {error}.") from error


def signing_key_of(settings: Settings) -> SignerKey | None:
    """Return the key that the settings name, or None if they do not name one.

    Raises:
        InvalidSetting: the file is missing or cannot be read, or does not hold an operator's key.
    """
    return None if settings.signing_key is None else read_signing_key(settings.signing_key)


def make_signing_key(file: Path, *, name: str = KEY_NAME, kind: int = OPERATOR) -> SignerKey:
    """Make a new key in a new file, completely or not at all; nothing is overwritten.

    Raises:
        InvalidValue: a key cannot have this name, or the file already exists, or its folder does not.
        StorageUnavailable: the file cannot be written.
    """
    try:
        key = SignerKey.make(name, kind=kind)
    except NoteWrong as error:
        raise InvalidValue("name", f"{error}.") from error
    require_folder(file, field="file")
    try:
        with partial_file(file) as partial:
            with partial.open("w", encoding="utf-8") as opened:
                opened.write(f"{key.write()}\n")
                sync(opened, file)
            # Not a rename, which would overwrite a key that another process has made in between.
            os.link(partial, file)
            sync_name(file)
    except FileExistsError as error:
        raise InvalidValue("file", f"{file} already exists, and keys are never overwritten.") from error
    except OSError as error:
        raise StorageUnavailable(f"The key {file} cannot be made: {error.strerror}.") from error
    return key


def signing_key_beside(file: Path) -> SignerKey:
    """Return the key in this file, making it if the file is missing; of several processes, one makes it.

    Raises:
        SigningKeyUnavailable: the file cannot be read, or does not hold an operator's key.
        StorageUnavailable: it cannot be made.
    """
    if not os.path.lexists(file):
        try:
            return make_signing_key(file)
        except InvalidValue as error:
            # Otherwise, another process was faster.
            if not os.path.lexists(file):
                raise StorageUnavailable(f"The key {file} cannot be made: {error.reason}") from error
    return read_key_beside(file)


def read_key_beside(file: Path) -> SignerKey:
    """Read the key next to a database.

    Raises:
        SigningKeyUnavailable: the file is missing or cannot be read, or does not hold an operator's key.
    """
    try:
        return _read_of_kind(file, OPERATOR)
    except _KeyWrong as error:
        raise SigningKeyUnavailable(f"The signing key {file} cannot be used: {error}.") from error


class _KeyWrong(Exception):
    """What is wrong with a key's file; it never has a cause, which could contain the key."""

    def __init__(self, reason: str, *, is_out_of_reach: bool = False) -> None:
        super().__init__(reason)
        self.is_out_of_reach = is_out_of_reach


def _read_of_kind(file: Path, kind: int) -> SignerKey:
    key = _read(file)
    if key.kind != kind:
        raise _KeyWrong(f"it is {_KINDS[key.kind]}'s key, not {_KINDS[kind]}'s")
    return key


def _read(file: Path) -> SignerKey:
    try:
        with open(file, "rb", opener=private_target) as opened:
            content = opened.read(_KEY_FILE_BYTES)
    except NotPrivate as error:
        raise _KeyWrong(error.problem, is_out_of_reach=True) from None
    except OSError as error:
        raise _KeyWrong(f"the key cannot be read: {error.strerror}", is_out_of_reach=True) from None
    try:
        return SignerKey.read(content.decode().strip())
    except NoteWrong as error:
        raise _KeyWrong(str(error)) from None
    except ValueError:
        raise _KeyWrong("it is not a text file") from None
