"""Excel files with their texts where Excel keeps them: apart from the cells, each text once."""

import re
import zipfile
from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from openpyxl import Workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_PART = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}"/></Types>'
_IN_PLACE = re.compile(r't="inlineStr"><is>(.*?)</is></c>', re.DOTALL)


def write_excel_file(file: BinaryIO, rows: Sequence[Sequence[object]]) -> None:
    """Write rows as Excel saves them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    saved = BytesIO()
    book.save(saved)
    texts: dict[str, int] = {}

    # openpyxl writes them into the cells.
    def apart(match: re.Match[str]) -> str:
        return f't="s"><v>{texts.setdefault(match[1], len(texts))}</v></c>'

    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            content = old.read(member).decode()
            if member.endswith("sheet1.xml"):
                content = _IN_PLACE.sub(apart, content)
            if member == "[Content_Types].xml":
                content = content.replace("</Types>", _PART)
            new.writestr(member, content)
        new.writestr(
            "xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{"".join(f"<si>{text}</si>" for text in texts)}</sst>'
        )
