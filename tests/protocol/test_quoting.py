"""Texts that people gave: what they could imitate is shown as an escape, and other text stays as it is."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.protocol.quoting import harmless, quoted, visible

HOSTILE = st.text(
    st.sampled_from("“”„\"'«»✓✔✗☑✅❌√ \xa0\u2003\u3000\u200b\u200d\ufe0f\u3164\u2800\u202e\n\x1b\u2028\ud800")
    | st.characters()
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a  b", "a  b"),
        ("Fête 🎉", "Fête 🎉"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("\x07\x00\x7f", r"\x07\x00\x7f"),
        ("\u202a\u202e\u2066\u2069\u200f", r"\u202a\u202e\u2066\u2069\u200f"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udcff", r"\udcff"),
        ("a\u200b\u3164\u2800\xad", r"a\u200b\u3164\u2800\xad"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


# A heart, a family, the flag of England, a Persian word.
@pytest.mark.parametrize(
    "text",
    [
        "\u2764\ufe0f",
        "\U0001f468\u200d\U0001f467",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ],
)
def test_joiners_stay_in_emoji_and_words(text: str) -> None:
    assert harmless(text) == text


def test_a_joiner_between_blanks_is_shown_as_an_escape() -> None:
    assert harmless("a \u200d \ufe0f b") == r"a \u200d \ufe0f b"


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("Foobar", "Foobar"),
        ("Ann’s “fair”", "Ann's 'fair'"),
        ('„a“ «b» ‹c› "d"', "'a' 'b' 'c' 'd'"),
        ("✓ ✔ ✗ ✘ ☑ ☒ ✅ ❌", r"\u2713 \u2714 \u2717 \u2718 \u2611 \u2612 \u2705 \u274c"),
        ("\U0001f5f8", r"\U0001f5f8"),
        ("a \xa0\u3000 b\u2003c", "a b c"),
        ("a\nb", r"a\nb"),
        ("30 × tea", "30 × tea"),
    ],
)
def test_a_quoted_text_cannot_end_its_quotation(text: str, inside: str) -> None:
    assert quoted(text) == f"“{inside}”"


@given(HOSTILE)
def test_a_quoted_text_is_one_visible_line(text: str) -> None:
    shown = quoted(text)

    assert re.fullmatch('“[^"“”„«»✓✔✗☑✅❌√]*”', shown)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert "  " not in re.sub("[\u200c\u200d\u115f\u1160\u3164\u2800\ufe00-\ufe0f]", "", shown)
    assert len(shown.splitlines()) == 1


@given(HOSTILE)
def test_a_text_made_harmless_stays_the_same(text: str) -> None:
    assert harmless(harmless(text)) == visible(harmless(text)) == harmless(text)
