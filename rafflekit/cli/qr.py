"""QR codes of addresses, for phones."""

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
        from rafflekit.html.qr import qr_for_terminal
    except ModuleNotFoundError as error:
        sentence = extra_needed("A QR code", error)
        if sentence is None:
            raise
        terminal.remark(sentence)
        return
    code = qr_for_terminal(address)
    if not terminal.has_room_for(code.columns, of="█▀▄"):
        return
    for line in code.lines:
        terminal.say(line, style=_STYLE)
