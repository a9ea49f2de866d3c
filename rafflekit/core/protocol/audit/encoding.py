"""Documents as programs save them: with a byte order mark, or in UTF-16 (section 1)."""

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
