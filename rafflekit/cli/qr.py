"""QR codes of addresses, for phones."""

import io
import sys

from rafflekit.cli import terminal
from rafflekit.cli.extras import extra_needed

# The blocks are the light modules. Some phones cannot read a code whose light and dark are swapped, as they would be on
# a light terminal.
_STYLE = "bright_white on black"


def show_qr_code(address: str) -> None:
    """Show the QR code of an address on standard output, if that is a terminal with room for it."""
    if not terminal.is_terminal(sys.stdout):
        return
    try:
        import segno
    except ModuleNotFoundError as error:
        sentence = extra_needed("A QR code", error)
        if sentence is None:
            raise
        terminal.remark(sentence)
        return
    code = segno.make_qr(address)
    if not terminal.has_room_for(int(code.symbol_size()[0]), of="█▀▄"):
        return
    drawn = io.StringIO()
    code.terminal(drawn, compact=True)
    for line in drawn.getvalue().splitlines():
        terminal.say(line, style=_STYLE)
