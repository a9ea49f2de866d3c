"""Which line of a list is its header. Following an advice never gives a header a ticket, and never deletes a person."""

import io
import re

import pytest

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.layout import Columns, Layout

IF_IT_IS_ONE = "If it is one, delete it and any title above it; if it is a participant, give --no-header."


def listed(text: str, *columns: str, header: bool | None = None) -> ParticipantList:
    layout = Layout(Columns(columns), header=header)
    return ParticipantList(io.BytesIO(text.encode()), name="people.csv", layout=layout)


def people_of(text: str, *columns: str, header: bool | None = None) -> list[str]:
    return [line.participant for line in listed(text, *columns, header=header) if line.refusal is None]


def error_of(text: str, *columns: str, header: bool | None = None) -> str:
    with pytest.raises(CommandStopped) as stopped:
        listed(text, *columns, header=header)
    assert stopped.value.status == 2
    return "\n".join([str(stopped.value), *getattr(stopped.value, "__notes__", [])])


EVERYDAY = """
    Mitarbeiter,Mitarbeitende,Kontakt,Benutzer,Besucher,Bewerber,Lehrer,Abonnent,Kundennr.,Zeitstempel,Invitees
    Applicant,Subscribers,Recipient,Respondent,Attendance,Account,Household,KATILIMCI,İsim,İSİM,İSİM SOYİSİM
    ADI SOYADI,Üye adı,ÜYELER_ADI,Номер,Spalte1,Column1,Столбец1,Feld1,Field1,#,TN,Los-Nr.,Instagram,Klasse,Mieter
    Nachbarn,Kollege,Sänger,Mitwirkende,Име,Emri,Emri mbiemri,Vardas,Vardas pavardė,Vārds,Vārds uzvārds
    Bewohner,Nutzer,Schülerinnen und Schüler,Nama Lengkap,Jina kamili,שם מלא,Losnr,Surname,Vornamen
"""


@pytest.mark.parametrize("header", re.split(r",|\n\s*", EVERYDAY.strip()))
def test_headers_of_everyday_are_seen(header: str) -> None:
    read = listed(f"{header}\nAnn Miller\nBen Carter\n")

    assert len(read.doubts) == 1
    assert [line.participant for line in read] == ["Ann Miller", "Ben Carter"]


def test_first_names_that_end_like_headers_are_names() -> None:
    for names in (["Kaname", "Emma", "Inaam"], ["Emma", "Caliste", "Noah"]):
        read = listed("".join(f"{name}\n" for name in names))
        assert (read.doubts, [line.participant for line in read]) == ((), names)


def test_a_sign_above_numbers_is_a_header() -> None:
    assert listed("#\n17\n18\n").doubts == (
        "Line 1, '#', looks like a header (not a number, as all other lines are); give --header, or --no-header if it "
        "is a participant.",
    )


@pytest.mark.parametrize(
    "above",
    ["Summer party\n\n", "Teilnehmerliste 2026\n", "Sommerfest\n", "Guests 2026\nin Rome\n", "a@x.org\nb@x.org\n"],
)
def test_a_header_below_other_lines_gets_no_ticket(above: str) -> None:
    number = above.count("\n") + 1
    text = f"{above}E-Mail\nann@example.org\n"
    first = above.partition("\n")[0]

    assert error_of(text) == f"Line {number}, 'E-Mail', looks like a header. {IF_IT_IS_ONE}"
    assert error_of(text, header=True) == (
        f"Line {number}, 'E-Mail', looks like a header, but line 1 is read as one. Delete any title above the header; "
        f"if line {number} is a participant, name the column of line 1 with --column."
    )
    assert people_of(text, header=False)[-2:] == ["E-Mail", "ann@example.org"]
    for given in (None, True):
        assert people_of(text, first, header=given)[-2:] == ["E-Mail", "ann@example.org"]


@pytest.mark.parametrize("word", ["Person", "Gast", "Kunden", "Nr.", "Kontakt", "Spieler"])
def test_a_header_that_may_be_a_name_is_in_doubt_below_a_title(word: str) -> None:
    text = f"Sommerfest 2026\n{word}\nAnn M\nBen C\n"
    sentence = f"Line 2, '{word}', looks like a header"

    assert listed(text).doubts == (f"{sentence}. {IF_IT_IS_ONE}",)
    assert listed(text, header=True).doubts == (
        f"{sentence}, but line 1 is read as one. Delete any title above the header; if line 2 is a participant, name "
        "the column of line 1 with --column.",
    )
    for settled in (listed(text, header=False), listed(text, "Sommerfest 2026")):
        assert settled.doubts == ()


def test_no_advice_about_a_word_gives_a_header_a_ticket() -> None:
    header, word = listed("Gästeliste 2026\nGast\nAnn M\n").doubts

    assert header.endswith("give --header, or --no-header if it is a participant.")
    assert word.endswith("if line 2 is a participant, name the column of line 1 with --column.")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Name;E-Mail\nAnn;a@x.org\nName;E-Mail\nBob;b@x.org\n", ("name",)),
        ("Straße;Ort\nStraße;Ort\nAnn;Rome\nSTRAẞE;\nBob;Oslo\n", ("straße",)),
        ("First;Last\nAnn;\nFirst; Last\nBob;\n", ("first", "last")),
        ("Name\nName\nAnn\nBob\nName\n", ()),
        ("\ufeffE-Mail\nAnn\n\ufeffE-Mail\nBob\n", ()),
        ("Name\nName \nAnn\nBob\n\u200b NAME\n", ()),
        ("Pre\u0301nom;x\nAnn;\nPr\u00e9nom ;\nBob;\n", ("prénom",)),
    ],
)
def test_a_line_that_repeats_the_header_is_refused(text: str, columns: tuple[str, ...]) -> None:
    read = listed(text, *columns, header=True)

    assert people_of(text, *columns, header=True) == ["Ann", "Bob"]
    assert {line.refusal for line in read} == {None, "The line repeats the header."}
    assert read.doubts == ()


def test_without_a_header_nothing_repeats_it() -> None:
    assert list(listed("Name\nName\n", header=False)) == [Line(1, "Name"), Line(2, "Name")]


@pytest.mark.parametrize("text", ["Nr;Name\n1;Ann\n2;Bob\n", "Nr;Name\n1;Ann\n2;Bob\n2;2\n"])
def test_a_number_does_not_name_a_column(text: str) -> None:
    assert error_of(text, "2") == (
        "Line 1 of people.csv has no column '2', only 'Nr', 'Name'; give the column's name, or --no-header if this "
        "line is a participant."
    )


@pytest.mark.parametrize(
    ("text", "column", "is_below"),
    [
        ("Fair;\n\nName;Mail\nAnn;a@x.org\n", "Mail", True),
        ("Fair\nName\nAnn\n", "Name", True),
        ("Nr;Name\n1;Ann\n2;Bob\n", "Bob", False),
        ("Ann;a@x.org\nName;Mail\nBob;b@x.org\n", "Mail", False),
    ],
)
def test_only_a_title_may_be_above_the_names_of_columns(text: str, column: str, *, is_below: bool) -> None:
    assert ("has the names of the columns, delete the title above it." in error_of(text, column)) == is_below


def test_a_column_is_found_in_turkish_whatever_its_case() -> None:
    for header, name in [("KATILIMCI", "katılımcı"), ("İLETİŞİM", "iletişim"), ("ili", "İLİ")]:
        assert people_of(f"{header};No, a\nAnn;1, b\n", name) == ["Ann"]
