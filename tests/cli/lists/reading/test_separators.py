"""How `participate --from` understands what spreadsheets save as CSV: separators, encodings, headers and columns."""

import io
import unicodedata

import pytest

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.layout import Columns, Layout

RIVALS = "the columns are read as separated by commas, but semicolons fit as well"
GIVE = "give --separator ('none' if each line is one participant)"


def listed(content: bytes, *columns: str, header: bool | None = None, separator: str | None = None) -> ParticipantList:
    layout = Layout(Columns(columns), header=header, separator=separator)
    return ParticipantList(io.BytesIO(content), name="people.csv", layout=layout)


def what_is_wrong(content: bytes, layout: Layout) -> list[str]:
    with pytest.raises(CommandStopped) as stopped:
        list(ParticipantList(io.BytesIO(content), name="people.csv", layout=layout))
    assert stopped.value.status == 2
    return [str(stopped.value), *getattr(stopped.value, "__notes__", [])]


@pytest.mark.parametrize(
    ("content", "separator", "people"),
    [
        (b"Name;Town\nMiller, Ann;Rome\nCarter, Ben;Oslo\n", ";", ["Miller, Ann", "Carter, Ben"]),
        (b"Name\tTown\nMiller, Ann\tRome; Italy\nBen\tOslo\n", "\t", ["Miller, Ann", "Ben"]),
        (b"Name|Town\nAnn|Rome\n", "|", ["Ann"]),
        (b'Name,Town\n"Miller; Ann",Rome\n"Carter; Ben",Oslo\n', ",", ["Miller; Ann", "Carter; Ben"]),
        (b'Name;Town\n"Ann\n""the\n""";"Rome; Italy"\n', ";", ['Ann "the "']),
        (b"Name;Town\nAnn\nBen\nCy;Rome\n", ";", ["Ann", "Ben", "Cy"]),
        (b"sep=;\nName;Town\nAnn,A;Rome\n", ";", ["Ann,A"]),
        (b"SEP=;\nName;Town\nAnn,A;Rome\n", ";", ["Ann,A"]),
        (b'"sep=|"\r\nName|Town\r\nAnn;A|Rome\r\n', "|", ["Ann;A"]),
    ],
)
def test_the_separator_is_the_one_on_which_rows_agree(content: bytes, separator: str, people: list[str]) -> None:
    read = listed(content, "name")

    assert [line.participant for line in read] == people
    assert (read.layout.separator, read.doubts) == (separator, ())


def test_a_line_that_names_a_wrong_separator_is_told() -> None:
    assert what_is_wrong(b"sep=;\nName,Town\nAnn,Rome\n", Layout(Columns(("Name",)))) == [
        "Line 2 of people.csv has no column 'Name', only 'Name,Town'. The first line of people.csv says that "
        "semicolons separate the columns."
    ]


def test_an_option_that_contradicts_this_line_is_told() -> None:
    assert what_is_wrong(b"sep=;\nName;Town\nAnn;Rome\n", Layout(Columns(("Name",)), separator=",")) == [
        "2 things about people.csv are wrong or in doubt:",
        "Line 1 of people.csv says that the separator is ';', but --separator is ','; omit the option, or delete the "
        "line.",
        "Line 2 of people.csv has no column 'Name', only 'Name;Town'.",
    ]


def test_the_line_that_names_the_separator_is_counted() -> None:
    assert list(listed(b"sep=;\nName;Town\nAnn;Rome\n", "Name")) == [Line(3, "Ann")]


def test_the_numbers_of_lines_are_those_of_the_file() -> None:
    content = b'Name;Town\r\n\r\n"Ann\r\nMiller";Rome\r\nBen;Oslo\r\n'

    assert list(listed(content, "Name")) == [Line(3, "Ann Miller"), Line(5, "Ben")]


@pytest.mark.parametrize(
    ("content", "doubt"),
    [
        (b"a,b;c\nd,e;f\n", f"In people.csv, {RIVALS}; {GIVE}."),
        (
            b"Ann,Rome\nBen\nCy\nDan\n",
            f"In people.csv, the lines disagree: separated by commas, there are 2 columns in 1 of 4 lines; {GIVE}.",
        ),
        (
            b"Members\nName;Town\nAnn;Rome\n",
            "In people.csv, separated by semicolons, there are 2 columns in 2 of 3 lines, but the first has one; "
            f"delete any title above the column names, or {GIVE}.",
        ),
    ],
)
def test_rows_that_do_not_agree_leave_a_doubt(content: bytes, doubt: str) -> None:
    read = listed(content, "1", header=False)

    assert read.doubts == (doubt,)
    assert listed(content, "1", header=False, separator=",").doubts == ()


def test_empty_cells_at_the_end_of_a_row_say_nothing() -> None:
    assert list(listed(b"Email,Name\nann@example.org,Ann,\n", "Email")) == [Line(2, "ann@example.org")]
    for more in (b"Email,Name\nann,Ann,\nbob,Bob,,,\n", b"Email,Name,,\nann,Ann\nbob,Bob,,,,\ncy,,\n"):
        assert listed(more, "1", header=False).doubts == ()
        assert [line.refusal for line in listed(more, "email")] == [None] * (more.count(b"\n") - 1)
    assert list(listed(b"ann@example.org,\n")) == [Line(1, "ann@example.org")]
    assert list(listed(b"ann@example.org;;\nbob@example.org;x\n"))[1].refusal == "The line has 2 columns instead of 1."


@pytest.mark.parametrize(
    "content",
    [
        b"Name\nann\n",
        b"E-Mail\nann@example.org\n",
        b"Participants:\nann\n",
        b"e-mail address\nann\n",
        b"Name des Teilnehmers\nann\n",
        "Prénom et nom\nann\n".encode(),
        "Correo electrónico\nann\n".encode(),
        "姓名\n王芳\n".encode(),
        "Имя\nАня\n".encode(),
        "الاسم\nليلى\n".encode(),
        b"members 2026:\nann\nbob\n",
        b"Teilnehmer/in\nAnn Miller\n",
        b"Teilnehmer*innen 2026\nAnn Miller\n",
        "Gästeliste\nAnn Miller\n".encode(),
        b"Vor- und Nachname\nAnn Miller\n",
        b"Name des Kindes (6 - 12)\nAnn Miller\n",
        b"participant_name\nAnn Miller\n",
        b"emailAddress\nAnn Miller\n",
        b"Ticket holder\nAnn Miller\n",
        b"What is your name?\nAnn Miller\n",
        b"Who is coming?\nAnn Miller\n",
        b"Participant 0\nAnn Miller\n",
        unicodedata.normalize("NFD", "Liste des adhérents\nAnn Miller\n").encode(),
        b"Correo del participante\nAnn Miller\n",
        b"Elenco partecipanti\nAnn Miller\n",
        b"Naam van de deelnemer\nAnn Miller\n",
        "Imię i nazwisko uczestnika\nAnn Miller\n".encode(),
        "ФИО участника\nАня\n".encode(),
        "请填写姓名\n王芳\n".encode(),
        "参加者氏名（漢字）\n王芳\n".encode(),
        b"who\nann@example.org\nbob@example.org\n",
        b"who\n0170 12345\n+49 (170) 1234-5\n",
    ],
)
def test_a_header_is_never_a_participant_unseen(content: bytes) -> None:
    read = listed(content)

    assert read.layout.header
    assert len(read.doubts) == 1
    assert read.doubts[0].endswith("; give --header, or --no-header if it is a participant.")
    assert 1 not in [line.number for line in read]
    assert listed(content, header=True).doubts == listed(content, header=False).doubts == ()
    assert next(iter(listed(content, header=False))).number == 1


@pytest.mark.parametrize(
    "content",
    [
        b"ann\nbob@example.org\ncy\n",
        b"ann@example.org\nbob@example.org\n",
        b"0170\n0171\n",
        b"ann\n",
        "יוסי\nדנה\n".encode(),
        b"Guest 1\nGuest 2\n",
        b"Member Jones\nAnn Miller\nMember Hill\n",
        b"Ann Miller\nMark Name\nMember Jones\nGuest\n",
        b"Christopher Guest\nAd Person\n",
        b"Sally Field\nEmri Hoxha\nAnna Vardas\n",
        b"Anna Vardas\nSally Field\n",
        b"name@mail.example.org\nAnn Miller\n",
        b"12 Adlerweg 10115 Berlin\n5 Main Street\n",
        "Étienne-Maillard\nSimion\n".encode(),
        "王成\n李名\n".encode(),
    ],
)
def test_a_first_line_like_the_others_is_a_participant(content: bytes) -> None:
    read = listed(content)

    assert (read.layout.header, read.doubts) == (False, ())
    assert [line.participant for line in read] == content.decode().split("\n")[:-1]


def test_several_columns_make_one_participant() -> None:
    read = listed(b"Nachname;Vorname\n Miller; Ann \nCarter;\n", "vorname", "NACHNAME")

    assert [line.participant for line in read] == ["Ann Miller", "Carter"]


def test_a_column_is_found_exactly_or_whatever_its_case() -> None:
    content = b"name,Name,E-MAIL \nann,Ann,ann@example.org\n"

    assert [line.participant for line in listed(content, "Name")] == ["Ann"]
    assert [line.participant for line in listed(content, " e-mail")] == ["ann@example.org"]
    assert what_is_wrong(content, Layout(Columns(("NAME",)))) == [
        "Line 1 of people.csv has 2 columns named 'NAME'; rename those that are not to be read."
    ]


def test_without_a_header_columns_have_numbers() -> None:
    content = b"ann;2;x\nbob;1;y\n"

    assert [line.participant for line in listed(content, "3", "1", header=False)] == ["x ann", "y bob"]
    for column in ("0", "4", "ann", "٢", "9" * 5000):
        (wrong,) = what_is_wrong(content, Layout(Columns((column,)), header=False))
        assert "without a header, --column takes a number from 1 to 3" in wrong


def test_everything_that_is_wrong_is_said_at_once() -> None:
    content = "Müller,Ann;x\nMeier,Bob;y\n".encode("cp1252")

    assert what_is_wrong(content, Layout(Columns(("Name",)), sheet="A")) == [
        "4 things about people.csv are wrong or in doubt:",
        "--sheet is for Excel files, and people.csv is not one.",
        'Line 1 of people.csv is not UTF-8. Is it Windows-1252? Then "M\\xfcller" is "Müller"; if that is right, give '
        "--encoding windows-1252.",
        "Line 1 of people.csv has no column 'Name', only 'Müller', 'Ann;x'.",
        f"In people.csv, {RIVALS}; {GIVE}.",
    ]


@pytest.mark.parametrize("columns", [(), ("Name",)])
def test_a_quote_that_is_never_closed_is_told(columns: tuple[str, ...]) -> None:
    wrong = what_is_wrong(b'Name;Town\n"Ann;Berlin\nBob;Bonn\nCy;Ulm\n', Layout(Columns(columns)))

    assert "Line 2 of people.csv is not CSV: a quote is opened but never closed." in wrong
    assert not any("the lines disagree" in sentence for sentence in wrong)


def test_a_very_long_number_takes_no_time() -> None:
    """60 kB took 18 s, more of them hours."""
    longest = b"0" * 130_000 + b"x"

    assert [line.number for line in listed(b"x\n" + longest)] == [1, 2]


@pytest.mark.parametrize(
    ("content", "column", "is_in_doubt"),
    [
        (b"ann@x.org,Ann\nbob@x.org,Bob\n", "Ann", True),
        (b"ann@x.org;Ann\n;Eve\nbob@x.org;Bob\n", "ann@x.org", True),
        (b"Ann;0170 12345\nBob;0170 12346\n", "Ann", True),
        (b"Name;2025;2026\nAnn;1;2\n", "Name", False),
        (b"E-Mail;Name\nann@x.org;Ann\n", "E-Mail", False),
    ],
)
def test_a_participant_is_never_a_header_unseen(content: bytes, column: str, *, is_in_doubt: bool) -> None:
    doubts = listed(content, column).doubts

    assert [doubt.split(";")[0].split(":")[0] for doubt in doubts] == [
        "Line 1 does not look like the names of columns"
    ] * is_in_doubt
    assert listed(content, column, header=True).doubts == ()


def test_a_list_without_a_separator_keeps_every_character() -> None:
    content = b'Miller, Ann\r\n"The Rock" Johnson\n"Carter; ""Ben"""\n""\nCy\tHill|x\n"Dan\nEve"\n'
    people = ["Miller, Ann", '"The Rock" Johnson', 'Carter; "Ben"', "Cy\tHill|x", '"Dan', 'Eve"']
    read = listed(content, separator="none")

    assert [line.participant for line in read] == people
    assert [line.number for line in read] == [1, 2, 3, 5, 6, 7]
    assert read.doubts == ()
    assert what_is_wrong(b"ann\nbob\rcy\n", Layout(separator="none"))[0].startswith(
        "Line 2 of people.csv is not CSV: it contains a carriage return"
    )
    assert what_is_wrong(b"ann\n" + b"x" * 1_048_577, Layout(separator="none"))[0].startswith(
        "Line 2 of people.csv begins"
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_column_is_found_in_any_form_of_its_name(form: str) -> None:
    content = unicodedata.normalize(form, "Pr\u200bénom \u00a0du membre;No, a\nAnn;1\n").encode()

    for name in ("Prénom du membre", unicodedata.normalize("NFD", "prénom du membre")):
        read = listed(content, name)
        assert ([line.participant for line in read], read.layout.separator) == (["Ann"], ";")


@pytest.mark.parametrize(
    ("content", "layout", "sentence"),
    [
        (
            b"Name,n\nann,1\n",
            Layout(Columns(("Name", "name"), "n")),
            "Line 1 of people.csv has one column for both 'Name' and 'name'; give each column once.",
        ),
        (
            b"Name,n\nann,1\n",
            Layout(Columns(("n",), "n")),
            "Line 1 of people.csv has one column for both 'n' and 'n'; give each column once.",
        ),
        (
            b"sep=;\nName;Town\nAnn;Rome\n",
            Layout(header=True, separator="none"),
            "Line 1 of people.csv says that the separator is ';', but --separator is 'none'; omit the option, or "
            "delete the line.",
        ),
        (
            b"a,b\nc,d\n",
            Layout(Columns(("1",)), header=False, sheet="A"),
            "--sheet is for Excel files, and people.csv is not one.",
        ),
        (
            b"ann,x\nbob,y\n",
            Layout(Columns(("0000000001",)), header=False),
            "Line 1 of people.csv has no column '0000000001': without a header, --column takes a number from 1 to 2.",
        ),
    ],
)
def test_options_that_contradict_the_list_are_refused(content: bytes, layout: Layout, sentence: str) -> None:
    assert what_is_wrong(content, layout) == [sentence]
