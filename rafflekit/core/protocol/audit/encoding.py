"""Documents as programs save them: with a byte order mark, in UTF-16, or with other ends of lines (section 1)."""

from rafflekit.core.protocol.audit.report import Mistaken

_UTF_16_MARKS = (b"\xfe\xff", b"\xff\xfe")


def without_mark(document: str | bytes) -> str | bytes:
    r"""Return a document without the byte order mark that some programs write in front of it.

    >>> without_mark(b"\xef\xbb\xbf{}")
    b'{}'

    Raises:
        Mistaken: it is UTF-16, as some programs save text.
    """
    if isinstance(document, str):
        return document.removeprefix("\ufeff")
    if document.startswith(_UTF_16_MARKS) or 0 in document[:2]:
        raise Mistaken("The file is text in UTF-16. Save it as UTF-8 and try again.")
    return document.removeprefix(b"\xef\xbb\xbf")


def as_signed(note: str) -> str:
    r"""Return a copy of a note without what chats and editors change: the ends of its lines, and empty lines around it.

    Blanks at the end of a line are dropped, except in a reason, which may have been signed with them.

    >>> as_signed("a\r\n\r\n\u2014 b  ")
    'a\n\n\u2014 b\n'
    """
    lines = (line.rstrip("\r" if line.startswith("reason ") else " \t\r") for line in note.split("\n"))
    return "\n".join(lines).strip("\n") + "\n"
