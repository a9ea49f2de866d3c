"""The output of `participate --from`: one complete row for each line, or none."""

import csv
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rafflekit import Ticket
from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.output import HEADER, TicketFile, row, shown
from rafflekit.cli.lists.people import Line

CODE = "0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ"

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
outcomes = st.one_of(st.builds(Ticket, st.just(UUID(int=1)), st.integers(1, 10**12), st.just(CODE)), st.just("No, no."))
results = st.lists(st.tuples(texts, outcomes), max_size=6).map(
    lambda some: [(Line(number, text), outcome) for number, (text, outcome) in enumerate(some, start=3)]
)


def written(some: list[tuple[Line, Ticket | str]]) -> bytes:
    return (HEADER + "".join(row(line, outcome) for line, outcome in some)).encode()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path for an output that every example writes again."""
    return tmp_path_factory.mktemp("output") / "tickets.csv"


@given(text=texts, outcome=outcomes)
@example(text='a "quoted", b', outcome="x")
@example(text="\r\n\x00\x1b\u2028\u202e\x85", outcome="x")
@example(text="€" * 200_000, outcome="x")
@example(text="\U000e0001" * 200_000, outcome="x")
def test_a_row_is_one_line_with_the_ticket_or_the_refusal(text: str, outcome: Ticket | str) -> None:
    line = row(Line(7, text), outcome)

    assert len(line.splitlines()) == 1
    assert len(line.encode()) < 64 * 1024
    ((number, participant, ticket_number, code, refusal),) = csv.reader([line], strict=True)
    assert (number, participant) == ("7", shown(text))
    if isinstance(outcome, Ticket):
        assert (ticket_number, code, refusal) == (str(outcome.number), outcome.verification_code, "")
    else:
        assert (ticket_number, code, refusal) == ("", "", outcome)


@given(some=results, data=st.data())
def test_a_file_cut_at_any_byte_resumes_after_its_last_row(
    out: Path, some: list[tuple[Line, Ticket | str]], data: st.DataObject
) -> None:
    whole = written(some)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    out.write_bytes(cut)
    tickets = TicketFile(out)
    rest = list(tickets.take_up(iter([line for line, _ in some]), list_name="people.csv"))
    taken = len(some) - len(rest)
    assert out.read_bytes() == cut
    with tickets.append() as writer:
        for line, outcome in some[taken:]:
            writer.write(line, outcome)
        writer.sync()

    assert out.read_bytes() == whole
    assert rest == [line for line, _ in some[taken:]]
    assert taken == max(0, cut.count(b"\n") - 1)
    assert not tickets.is_mended
    assert tickets.tickets == sum(isinstance(outcome, Ticket) for _, outcome in some)
    assert tickets.refused == len(some) - tickets.tickets


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("ann@example.org", "ann@example.org"),
        ("=1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        ('@SUM(1+1)*cmd|" /C calc"!A0', '\'@SUM(1+1)*cmd|" /C calc"!A0'),
        ("+1+HYPERLINK(A1)", "'+1+HYPERLINK(A1)"),
        ("-2+3", "'-2+3"),
        ("+49 170 12345", "+49 170 12345"),
        ("@ann", "@ann"),
        (" =A1", " '=A1"),
        ("'=A1", "''=A1"),
        ("x;=A1;y", "x;'=A1;y"),
        ('x, "-A1', "x, \"'-A1"),
        ("x|+1", "x|'+1"),
        ("Miller, Ann; 7-9 Main St", "Miller, Ann; 7-9 Main St"),
        ("\t=1+1", r"\t=1+1"),
        ("x" * 1_001, "x" * 1_000 + "…"),
    ],
)
def test_a_spreadsheet_computes_no_cell_of_a_participant(text: str, cell: str) -> None:
    assert shown(text) == cell


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"who,what\nann,tea\n", "is not as the run wrote it"),
        (HEADER.encode().replace(b"\n", b"\r\n"), "is not as the run wrote it"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"1,ann,,,No.\n", "is not as the run wrote it"),
        (HEADER.encode() + b"1,bob,7," + CODE.encode() + b",\n", "Line 1 of people.csv does not match line 2 of"),
        (
            HEADER.encode() + b"2,ann,7," + CODE.encode() + b",\n",
            "Line 2 is missing in people.csv, and",
        ),
        (HEADER.encode() + b"1,ann,,,No.\n2,bob,7," + CODE.encode() + b",\n", "Line 2 is missing in people.csv"),
        (HEADER.encode() + b"1,ann,7,\n", "is damaged in line 2. Delete that line and all after it"),
        (HEADER.encode() + b"1,ann,,,\n", "is damaged in line 2. Delete that line and all after it"),
        (HEADER.encode() + bytes(100_000), "is damaged in line 2. Delete that line and all after it"),
    ],
)
def test_a_file_that_is_not_an_output_is_not_changed(out: Path, content: bytes, sentence: str) -> None:
    out.write_bytes(content)

    with pytest.raises(CommandStopped) as stopped:
        TicketFile(out).take_up(iter([Line(1, "ann")]), list_name="people.csv")

    assert sentence in str(stopped.value)
    assert CODE not in str(stopped.value)
    assert out.read_bytes() == content


def test_zeros_left_by_a_power_cut_are_half_a_row(out: Path) -> None:
    out.write_bytes(HEADER.encode() + b"1,ann,,,No.\n" + bytes(4096))
    tickets = TicketFile(out)

    assert list(tickets.take_up(iter([Line(1, "ann"), Line(2, "bob")]), list_name="people.csv")) == [Line(2, "bob")]
    with tickets.append() as writer:
        writer.write(Line(2, "bob"), "No.")

    assert out.read_bytes() == HEADER.encode() + b"1,ann,,,No.\n2,bob,,,No.\n"


def test_a_code_is_in_no_repr(out: Path) -> None:
    ticket = Ticket(UUID(int=1), 7, CODE)
    with TicketFile(out).append() as writer:
        writer.write(Line(1, "ann"), ticket)

        assert CODE not in repr(writer)
