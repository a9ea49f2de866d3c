"""Private files: what another user has made, or can read, change or replace, is refused and stays as it is."""

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from rafflekit.core import private_files
from rafflekit.core.private_files import NotPrivate, exposure, folder_exposure, partial_file, private, private_target
from tests.users import NOBODY, needs_root

READING, APPENDING, WRITING = "rb", "ab", "a+b"


def refusal_of(file: Path, mode: str = WRITING) -> str:
    """Try to open a file, and return why it is not private; it stays unchanged."""
    before = os.lstat(file)
    with pytest.raises(NotPrivate) as refused:
        open(file, mode, opener=private)  # noqa: SIM115 - it is not opened
    after = os.lstat(file)
    assert (after.st_size, after.st_mtime_ns, after.st_mode) == (before.st_size, before.st_mtime_ns, before.st_mode)
    assert str(refused.value.strerror) == f"{file} is not private: {refused.value.problem}"
    return refused.value.problem


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A private file."""
    file = tmp_path / "tickets.csv"
    file.write_text("ann,ABCD")
    return file


@pytest.mark.usefixtures("loose_umask")
@pytest.mark.parametrize("mode", ["xb", APPENDING, WRITING])
def test_a_new_file_is_private_from_its_first_byte(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "own"
    folder.mkdir(0o700)

    with open(folder / "new", mode, opener=private) as opened:
        assert stat.S_IMODE(os.fstat(opened.fileno()).st_mode) == 0o600


@pytest.mark.parametrize("mode", [READING, APPENDING, WRITING])
@pytest.mark.parametrize("rights", [0o600, 0o640, 0o750])
def test_a_private_file_is_opened(file: Path, mode: str, rights: int) -> None:
    file.chmod(rights)

    with open(file, mode, opener=private) as opened:
        assert os.fstat(opened.fileno()).st_ino == file.stat().st_ino
    assert file.read_text() == "ann,ABCD"


@pytest.mark.parametrize("mode", [READING, APPENDING, WRITING])
@pytest.mark.parametrize(
    ("rights", "right", "command"),
    [
        (0o604, "read", "chmod o= "),
        (0o601, "read", "chmod o= "),
        (0o644, "read", "chmod o= "),
        (0o602, "change", "chmod g-w,o= "),
        (0o620, "change", "chmod g-w,o= "),
        (0o666, "change", "chmod g-w,o= "),
    ],
)
def test_a_file_that_others_can_use_is_refused(file: Path, mode: str, rights: int, right: str, command: str) -> None:
    file.chmod(rights)

    problem = refusal_of(file, mode)

    assert problem.startswith(f"other users can {right} it (mode {rights:04o})")
    assert problem.endswith(f"run '{command}{file}'")
    file.chmod(rights & 0o750 & ~0o020)
    open(file, mode, opener=private).close()


@needs_root
@pytest.mark.parametrize("mode", [READING, APPENDING, WRITING])
def test_a_file_that_another_user_made_is_refused(file: Path, mode: str) -> None:
    os.chown(file, NOBODY, NOBODY)

    problem = refusal_of(file, mode)

    assert f"it belongs to another user (number {NOBODY}); name another file" in problem
    assert problem.endswith(f"run this as that user (sudo -u '#{NOBODY}' …)")


@needs_root
def test_a_file_of_root_is_accepted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root can read and change everything anyway; secrets that are mounted into containers belong to it."""
    monkeypatch.setattr(os, "geteuid", lambda: 1234)

    open(file, READING, opener=private).close()


@pytest.mark.parametrize("mode", [READING, WRITING, "xb"])
@pytest.mark.parametrize("target", ["tickets.csv", "nowhere"])
def test_a_link_is_not_followed(file: Path, mode: str, target: str) -> None:
    link = file.with_name("link")
    link.symlink_to(target)

    if mode == "xb":
        with pytest.raises(FileExistsError):
            open(link, mode, opener=private)  # noqa: SIM115 - it is not opened
    else:
        assert refusal_of(link, mode) == "it is a symbolic link; name the file itself"
    assert not file.with_name("nowhere").exists()


def test_a_link_is_followed_only_to_a_private_file(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)

    open(link, READING, opener=private_target).close()
    file.chmod(0o644)
    with pytest.raises(NotPrivate, match="other users can read it"):
        open(link, READING, opener=private_target)  # noqa: SIM115 - it is not opened


def test_a_file_with_a_second_name_is_read_but_not_written(file: Path) -> None:
    os.link(file, file.with_name("precious"))

    open(file, READING, opener=private).close()
    for mode in (APPENDING, WRITING):
        assert "it has another name too (a hard link)" in refusal_of(file, mode)


@pytest.mark.parametrize("mode", [READING, WRITING])
def test_a_pipe_does_not_hold_anyone_up(tmp_path: Path, mode: str) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    assert refusal_of(tmp_path / "pipe", mode) == "it is not a regular file"


@pytest.mark.parametrize("mode", [READING, WRITING, "xb"])
def test_a_folder_in_which_others_replace_files_is_refused(file: Path, mode: str) -> None:
    file.parent.chmod(0o777)
    path = file.with_name("new") if mode == "xb" else file

    with pytest.raises(NotPrivate, match=f"replace files in its folder {file.parent}; run 'chmod o-w {file.parent}'"):
        open(path, mode, opener=private)  # noqa: SIM115 - it is not opened
    with pytest.raises(NotPrivate), partial_file(path):
        pass

    assert os.listdir(file.parent) == [file.name]


@pytest.mark.parametrize("rights", [0o755, 0o775, 0o1777])
def test_a_folder_in_which_others_replace_no_file_is_accepted(file: Path, rights: int) -> None:
    file.parent.chmod(rights)

    open(file, WRITING, opener=private).close()
    open(file.with_name("new"), "xb", opener=private).close()


def test_a_sticky_folder_will_not_do_for_a_database(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    assert folder_exposure(tmp_path) is None
    found = folder_exposure(tmp_path, holds_still=False)

    assert found == f"other users can make files in its folder {tmp_path}; use a folder of your own"


@pytest.mark.parametrize("is_written", [True, False])
def test_a_file_that_is_opened_by_its_name_is_looked_at(file: Path, is_written: bool) -> None:
    link = file.with_name("link")
    link.symlink_to(file)

    assert exposure(file, is_written=is_written) is None
    assert exposure(file.with_name("missing"), is_written=is_written) is None
    assert (exposure(link, is_written=is_written) is None) is not is_written
    file.chmod(0o646)
    assert "other users can change it" in str(exposure(file, is_written=is_written))


Look = Callable[[Path], os.stat_result | None]


def looking_like(*, uid: int, mode: int) -> Look:
    """Return what a new private file looks like on a file system that keeps neither owners nor rights."""
    return lambda _: os.stat_result((stat.S_IFREG | mode, 0, 0, 1, uid, 0, 0, 0, 0, 0))


def test_a_file_system_without_rights_is_no_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, a new private file has the same ones: a memory stick, a network folder, a disk of Windows."""
    file.chmod(0o777)
    file.parent.chmod(0o777)
    monkeypatch.setattr(private_files, "_new_file_in", looking_like(uid=os.geteuid(), mode=0o777))

    open(file, WRITING, opener=private).close()
    assert folder_exposure(file.parent, holds_still=False) is None

    monkeypatch.setattr(private_files, "_new_file_in", looking_like(uid=os.geteuid(), mode=0o755))
    file.parent.chmod(0o755)
    assert "other users can change it" in refusal_of(file)


@needs_root
def test_a_file_system_without_owners_is_no_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(file, NOBODY, NOBODY)
    monkeypatch.setattr(private_files, "_new_file_in", looking_like(uid=NOBODY, mode=0o600))

    open(file, WRITING, opener=private).close()

    file.chmod(0o666)
    assert "other users can change it" in refusal_of(file)


def test_a_folder_where_nothing_can_be_made_is_no_excuse(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o644)
    monkeypatch.setattr(private_files.tempfile, "TemporaryFile", _refused)

    assert "other users can read it" in refusal_of(file, READING)


def _refused(**_: object) -> None:
    raise PermissionError


@needs_root
@pytest.mark.parametrize("rights", [0o755, 0o2775, 0o1777])
def test_another_users_folder_is_refused_even_if_sticky(
    file: Path, rights: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner can replace every file in it. Root is trusted, and decides for itself."""
    os.chown(file, 1234, 1234)
    os.chown(file.parent, NOBODY, NOBODY)
    file.parent.chmod(rights)
    assert folder_exposure(file.parent) is None

    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    problem = f"its folder {file.parent} belongs to another user (number {NOBODY}); use a folder of your own"
    assert folder_exposure(file.parent) == problem
    assert refusal_of(file) == problem


@pytest.mark.parametrize(("members", "is_refused"), [((), False), (("me",), False), (("me", "ann"), True)])
def test_a_group_folder_is_private_only_without_others(
    file: Path, monkeypatch: pytest.MonkeyPatch, members: tuple[str, ...], is_refused: bool
) -> None:
    """With a umask of 002, a user's own group may write to every folder, and has no other members."""
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_mem=members))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me"))
    file.parent.chmod(0o2775)

    found = folder_exposure(file.parent)

    assert (found is not None) is is_refused
    if found is not None:
        assert f"run 'chmod g-w {file.parent}'" in found
