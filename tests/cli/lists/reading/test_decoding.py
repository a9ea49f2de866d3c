"""From the bytes of a list to its text."""

import io
import unicodedata

import pytest

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import ParticipantList
from rafflekit.cli.lists.reading.decoding import text_encoding
from rafflekit.cli.lists.reading.layout import Layout

NAMES = ["Zoë", unicodedata.normalize("NFD", "Zoë"), "דוד כהן", "王芳", "😀"]


def people(content: bytes, encoding: str | None = None) -> list[str]:
    layout = Layout(header=False, encoding=encoding and text_encoding(encoding))
    return [line.participant for line in ParticipantList(io.BytesIO(content), name="people.csv", layout=layout)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    content = "\r\n".join(NAMES).encode(encoding)

    assert people(content) == people(content, encoding) == NAMES


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "windows-1252", "Latin-1", "shift_jis", "cp037", "mac-roman"]
)
def test_a_named_encoding_is_read(encoding: str) -> None:
    names = ["王芳"] if encoding == "shift_jis" else ["Zoë", "Müller"]

    assert people("\n".join(names).encode(encoding), encoding) == names


@pytest.mark.parametrize(
    ("content", "encoding", "sentence"),
    [
        (
            b'ann\n"x, M\xfcller"\n',
            None,
            'Line 2 of people.csv is not UTF-8. Is it Windows-1252? Then "M\\xfcller" is "Müller"; if that is right, '
            "give --encoding windows-1252.",
        ),
        (
            b"ann\nx\x81\n",
            None,
            "Line 2 of people.csv is not UTF-8. Give its encoding with --encoding, or save it as UTF-8.",
        ),
        (b"ann\n" * 70_000 + b"\xfc", None, "Line 70001 of people.csv is not UTF-8."),
        (b"ann\n\xfc\n", "ascii", "Line 2 of people.csv is not ASCII; give another --encoding."),
        (b"ann\nb\0b\n", None, "Line 2 of people.csv has a NUL character; remove it."),
        (
            "Zoë\nann\n".encode("utf-16-le"),
            None,
            "people.csv looks like UTF-16 without a byte order mark; give --encoding",
        ),
        ("ann\n".encode("utf-16-be"), None, "people.csv looks like UTF-16 without a byte order mark; give --encoding"),
        (b"ann\n", "utf-16", "people.csv is not UTF-16; give another --encoding."),
        (b"ann\n", "utf-32", "Line 1 of people.csv is not UTF-32; give another --encoding."),
        (
            "ann".encode("utf-16"),
            "cp1252",
            "people.csv has the byte order mark of UTF-16, so it is not Windows-1252; omit --encoding.",
        ),
        (b"\xff\xfea\0b", None, "Line 1 of people.csv is not UTF-16; give another --encoding."),
        (
            b"ann\rbob\r",
            None,
            "Line 1 of people.csv is not CSV: it contains a carriage return, but lines must end with a line feed; "
            "save it as CSV UTF-8.",
        ),
    ],
)
def test_text_that_cannot_be_read_is_named(content: bytes, encoding: str | None, sentence: str) -> None:
    with pytest.raises(CommandStopped) as stopped:
        people(content, encoding)

    assert str(stopped.value).startswith(sentence)


@pytest.mark.parametrize(
    ("content", "encoding", "line", "right", "wrong"),
    [
        ("ann\nx, Zoë1\n", "windows-1252", 2, "'Zoë1'", "'ZoÃ«1'"),
        ("ann\n" * 70_000 + "Zoë", "latin-1", 70_001, "'Zoë'", "'ZoÃ«'"),
        # A letter in two blocks: only its end of the word is shown.
        ("ann\n" * 65_535 + '"Wałęsa"', "iso-8859-2", 65_536, "'łęsa'", r"'Ĺ\x82Ä\x99sa'"),
        ("王芳", "ascii", 1, "'王芳'", "'������'"),
    ],
)
def test_utf_8_is_not_read_as_another_encoding(content: str, encoding: str, line: int, right: str, wrong: str) -> None:
    shown = {"latin-1": "ISO-8859-1"}.get(encoding, encoding.upper() if encoding != "windows-1252" else "Windows-1252")
    with pytest.raises(CommandStopped) as stopped:
        people(content.encode(), encoding)

    assert str(stopped.value) == (
        f"people.csv is UTF-8: line {line} has {right}. In {shown}, it would be {wrong}; give --encoding utf-8."
    )


def test_text_that_is_almost_utf_8_is_not() -> None:
    assert people(b"Zo\xc3\xab\nx\xc3", "windows-1252") == ["ZoÃ«", "xÃ"]


@pytest.mark.parametrize(
    "name", ["idna", "utf-7", "rot13", "base64", "punycode", "unicode_escape", "undefined", "", "x\0", "utf8 8"]
)
def test_only_encodings_of_text_files_are_taken(name: str) -> None:
    with pytest.raises(CommandStopped, match="is not an encoding of text files; examples: utf-8, windows-1252"):
        text_encoding(name)


def test_zeros_and_other_bytes_of_telephone_numbers_are_kept() -> None:
    assert people(b"0049170\n007\n+49 170\n") == ["0049170", "007", "+49 170"]
