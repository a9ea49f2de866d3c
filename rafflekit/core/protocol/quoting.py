"""Texts that people gave, in our own output (pure).

A name could be chosen so that it looks like a line of ours: a check mark and “Everything is proven.”, or blanks up to
the next line of a terminal. JSON has every text unchanged.
"""

import re

from rafflekit.core.characters import BLANKS, INVISIBLE, VARIATION_SELECTORS

# Words of Persian and many Indian languages need joiners, and emoji consist of several characters: joiners, variation
# selectors and tags. After a character they are part of it.
_PARTS = f"\u200c\u200d{VARIATION_SELECTORS}\U000e0020-\U000e007f"
_UNSEEN = re.compile(rf"(?!(?<=\S)[{_PARTS}])[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{INVISIBLE}]")
# The square root looks like a check mark, too.
_VERDICTS = re.compile("[✓✔✅☑✗✘✕✖❌❎☒☓⍻√🗙🗴-🗸🗹]")
_BLANKS = re.compile(f"[{BLANKS}]+")
# The property Quotation_Mark without the corner brackets, and the symbols that look the same.
_QUOTATION_MARKS = re.compile('["«»‘-‟‹›⹂〝-〟＂＇❛-❠🙶-🙸″‶ʺˮ]')


def visible(text: str) -> str:
    r"""Return a text with control characters, line breaks, bidi and other invisible characters as escapes.

    >>> visible("a\x1b[31mb\u202e\u3164")
    'a\\x1b[31mb\\u202e\\u3164'
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_escape, text)


def harmless(text: str) -> str:
    r"""Return a text that is `visible` and cannot imitate a line of ours: no check marks or crosses, no runs of blanks.

    >>> harmless("tea   ✓ winners: right")
    'tea \\u2713 winners: right'
    """
    return _BLANKS.sub(" ", _VERDICTS.sub(_escape, visible(text)))


def quoted(text: str) -> str:
    r"""Return a text in quotation marks, `harmless` and without others that could end them.

    >>> quoted("tea”. ✓ All is “proven")
    "“tea'. \\u2713 All is 'proven”"
    """
    inside = _QUOTATION_MARKS.sub("'", harmless(text))
    return f"“{inside}”"


def _escape(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")
