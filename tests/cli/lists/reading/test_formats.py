"""Files that cannot be lists are named, with what to save instead."""

import io
import zipfile

import pytest

from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import ParticipantList
from rafflekit.cli.lists.reading.layout import Layout


def error_of(file: io.BytesIO) -> str:
    with pytest.raises(CommandStopped) as stopped:
        ParticipantList(file, name="people.xlsx", layout=Layout())
    assert stopped.value.status == 2
    return str(stopped.value)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
            "an old Excel file (.xls), or has a password; save the list as",
        ),
        (b"%PDF-1.7", "a PDF; save"),
        (b"BEGIN:VCARD\r\nFN:Ann\r\nEND:VCARD\r\n", "a file of contacts or dates, not CSV; open"),
        (b'\xef\xbb\xbf[\n  {"name": "Ann"}\n]\n', "JSON, not CSV; save"),
        (b"PK\x05\x06" + bytes(18), "an empty zip file; save"),
        (b"\xef\xbb\xbf <HTML>", "a web page or XML, not CSV; open it in a spreadsheet program and save"),
        (b"PK\x03\x04", "damaged, or not an Excel file; save"),
        ({"content.xml": b""}, "an OpenDocument file, such as .ods; save"),
        ({"Index/Document.iwa": b""}, "a Numbers file; save"),
        ({"xl/workbook.bin": b""}, "a binary Excel file (.xlsb); save"),
        ({"people.xlsx": b""}, "a zip file, but not an Excel file; save"),
        ({"xl/workbook.xml": b""}, "a damaged Excel file; save it again, or as CSV."),
    ],
)
def test_files_of_other_kinds_are_named(content: bytes | dict[str, bytes], kind: str) -> None:
    file = io.BytesIO(content) if isinstance(content, bytes) else io.BytesIO()
    if isinstance(content, dict):
        with zipfile.ZipFile(file, "w") as archive:
            for member, inside in content.items():
                archive.writestr(member, inside)

    assert error_of(file).startswith(f"people.xlsx is {kind}")


def test_a_zip_file_of_very_many_members_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(12_000):
            archive.writestr(f"xl/{number:040}", b"")

    assert error_of(file).startswith("people.xlsx is damaged, or not an Excel file")
