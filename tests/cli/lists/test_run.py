"""The run file: its key is on the disk before a ticket, and fits one raffle, one column and one list."""

import io
import json
import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.output import TicketFile
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.preview import Preview
from rafflekit.cli.lists.reading.layout import Columns, Layout
from rafflekit.cli.lists.run import LineKeys, open_run
from rafflekit.core import private_files
from tests.users import as_nobody

RAFFLE = UUID(int=1)
LINES = [
    Line(1, "ann"),
    Line(2, "ann"),
    Line(1, "bob"),
    Line(11, "x"),
    Line(1, "1:x"),
    Line(1, "ann", nth=2),
    Line(1, "ann", nth=11),
]


def begin(
    out: Path,
    content: bytes = b"who\nann\n",
    *,
    raffle_id: UUID = RAFFLE,
    column: str | None = None,
    count_column: str | None = None,
    most_each: int = 1,
) -> list[str]:
    """Begin or resume a run; return the keys of some lines."""
    layout = Layout(Columns(() if column is None else (column,), count_column))
    with open_run(out, raffle_id=raffle_id, layout=layout) as run:
        people = ParticipantList(io.BytesIO(content), name="people.csv", layout=run.layout, most_each=most_each)
        run.read(Preview(people, lambda _line: None))
        run.check(TicketFile(out), list_name="people.csv")
        keys = run.begin(TicketFile(out), is_complete=False)
    return [keys.key_of(line) for line in LINES]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A path for an output that does not exist yet."""
    return tmp_path / "tickets.csv"


@pytest.fixture
def run_file(out: Path) -> Path:
    """The path of that output's run file."""
    return out.with_name("tickets.csv.run")


def test_every_line_keeps_its_own_key_when_a_run_resumes(out: Path) -> None:
    keys = begin(out)

    assert begin(out) == keys
    assert len(set(keys)) == len(LINES)
    assert {len(key) for key in keys} == {32}


def test_another_run_or_raffle_has_different_keys(out: Path) -> None:
    other_run = begin(out.with_name("other.csv"))

    assert not set(begin(out)) & set(other_run)
    assert LineKeys(bytes(32), RAFFLE).key_of(LINES[0]) != LineKeys(bytes(32), UUID(int=2)).key_of(LINES[0])


def test_only_the_owner_can_read_a_run_file(out: Path, run_file: Path) -> None:
    before = os.umask(0)
    try:
        begin(out)
    finally:
        os.umask(before)

    assert stat.S_IMODE(run_file.stat().st_mode) == 0o600


def test_file_and_folder_are_synced_before_a_key_is_given(
    out: Path, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bytes]] = []

    def fsync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, run_file.read_bytes()))

    monkeypatch.setattr(private_files.os, "fsync", fsync)
    begin(out)

    written = run_file.read_bytes()
    assert synced == [(run_file.stat().st_ino, written), (out.parent.stat().st_ino, written)]


def test_an_incomplete_run_file_is_made_again(out: Path, run_file: Path) -> None:
    begin(out)
    whole = run_file.read_bytes()

    for length in range(len(whole)):
        run_file.write_bytes(whole[:length])
        keys = begin(out)

        assert run_file.read_bytes() != whole
        assert begin(out) == keys


@pytest.mark.parametrize("cut", range(100))
def test_an_incomplete_state_is_written_again(out: Path, run_file: Path, cut: int) -> None:
    keys = begin(out, b"ann\n")
    begun = run_file.read_bytes()
    assert begin(out, b"ann\nbob\n") == keys
    grown = run_file.read_bytes()
    assert grown.startswith(begun)

    run_file.write_bytes(grown[: max(len(begun), len(grown) - cut)])

    assert begin(out, b"ann\nbob\n") == keys
    assert run_file.read_bytes() == grown


@pytest.mark.parametrize(
    "later", [b"ann", b"ann\nbo", b"ann\nbobby", b"Ann\nbob,x", b"bob\nann\nbob,x", b'ann\n"bob,x"', b"ann\n\nbob,x"]
)
def test_a_list_with_a_different_beginning_is_refused(out: Path, run_file: Path, later: bytes) -> None:
    begin(out, b"ann\nbob,x")
    before = run_file.read_bytes()

    with pytest.raises(CommandStopped, match=r"people\.csv has changed since the last run began"):
        begin(out, later)

    assert run_file.read_bytes() == before


@pytest.mark.parametrize(
    "later", [b"ann\nbob\n", b"ann\nbob\ncy", b'\xef\xbb\xbf"ann"\r\nbob\r\n', b"ann\nbob\n\n\ncy"]
)
def test_a_list_may_grow_or_be_saved_in_another_form(out: Path, later: bytes) -> None:
    keys = begin(out, b"ann\nbob")

    assert begin(out, later) == keys


def test_a_line_may_ask_for_more_tickets_only_at_the_end(out: Path) -> None:
    def begin_with(*numbers: int) -> list[str]:
        content = "who,n\n" + "".join(f"ann,{number}\n" for number in numbers)
        return begin(out, content.encode(), column="who", count_column="n", most_each=3)

    keys = begin_with(1, 2)

    assert begin_with(1, 3) == keys
    with pytest.raises(CommandStopped, match="has changed"):
        begin_with(2, 3)
    with pytest.raises(CommandStopped, match="has changed"):
        begin_with(1, 2)


def test_a_list_without_a_participant_makes_no_run(out: Path, run_file: Path) -> None:
    with pytest.raises(CommandStopped, match=r"people\.csv contains no participants\."):
        begin(out, b"\n  \n")

    assert not run_file.exists()


def test_a_run_is_bound_to_its_raffle_and_columns(out: Path) -> None:
    counted = b"who,n\nann,1\n"
    begin(out.with_name("counted.csv"), counted, column="who", count_column="n")
    begin(out, column="who")

    with pytest.raises(CommandStopped, match="belongs to a run with --column 'who'; rerun it that way"):
        begin(out.with_name("counted.csv"), counted, column="n")
    with pytest.raises(CommandStopped, match="belongs to a run with --count-column 'n'; rerun it that way"):
        begin(out.with_name("counted.csv"), counted, column="who", count_column="who")
    with pytest.raises(CommandStopped, match="belongs to a run with --column 'who' and without --count-column; rerun"):
        begin(out, column="ann", count_column="n")

    with pytest.raises(CommandStopped, match=f"belongs to raffle {RAFFLE}; give this raffle's list another --out"):
        begin(out, raffle_id=UUID(int=2), column="who")


def test_upper_and_lower_case_of_a_column_do_not_count(out: Path) -> None:
    keys = begin(out, b"Who,N\nann,1\n", column="Who", count_column="N")

    assert begin(out, b"Who,N\nann,1\n", column=" who", count_column="n") == keys


def test_columns_that_differ_in_case_only_are_different(out: Path) -> None:
    content = b"Who,who\nann,bob\n"
    begin(out, content, column="Who")

    with pytest.raises(CommandStopped, match="has changed"):
        begin(out, content, column="who")


@pytest.mark.parametrize("separator", [b",", b";"])
def test_a_list_of_one_column_may_get_others(out: Path, separator: bytes) -> None:
    keys = begin(out, b"ann\nbob\n")

    assert begin(out, b"1,ann\n2,bob\n3,cy\n".replace(b",", separator), column="2") == keys


def test_a_resumed_run_need_not_be_told_the_layout_again(out: Path) -> None:
    keys = begin(out, b"who;town\nann;Rome\n", column="who")

    assert begin(out, b"who;town\nann;Rome\nbob;Oslo\n") == keys


def test_a_file_from_another_program_is_not_changed(out: Path, run_file: Path) -> None:
    for content in (b"running notes", b'{"rafflekit_run": 1, "key": "secret"}\n{}\n', b'{"rafflekit_run": 2, '):
        run_file.write_bytes(content)

        with pytest.raises(CommandStopped, match="give another --out") as stopped:
            begin(out)

        assert run_file.read_bytes() == content
        assert stopped.value.status == 2


def test_an_output_without_its_run_file_is_not_changed(out: Path, run_file: Path) -> None:
    out.write_bytes(b"precious")

    for content in (None, b"", b'{"rafflekit_run"'):
        if content is not None:
            run_file.write_bytes(content)
        with pytest.raises(CommandStopped, match=r"already exists, but tickets\.csv\.run is missing or incomplete"):
            begin(out)
        assert out.read_bytes() == b"precious"
        assert run_file.exists() == (content is not None)


def test_two_runs_never_write_one_output(out: Path) -> None:
    begin(out)
    with (
        open_run(out, raffle_id=RAFFLE, layout=Layout()),
        pytest.raises(CommandStopped, match="is being written by another run"),
        open_run(out, raffle_id=RAFFLE, layout=Layout()),
    ):
        pass

    assert begin(out)


def test_one_of_two_runs_that_begin_at_once_is_refused(out: Path) -> None:
    people = ParticipantList(io.BytesIO(b"ann"), name="people.csv")
    with (
        open_run(out, raffle_id=RAFFLE, layout=Layout()) as first,
        open_run(out, raffle_id=RAFFLE, layout=Layout()) as second,
    ):
        for run in (first, second):
            run.read(Preview(people, lambda _line: None))
        first.begin(TicketFile(out), is_complete=False)

        with pytest.raises(CommandStopped, match="is being written by another run"):
            second.begin(TicketFile(out), is_complete=False)


def test_the_key_is_in_no_repr(out: Path, run_file: Path) -> None:
    begin(out)
    key = json.loads(run_file.read_bytes().splitlines()[0])["key"]

    with open_run(out, raffle_id=RAFFLE, layout=Layout()) as run:
        assert key not in repr(run) + repr(vars(run))
        assert repr(bytes.fromhex(key)) not in repr(vars(run))


@pytest.mark.parametrize("file", ["tickets.csv", "tickets.csv.run"])
def test_files_that_cannot_be_opened_say_what_to_do(tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The user `nobody` may not look at the folders above.
    monkeypatch.chdir(tmp_path)
    out = Path("tickets.csv")
    begin(out)
    out.touch(0o600)
    Path(file).chmod(0o400)

    def resume() -> None:
        begin(out)
        with TicketFile(out).append():
            pass

    with as_nobody(tmp_path), pytest.raises(CommandStopped) as stopped:
        resume()

    assert str(stopped.value) == (
        f"{file} cannot be opened: Permission denied. Give yourself the right to read and write it, and rerun the "
        "command."
    )
    assert stopped.value.status == 74
