"""Files that commands write with `--out`."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rafflekit.cli import new_files
from rafflekit.cli.failures import Terminated

SIGNALS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
STEPS = {"sync": "not written", "_name": "written", "sync_name": "written"}


@pytest.mark.parametrize("end", SIGNALS)
@pytest.mark.parametrize("step", STEPS)
def test_a_signal_at_the_end_says_whether_the_file_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    end: signal.Signals,
    step: str,
) -> None:
    does: Callable[..., None] = getattr(new_files, step)

    def done_when_the_signal_comes(*arguments: object, **options: bool) -> None:
        does(*arguments, **options)
        signal.raise_signal(end)

    monkeypatch.setattr(new_files, step, done_when_the_signal_comes)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SIGNALS[end]), new_files.new_file(Path("out.csv"), is_private=True) as file:
        file.write(b"mine")

    assert capsys.readouterr().err == f"out.csv was {STEPS[step]}.\n"
    left = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert left == ({"out.csv": "mine"} if STEPS[step] == "written" else {})
