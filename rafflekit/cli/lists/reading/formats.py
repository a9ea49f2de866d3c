"""Which kind of file a list is, by its first bytes. Files that cannot be read are named, with what to save instead."""

import re
import zipfile
from typing import BinaryIO

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.archives import Archive, ArchiveWrong

_ZIP = b"PK\x03\x04"
_SAVE = "save the list as .xlsx or as CSV (UTF-8)"
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": f"an old Excel file (.xls), or has a password; {_SAVE}, without a password",
    b"PK\x05\x06": f"an empty zip file; {_SAVE}",
    b"%PDF": f"a PDF; {_SAVE} in the program that made it",
    b"\x1f\x8b": "compressed; unpack it first",
    b"{\\rtf": f"a document; {_SAVE}",
}
_CARDS = (b"begin:vcard", b"begin:vcalendar")
_JSON = re.compile(rb'[\[{]\s*["\[{]')
_WEB_PAGES = (b"<!doctype", b"<html", b"<table", b"<?xml")
# A member whose name begins like this → what the file is.
_ARCHIVES = {
    "xl/workbook.bin": "a binary Excel file (.xlsb)",
    "xl/": None,
    "Index/": "a Numbers file",
    "content.xml": "an OpenDocument file, such as .ods",
    "word/": "a Word document",
}


def is_workbook(file: BinaryIO, *, name: str) -> bool:
    """Return whether a file is an Excel workbook; otherwise it can only be CSV.

    Raises:
        CommandStopped: it is a file of another kind.
    """
    file.seek(0)
    beginning = file.read(512)
    kind = next((kind for mark, kind in _OTHERS.items() if beginning.startswith(mark)), None)
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_CARDS):
        kind = f"a file of contacts or dates, not CSV; open it in the program that made it and {_SAVE}"
    elif _JSON.match(text):
        kind = f"JSON, not CSV; {_SAVE}"
    elif text.startswith(_WEB_PAGES):
        kind = f"a web page or XML, not CSV; open it in a spreadsheet program and {_SAVE}"
    if beginning.startswith(_ZIP):
        kind = _kind_of_archive(file)
        if kind is None:
            return True
    if kind is not None:
        raise CommandStopped(f"{name} is {kind}.", status=WRONG_USAGE)
    return False


def _kind_of_archive(file: BinaryIO) -> str | None:
    """Return what a zip file is, or None if it is an Excel workbook."""
    try:
        names = Archive(file).namelist()
    except (ArchiveWrong, zipfile.BadZipFile):
        return f"damaged, or not an Excel file; {_SAVE}"
    for beginning, kind in _ARCHIVES.items():
        if any(member.startswith(beginning) for member in names):
            return kind and f"{kind}; {_SAVE}"
    return f"a zip file, but not an Excel file; {_SAVE}"
