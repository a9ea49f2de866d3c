"""Verification codes, read as another implementation of Crockford's base 32 reads them."""

import unicodedata

from hypothesis import strategies as st

from rafflekit.core.protocol import codes
from tests.fuzz.cases import damaged, fuzz

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.binary(min_size=codes.CODE_BYTES, max_size=codes.CODE_BYTES)
# As people write it, and a long s, whose capital is an S.
HANDS = st.sampled_from(
    [{"1": "l", "0": "o"}, {"1": "I", "0": "O"}, {"1": "L"}, {"1": "i"}, {"S": "\u017f"}, {"S": "5"}]
)
SPELLED = st.builds(lambda code, hand: codes.spell(code).translate(str.maketrans(hand)), CODES, HANDS)


UNCOUNTED = "- \t\n\x85\xa0\u2003\u3000\u200b\ufeff\xad\u202e\u2011\u2013\u2212\uff0d"
QUOTES = "'\"\u201c\u201d\u201e\u2018\u2019\u201a\xab\xbb\u2039\u203a`"


def is_uncounted(character: str) -> bool:
    """Return whether a code is the same without this character."""
    is_white = character.isspace() and character not in "\x1c\x1d\x1e\x1f"
    return is_white or unicodedata.category(character) in ("Cf", "Pd") or character == "\u2212"


def by_arithmetic(text: str) -> int | None:
    """Return the number that a code spells, digit by digit, or None."""
    number = digits = 0
    for character in "".join(each for each in text if not is_uncounted(each)).strip(QUOTES):
        digit = ALPHABET.find({"O": "0", "I": "1", "L": "1"}.get(character.upper(), character.upper()))
        if digit < 0 or not character.isascii():
            return None
        number, digits = number * 32 + digit, digits + 1
    return number if digits == 24 else None


@fuzz(text=SPELLED | damaged(SPELLED, alphabet=f"0Oo1IilLuU_\x1c\u0131\u0660aZ{UNCOUNTED}{QUOTES}") | st.text())
def test_a_code_is_read_as_arithmetic_reads_it(text: str) -> None:
    expected, read = by_arithmetic(text), codes.read(text)

    assert (read is None) == (expected is None)
    if read is not None:
        assert by_arithmetic(read) == expected
        assert codes.read(read) == read


@fuzz(code=CODES, around=st.text(UNCOUNTED + QUOTES), inside=st.text(UNCOUNTED))
def test_what_does_not_count_changes_no_code(code: bytes, around: str, inside: str) -> None:
    spelled = codes.spell(code)
    written = f"{around}{spelled.replace('-', inside)}{around[::-1]}"

    assert codes.read(written) == codes.read(spelled)
    assert codes.length_of(written) == codes.CHARACTERS


@fuzz(code=CODES)
def test_a_code_is_spelled_as_arithmetic_spells_it(code: bytes) -> None:
    spelled = codes.spell(code)

    assert by_arithmetic(spelled) == int.from_bytes(code)
    assert codes.read(spelled) == spelled.replace("-", "")
