"""Limits: the last value that passes, the first that does not, and the sentence that says what would be right."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import InvalidValue, Prize
from rafflekit.core import characters, limits

Check = Callable[[], None]

hug = [Prize("hug")]


def raffle(name: Any = "Foobar", total_tickets: Any = 10**12, prizes: Any = hug) -> Check:
    return partial(limits.check_raffle, name, total_tickets, prizes)


def announced(name: Any = "Foobar", prizes: Any = hug) -> Check:
    return partial(limits.announced_names, name, 10**12, prizes)


def searched(part: Any) -> Check:
    return partial(limits.check_searched_name, part)


def participant(text: Any) -> Check:
    return partial(limits.check_participant, text)


def key(text: Any) -> Check:
    return partial(limits.check_idempotency_key, text)


def page(number: Any, size: Any) -> Check:
    return partial(limits.check_page, number, size)


@pytest.mark.parametrize(
    "check",
    [
        raffle("n" * 200),
        raffle("é"),
        raffle(total_tickets=1),
        raffle("\u200b\u0301"),
        raffle(prizes=(Prize("p" * 200, 1_000_000),)),
        announced("1"),
        announced("\u200b!"),
        announced("é"),
        announced("\u2764\ufe0f"),
        # Unassigned in Unicode 16.
        announced("\U0001f6d9"),
        raffle(prizes=[Prize("hug")] * 1_000),
        raffle(total_tickets=3, prizes=[Prize("hug"), Prize("kiss", 2)]),
        searched(""),
        searched("n" * 200),
        participant("p" * limits.PARTICIPANT_CHARACTERS),
        key("k" * 16),
        key("k" * 255),
        page(1, 1),
        page(10**15, 1_000),
        partial(limits.check_winners_drawn, False),
        partial(limits.check_ticket_number, -1),
        partial(limits.check_verification_code, ""),
    ],
)
def test_the_last_value_within_a_limit_passes(check: Check) -> None:
    check()


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (raffle(7), "name: must be text."),
        (raffle(" "), "name: must not be empty."),
        (raffle("n" * 201), "name: must have at most 200 characters, not 201."),
        (raffle("a\nb"), "name: must not contain control characters or line breaks."),
        (raffle("a\udcfc"), "name: is not valid Unicode (a lone surrogate)."),
        (raffle(total_tickets=True), "total_tickets: must be a whole number."),
        (raffle(total_tickets=0), "total_tickets: must be at least 1."),
        (raffle(total_tickets=10**12 + 1), "total_tickets: must be at most 1,000,000,000,000."),
        (raffle(prizes="hug"), "prizes: must be a list of at least one prize."),
        (raffle(prizes=[]), "prizes: must be a list of at least one prize."),
        (raffle(prizes=[Prize("hug")] * 1_001), "prizes: Too many kinds of prizes: 1,001; at most 1,000 are possible."),
        (raffle(prizes=[Prize("hug"), "kiss"]), "prizes[1]: must be a Prize with a name and an amount."),
        (raffle(prizes=[Prize("")]), "prizes[0].name: must not be empty."),
        (raffle(prizes=[Prize("p" * 201)]), "prizes[0].name: must have at most 200 characters, not 201."),
        (raffle(prizes=[Prize("hug", 0)]), "prizes[0].amount: must be at least 1."),
        (
            raffle(total_tickets=2, prizes=[Prize("hug", 3)]),
            "prizes: Too many prizes: 3 for 2 tickets. A ticket wins at most one prize; add tickets or remove prizes.",
        ),
        (
            raffle(total_tickets=1, prizes=[Prize("hug", 2)]),
            "prizes: Too many prizes: 2 for 1 ticket. A ticket wins at most one prize; add tickets or remove prizes.",
        ),
        (
            raffle(total_tickets=5, prizes=[Prize("hug", 10**12)]),
            "prizes: Too many prizes: 1,000,000,000,000 for 5 tickets. "
            "A ticket wins at most one prize; add tickets or remove prizes.",
        ),
        (
            raffle(prizes=[Prize("hug", 1_000_001)]),
            "prizes: Too many prizes: 1,000,001; at most 1,000,000 are possible.",
        ),
        (
            raffle(prizes=[Prize("hug", 10**5000)]),
            "prizes: Too many prizes: more than 1,000,000,000,000 for 1,000,000,000,000 tickets. "
            "A ticket wins at most one prize; add tickets or remove prizes.",
        ),
        (announced(7), "name: must be text."),
        (announced(" "), "name: must not be empty."),
        (announced("\u200b"), "name: must have a visible character, such as a letter or a digit."),
        (
            announced(prizes=[Prize("hug"), Prize("\u3164 \u0301")]),
            "prizes[1].name: must have a visible character, such as a letter or a digit.",
        ),
        (searched("n" * 201), "name: must have at most 200 characters, not 201."),
        (partial(limits.check_winners_drawn, 1), "winners_drawn: must be true or false."),
        (participant(""), "participant: must not be empty."),
        (
            participant("\u200b \u3164"),
            "participant: has only invisible characters; give a text that names the person, such as an email address.",
        ),
        (key("k" * 15), "idempotency_key: must be text of 16 to 255 characters."),
        (key("k" * 256), "idempotency_key: must be text of 16 to 255 characters."),
        (key(b"k" * 16), "idempotency_key: must be text of 16 to 255 characters."),
        (key("k" * 16 + "\0"), "idempotency_key: must contain only printable ASCII characters."),
        (key("k" * 16 + "\x7f"), "idempotency_key: must contain only printable ASCII characters."),
        (key("k" * 16 + "é"), "idempotency_key: must contain only printable ASCII characters."),
        (page(0, 1), "page: must be at least 1."),
        (page(1, 1_001), "page_size: must be at most 1,000."),
        (partial(limits.check_ticket_number, True), "ticket_number: must be a whole number."),
        (partial(limits.check_ticket_number, "7"), "ticket_number: must be a whole number."),
        (partial(limits.check_verification_code, None), "verification_code: must be text."),
    ],
)
def test_a_value_beyond_a_limit_is_refused_with_the_limit(check: Check, sentence: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        check()

    assert str(refusal.value) == sentence


def test_blanks_around_names_are_not_announced() -> None:
    name, prizes = limits.announced_names(" Foo  bar\u3000", 10, [Prize("\xa0warm hug ", 3)])

    assert (name, prizes) == ("Foo  bar", (Prize("warm hug", 3),))


UNSEEN = st.sampled_from("\u115f\u1160\u17b4\u17b5\u200b\u200d\u2800\u3164\ufe0f\ufeff\uffa0\xad\u2060\U000e0041")
MARKS = st.characters(categories=["M", "Z", "Cf"])


@given(st.text(UNSEEN | MARKS | st.just(" "), min_size=1))
def test_what_shows_nothing_by_itself_is_not_a_name(text: str) -> None:
    assert not characters.is_visible(text)


@given(st.text(UNSEEN | MARKS), st.characters(categories=["L", "N", "P", "S"]))
def test_one_visible_character_is_enough_for_a_name(text: str, character: str) -> None:
    is_filler = not characters.without_invisible(character)

    assert characters.is_visible(text + character) is not is_filler


def test_the_ranges_of_characters_are_those_of_unicode() -> None:
    every = "".join(map(chr, range(0x110000)))
    spaces = "".join(character for character in every if unicodedata.category(character) == "Zs")
    formats = "".join(character for character in every if unicodedata.category(character) == "Cf")

    assert re.findall(f"[{characters.BLANKS}]", every) == list(spaces)
    assert set(formats) <= set(re.findall(f"[{characters.FORMAT}]", every))
    # isspace() also accepts the separators U+001C to U+001F.
    white = [character for character in every if character.isspace() and character not in "\x1c\x1d\x1e\x1f"]
    assert re.findall(f"[{characters.WHITE_SPACE}]", every) == white
