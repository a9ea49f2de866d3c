"""The list that `participate --from` reads, line by line."""

import csv
import io
import os
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList, open_list
from rafflekit.cli.lists.reading.layout import Columns, Layout
from rafflekit.core import limits
from tests.ticket_lists import on_one_line

TOO_LONG = "begins a record of more than 1,048,576 characters; a closing quote may be missing"

cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


def lines_of(
    content: bytes,
    *,
    column: str | None = None,
    count_column: str | None = None,
    header: bool | None = None,
    separator: str | None = None,
    most_each: int = 1,
) -> list[Line]:
    columns = Columns(() if column is None else (column,), count_column)
    layout = Layout(columns, header=header, separator=separator)
    return list(ParticipantList(io.BytesIO(content), name="people.csv", layout=layout, most_each=most_each))


@given(others=st.lists(cells))
def test_a_list_loses_nothing_but_line_breaks(others: list[str]) -> None:
    # Another first text could name the separator.
    people = ["ann", *others]
    written = io.StringIO()
    csv.writer(written).writerows([person] for person in people)

    read = lines_of(written.getvalue().encode(), header=False, separator=",")

    assert [line.participant for line in read] == [on_one_line(person) for person in people if person.strip()]


@given(rows=st.lists(st.tuples(cells, cells), max_size=8))
def test_a_record_has_the_number_of_its_first_line(rows: list[tuple[str, str]]) -> None:
    content, begins = b"note,who\r\n", []
    for note, who in rows:
        begins.append(content.count(b"\n") + 1)
        written = io.StringIO()
        csv.writer(written, quoting=csv.QUOTE_ALL).writerow([note, who])
        content += written.getvalue().encode()

    read = lines_of(content, column="who", separator=",")

    texts = [(begin, on_one_line(who)) for begin, (note, who) in zip(begins, rows, strict=True) if (note + who).strip()]
    assert [(line.number, line.participant) for line in read] == texts


def test_a_list_may_have_a_byte_order_mark() -> None:
    assert lines_of(b"\xef\xbb\xbfann\r\nbob") == [Line(1, "ann"), Line(2, "bob")]
    assert lines_of(b"\xef\xbb\xbfwho\nann", column="who") == [Line(2, "ann")]


def test_blank_lines_are_skipped_but_count_as_lines() -> None:
    assert lines_of(b"\n  \nann\n\nbob\n") == [Line(3, "ann"), Line(5, "bob")]
    assert lines_of(b"who,city\n,\n , \nann,Rome\n,Oslo\n", column="who") == [Line(4, "ann"), Line(5, "")]


def test_a_named_column_is_read_in_any_position() -> None:
    assert lines_of(b"city, e-mail\nRome,ann@example.org\nOslo\n", column="e-mail") == [
        Line(2, "ann@example.org"),
        Line(3, ""),
    ]


def test_a_line_with_more_columns_than_the_list_is_refused_alone() -> None:
    many = "The line has 3 columns instead of 1."

    assert lines_of(b"ann\nbob,cy,dan\neve\n") == [Line(1, "ann"), Line(2, "bob,cy,dan", many), Line(3, "eve")]


@pytest.mark.parametrize(
    ("content", "column", "sentence"),
    [
        (
            b"ann,Rome\n",
            None,
            "Line 1 of people.csv has 2 columns: 'ann', 'Rome'. Choose one with --column NAME or, if there is no line "
            "with the names of columns, with --no-header --column 1. If each line is one participant, give --separator "
            "none.",
        ),
        (b"ann,Rome\n", "who", "Line 1 of people.csv has no column 'who', only 'ann', 'Rome'."),
        (b"who,who\nann,bob\n", "who", "Line 1 of people.csv has 2 columns named 'who'; rename those that"),
        (b"", "who", "Line 1 of people.csv has no column 'who': the list is empty."),
        (b"ann\nb\xfcb\n", None, "Line 2 of people.csv is not UTF-8"),
        (b"ann\nbob\n\xff\xfea\x00", None, "Line 3 of people.csv is not UTF-8"),
        (b'ann\n"bob\ncy\n', None, "Line 2 of people.csv is not CSV: a quote is opened but never closed."),
        (b'ann\n"bob" or cy\n', None, "Line 2 of people.csv is not CSV: text follows a closing quote"),
        (b"ann\rbob\r", None, "Line 1 of people.csv is not CSV: it contains a carriage return"),
        (b"ann\n" + b"x" * 200_000, None, "Line 2 of people.csv is not CSV: a field is too long"),
        (b"ann\n" + b"x," * limits.RECORD_CHARACTERS, None, f"Line 2 of people.csv {TOO_LONG}."),
        # Each line is short, and no cell is long: only the record is.
        (b'ann\nbob,"\n' + b'",,,,"\n' * limits.RECORD_CHARACTERS, None, f"Line 2 of people.csv {TOO_LONG}."),
        (
            b"ann\n" + b"," * limits.RECORD_CELLS,
            None,
            "Line 2 of people.csv has 1,001 cells, and at most 1,000 are possible; remove columns.",
        ),
    ],
)
def test_an_unreadable_list_is_refused_by_its_line(content: bytes, column: str | None, sentence: str) -> None:
    with pytest.raises(CommandStopped) as stopped:
        lines_of(content, column=column)

    assert str(stopped.value).startswith(sentence)
    assert stopped.value.status == 2


def test_a_record_of_the_largest_size_is_read() -> None:
    longest = b'"' + b"a\n" * 60_000 + b'",'
    whole = longest * (limits.RECORD_CHARACTERS // len(longest))
    whole += b"b" * (limits.RECORD_CHARACTERS - len(whole) - 1) + b"\n"
    widest = b"who" + b"," * (limits.RECORD_CELLS - 1) + b"\n"
    assert len(whole) == limits.RECORD_CHARACTERS

    assert [line.number for line in lines_of(widest + whole * 2, column="who")] == [2, 2 + whole.count(b"\n")]


def test_many_cells_take_little_memory() -> None:
    """62 million cells in one record, over many lines, took 727 MB."""
    record = io.BytesIO(b'who\n"' + (b'",' + b"," * 100_000 + b'"\n') * 100)

    tracemalloc.start()
    with pytest.raises(CommandStopped, match="begins a record of more than"):
        list(ParticipantList(record, name="people.csv", layout=Layout(Columns(("who",)))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 16 * limits.RECORD_CHARACTERS


def test_the_error_about_a_missing_column_stays_short() -> None:
    header = ",".join(f"column {number}" for number in range(limits.RECORD_CELLS)).encode()

    with pytest.raises(CommandStopped, match="'column 19' …") as stopped:
        lines_of(header, column="who")

    assert len(str(stopped.value)) < 500


def test_a_list_must_be_a_regular_file_or_a_pipe(tmp_path: Path) -> None:
    for path, sentence in [
        (tmp_path, "is neither a regular file nor a pipe."),
        (Path("/dev/null"), "is neither a regular file nor a pipe."),
        (tmp_path / "none.csv", "cannot be read (No such file or directory)."),
    ]:
        with pytest.raises(CommandStopped) as stopped, open_list(path, layout=Layout(), most_each=1):
            pass
        assert sentence in str(stopped.value)


def test_a_pipe_is_read_like_a_file() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"ann\nbob\n")
    os.close(writing)

    with open_list(Path(f"/dev/fd/{reading}"), layout=Layout(), most_each=1) as people:
        assert list(people) == list(people) == [Line(1, "ann"), Line(2, "bob")]
    os.close(reading)


def test_the_copy_of_a_list_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, temporary, out = (tmp_path / name for name in ("people.csv", "temporary", "out"))
    source.write_text("ann\n")
    temporary.mkdir()
    out.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    for beside in (None, out / "tickets.csv"):
        with open_list(source, layout=Layout(), most_each=1, out=beside) as people:
            source.unlink()
            assert list(people) == [Line(1, "ann")]
            assert [*temporary.iterdir(), *out.iterdir()] == []
        source.write_text("ann\n")


def test_a_list_can_be_read_many_times() -> None:
    people = ParticipantList(io.BytesIO(b"ann\nbob\n"), name="people.csv")

    assert list(people) == list(people) == [Line(1, "ann"), Line(2, "bob")]


def test_each_ticket_of_a_line_that_asks_for_several_is_a_line() -> None:
    content = b"n,who\n2,ann\n1,bob\n 03 ,cy\n"

    assert lines_of(content, column="who", count_column="n", most_each=3) == [
        Line(2, "ann", tickets=2),
        Line(2, "ann", nth=2, tickets=2),
        Line(3, "bob"),
        Line(4, "cy", tickets=3),
        Line(4, "cy", nth=2, tickets=3),
        Line(4, "cy", nth=3, tickets=3),
    ]


@pytest.mark.parametrize(
    ("count", "refusal"),
    [
        ("", "The line's number of tickets must be a whole number from 1; there is none."),
        (" ", "The line's number of tickets must be a whole number from 1; there is none."),
        ("0", "The line's number of tickets must be a whole number from 1; '0' is not one."),
        ("-1", "The line's number of tickets must be a whole number from 1; '-1' is not one."),
        ("2.0", "The line's number of tickets must be a whole number from 1; '2.0' is not one."),
        ("two", "The line's number of tickets must be a whole number from 1; 'two' is not one."),
        ("٢", "The line's number of tickets must be a whole number from 1; '٢' is not one."),
        ('"2\n"', None),
        ("9" * 60, f"The line's number of tickets must be a whole number from 1; '{'9' * 50}' is not one."),
        ("4", "The line asks for 4 tickets; a participant gets at most 3 tickets."),
    ],
)
def test_a_bad_number_of_tickets_is_a_refusal_of_its_line(count: str, refusal: str | None) -> None:
    lines = lines_of(f"who,n\nann,1\nbob,{count}\n".encode(), column="who", count_column="n", most_each=3)

    bobs = [Line(3, "bob", nth=nth, tickets=2) for nth in (1, 2)] if refusal is None else [Line(3, "bob", refusal)]
    assert lines == [Line(2, "ann"), *bobs]


def test_a_missing_column_of_numbers_is_refused() -> None:
    with pytest.raises(CommandStopped, match=r"Line 1 of people\.csv has no column 'n', only 'who'\."):
        lines_of(b"who\nann\n", column="who", count_column="n")
