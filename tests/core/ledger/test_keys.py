"""A signing key's file: anyone who can read it can sign false histories."""

from pathlib import Path

import pytest

from rafflekit import InvalidSetting, InvalidValue, SigningKeyUnavailable, StorageUnavailable
from rafflekit.core.ledger.keys import make_signing_key, read_signing_key, signing_key_beside
from rafflekit.core.protocol.notes import OPERATOR, WITNESS


@pytest.mark.parametrize(("mode", "right"), [(0o644, "read"), (0o604, "read"), (0o602, "change"), (0o660, "change")])
def test_a_key_that_other_users_can_use_is_refused(tmp_path: Path, mode: int, right: str) -> None:
    file = tmp_path / "raffles.key"
    made = make_signing_key(file)
    file.chmod(mode)

    with pytest.raises(InvalidSetting) as refusal:
        read_signing_key(file)

    assert str(refusal.value).startswith(
        f"RAFFLEKIT_SIGNING_KEY is '{file}': other users can {right} it (mode 0{mode:o}); "
    )
    assert f"chmod o= {file}" in str(refusal.value).replace("g-w,", "")
    assert made.write() not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o400])
def test_a_key_that_only_its_group_can_read_is_accepted(tmp_path: Path, mode: int) -> None:
    """Secrets that are mounted into containers have such permissions."""
    file = tmp_path / "raffles.key"
    made = make_signing_key(file)
    file.chmod(mode)

    assert str(read_signing_key(file).verifier) == str(made.verifier)


def test_a_key_mounted_as_kubernetes_does_it_is_accepted(tmp_path: Path) -> None:
    """The name is a link to a link, in a folder that is sticky and open to all."""
    made = make_signing_key(tmp_path / "made")
    volume = tmp_path / "volume"
    (volume / "..2026").mkdir(parents=True)
    (tmp_path / "made").rename(volume / "..2026" / "raffles.key")
    (volume / "..data").symlink_to("..2026")
    (volume / "raffles.key").symlink_to("..data/raffles.key")
    (volume / "..2026" / "raffles.key").chmod(0o440)
    volume.chmod(0o1777)

    assert str(read_signing_key(volume / "raffles.key").verifier) == str(made.verifier)


@pytest.mark.parametrize(("kind", "other", "named"), [(OPERATOR, WITNESS, "a witness's"), (WITNESS, OPERATOR, "an op")])
def test_a_key_of_the_other_kind_is_refused(tmp_path: Path, kind: int, other: int, named: str) -> None:
    file = tmp_path / "other.key"
    make_signing_key(file, kind=other)

    with pytest.raises(InvalidSetting, match=named):
        read_signing_key(file, kind=kind)


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (None, OPERATOR, "the key cannot be read: No such file or directory."),
        (
            "nonsense",
            OPERATOR,
            "it is not a signing key; 'rafflekit key make' makes one.",
        ),
        (b"\xff", WITNESS, "it is not a text file; 'rafflekit key make --witness' makes one."),
    ],
)
def test_a_file_that_is_not_a_key_is_refused_with_the_reason(
    tmp_path: Path, content: str | bytes | None, kind: int, reason: str
) -> None:
    file = tmp_path / "raffles.key"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(InvalidSetting) as refusal:
        read_signing_key(file, setting="--key", kind=kind)

    assert str(refusal.value) == f"--key is '{file}': {reason}"


def test_a_witness_key_next_to_a_database_signs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "raffles.db.key"
    make_signing_key(file, kind=WITNESS)

    with pytest.raises(SigningKeyUnavailable, match="it is a witness's key, not an operator's"):
        signing_key_beside(file)


@pytest.mark.usefixtures("loose_umask")
def test_a_new_key_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    make_signing_key(tmp_path / "raffles.key")

    assert (tmp_path / "raffles.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("file", "name", "refusal"),
    [
        ("new.key", "two words", "name: a key's name has 1 to 200 "),
        ("taken.key", "raffles", "file: {file} already exists, and keys are never overwritten."),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_with_the_reason(
    tmp_path: Path, file: str, name: str, refusal: str
) -> None:
    (tmp_path / "taken.key").write_text("precious")

    with pytest.raises(InvalidValue) as refused:
        make_signing_key(tmp_path / file, name=name)

    assert str(refused.value).startswith(refusal.format(file=tmp_path / file))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("taken.key", "precious")]


def test_a_key_without_a_folder_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "raffles.key"

    with pytest.raises(InvalidValue) as refused:
        make_signing_key(file)

    assert str(refused.value) == f"file: there is no folder {file.parent}."


def test_a_key_beside_a_database_needs_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "raffles.db.key"

    with pytest.raises(StorageUnavailable) as refused:
        signing_key_beside(file)

    assert str(refused.value) == f"The key {file} cannot be made: there is no folder {file.parent}."
