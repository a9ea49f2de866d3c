"""Sheets as a printer would get them: printed by Chromium, and looked at in millimetres."""

from pathlib import Path

import pypdfium2
import zxingcpp

from tests.http.pages.browser import Page

_DOTS_PER_MM = 10
_POINTS_PER_MM = 72 / 25.4
CELLS = [(column * 105.0, row * 74.25) for row in range(4) for column in range(2)]
"""The left and the upper edge of each place on a sheet."""

SIZE_MM = (105.0, 74.25)


class PrintedSheet:
    """A printed page."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._page = page
        self.size_mm = tuple(round(length / _POINTS_PER_MM) for length in page.get_size())
        bitmap = page.render(scale=_DOTS_PER_MM / _POINTS_PER_MM, grayscale=True)
        dots, stride = bytes(bitmap.buffer), bitmap.stride
        self._rows = [dots[y * stride : y * stride + bitmap.width] for y in range(bitmap.height)]

    def text_in(self, cell: int) -> str:
        """Return the text in a place, in one line."""
        left, top = CELLS[cell]
        height = self._page.get_size()[1]
        # A little smaller than the place: its edges belong to none.
        box = (left + 1, top + SIZE_MM[1] - 1, left + SIZE_MM[0] - 1, top + 1)
        x1, y1, x2, y2 = (length * _POINTS_PER_MM for length in box)
        found = self._page.get_textpage().get_text_bounded(left=x1, bottom=height - y1, right=x2, top=height - y2)
        return " ".join(found.split())

    def codes_in(self, cell: int) -> list[str]:
        """Return the texts of the QR codes in a place."""
        left, top = (round(length * _DOTS_PER_MM) for length in CELLS[cell])
        width, height = (round(length * _DOTS_PER_MM) for length in SIZE_MM)
        rows = [row[left : left + width] for row in self._rows[top : top + height]]
        picture = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
        return [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]

    def darkest(self, x_mm: float, y_mm: float, *, around_mm: float = 0.2) -> int:
        """Return the brightness of the darkest dot around a place on the page, from 0 (black) to 255 (white)."""
        x, y, around = (round(length * _DOTS_PER_MM) for length in (x_mm, y_mm, around_mm))
        return min(
            min(row[max(x - around, 0) : x + around + 1]) for row in self._rows[max(y - around, 0) : y + around + 1]
        )


def printed(page: Page, html: Path) -> list[PrintedSheet]:
    """Print a file in Chromium; return its pages."""
    page.open(html.as_uri())
    pdf = html.with_suffix(".pdf")
    page.print_pdf(pdf)
    assert page.complaints == []
    return [PrintedSheet(each) for each in pypdfium2.PdfDocument(pdf)]
