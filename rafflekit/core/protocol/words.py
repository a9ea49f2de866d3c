"""Six words for a closing, by which people compare what they see: on a phone, on a screen, read aloud (section 4)."""

from functools import cache
from importlib.resources import files

WORDS = 6
"""The number of words of a closing."""

_BITS = 11


def words_of(closing_hash: bytes) -> tuple[str, ...]:
    """Return the six words of a closing: the first 66 bits of its hash (`Checkpoint.closing_hash`).

    They depend only on the closing's text, not on its signatures.

    >>> " ".join(words_of(bytes(32)))
    'abandon abandon abandon abandon abandon abandon'
    """
    bits = int.from_bytes(closing_hash) >> (8 * len(closing_hash) - WORDS * _BITS)
    return tuple(word_list()[bits >> (WORDS - 1 - place) * _BITS & (1 << _BITS) - 1] for place in range(WORDS))


@cache
def word_list() -> tuple[str, ...]:
    """Return the 2,048 words: the English list of BIP-39, in which no two share their first four letters."""
    return tuple(files("rafflekit.core.protocol").joinpath("words.txt").read_text(encoding="ascii").split())
