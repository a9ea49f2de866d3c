"""QR codes are read back by a decoder: as Chromium paints them, and as a terminal shows them."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
import zxingcpp

from rafflekit.html.qr import qr_for_terminal, qr_svg
from tests.http.pages.browser import NewPage, Page

TICKET = "https://raffle.example/raffles/b3b0c6a1-5f0e-4f43-9d0a-1f4a7c0e2a11/#t=1024&c=K7QF-M2XA-9TRC-W4ND-H8ZP-3VBE"
_PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch(png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  return [image.width, image.height, [...data].filter((_, place) => place % 4 === 1)];
}"""


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_painted_code_can_be_scanned(new_page: NewPage, tmp_path: Path, dark: bool) -> None:
    html = tmp_path / "page.html"
    html.write_text(
        f"<style>:root {{ color-scheme: light dark }} svg {{ width: 150px }}</style>{qr_svg(TICKET, 'Mine')}"
    )
    page = new_page(width=200, height=200, dark=dark)
    page.open(html.as_uri())
    page.screenshot(tmp_path / "seen.png")

    assert scanned(*pixels(page, tmp_path / "seen.png")) == [TICKET]


def test_a_code_in_a_terminal_can_be_scanned() -> None:
    lines = qr_for_terminal("http://192.168.178.20:8080/").lines

    # Each character is two modules, one above the other; those that are printed are bright.
    bright = [[each in half for each in line] for line in lines for half in ("█▀", "█▄")]
    rows = [[255 * module for module in row for _ in range(4)] for row in bright for _ in range(4)]

    assert scanned(len(rows[0]), len(rows), [each for row in rows for each in row]) == ["http://192.168.178.20:8080/"]


def test_a_code_has_a_name_for_those_who_cannot_see_it() -> None:
    svg = qr_svg(TICKET, "Ticket <7> & code")

    assert svg.startswith('<svg role="img" ')
    assert "<title>Ticket &lt;7&gt; &amp; code</title>" in svg


def pixels(page: Page, png: Path) -> tuple[int, int, list[int]]:
    """Return the width, the height and the brightness of each pixel of a picture."""
    address = f"data:image/png;base64,{b64encode(png.read_bytes()).decode()}"
    width, height, bright = page.run(f"({_PIXELS})({json.dumps(address)})")
    return width, height, bright


def scanned(width: int, height: int, bright: list[int]) -> list[str]:
    """Return the texts of the QR codes in a picture; as phones do, look only for dark codes on a bright ground."""
    picture = memoryview(bytes(bright)).cast("B", (height, width))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, try_invert=False)
    return [each.text for each in found]
