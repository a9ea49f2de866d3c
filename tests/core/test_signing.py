"""A signing key's file: whoever can read it can sign other histories."""

import logging
from pathlib import Path

import pytest

from rafflekit.core.signing import make_signing_key, read_signing_key


@pytest.mark.parametrize(("mode", "is_for_everybody"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)])
def test_a_key_that_everybody_can_read_is_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, is_for_everybody: bool
) -> None:
    file = tmp_path / "raffles.key"
    made = make_signing_key(file)
    file.chmod(mode)

    with caplog.at_level(logging.WARNING):
        assert str(read_signing_key(file).verifier) == str(made.verifier)

    told = [f"The key {file} can be read by everybody on this machine; 'chmod o= {file}' ends that."]
    assert caplog.messages == (told if is_for_everybody else [])
    assert made.write() not in caplog.text


def test_a_new_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_signing_key(tmp_path / "raffles.key")

    assert (tmp_path / "raffles.key").stat().st_mode & 0o777 == 0o600
