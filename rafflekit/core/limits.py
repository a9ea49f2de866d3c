"""All bounds and defaults of the contract, and the checks of values against them (pure).

A check returns nothing, or raises `InvalidValue` with the field's name. Types are checked as well: a bool is not a
number here, although it is one in Python.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from rafflekit.core.characters import is_visible, without_blanks_around, without_invisible
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize

NAME_CHARACTERS = 200
"""The longest name of a raffle or a prize."""

TICKETS = 10**12
"""The most tickets of a raffle."""

PRIZE_KINDS = 1_000
"""The most kinds of prizes in a raffle."""

PRIZES = 1_000_000
"""The most prizes of a raffle: the sum of the amounts."""

TICKETS_EACH = 1_000
"""The most tickets that a raffle can let one participant hold."""

CLAIM_DAYS = 3_650
"""The longest time in which a prize can be redeemed."""

VALUE_CHARACTERS = 1_000
"""The longest value of an announced source."""

REASON_CHARACTERS = 200
"""The longest reason for a cancellation or a forfeit, and the longest text that is announced with a raffle."""

UNDO_S = 15 * 60
"""How long a redemption can be undone."""

PASS_NAME_CHARACTERS = 100
"""The longest name of a desk pass."""

PASS_S = (60, 400 * 86_400)
"""The shortest and the longest time for which a desk pass is valid: a minute and 400 days."""

PASSES = 1_000
"""The most desk passes that are valid at the same time."""

ENDED_PASSES_LISTED = 100
"""The most desk passes that a list shows of those that have expired or were revoked."""

QUEUE = 1_000
"""The most tickets that the queue of a drawn raffle shows."""

INVITATIONS = 2**40
"""Invitations are numbered from 1 to below this."""

INVITATIONS_AT_ONCE = 100_000
"""The most invitations that are made in one call."""

PARTICIPANT_CHARACTERS = 1_000
"""The longest text that names a participant."""

IPV6_PREFIX = 64
"""The default number of bits of an IPv6 address that say which participant it is: a household or phone holds a /64."""

IPV6_PREFIXES = (48, 128)
"""The least and the most such bits: a larger network than a /48 is shared by many households."""

IDEMPOTENCY_KEY_CHARACTERS = (16, 255)
"""The shortest and the longest idempotency key. A shorter key could be guessed, and with it a code."""

PAGE_SIZE = 1_000
"""The most items on a page, other than raffles."""

RAFFLES_PAGE_SIZE = 10
"""The default number of raffles on a page."""

RAFFLES_PAGE_SIZE_MOST = 100
"""The most raffles on a page."""

LISTED_PRIZES = 15
"""The kinds of prizes that a list of raffles over HTTP shows of each raffle."""

WINNERS_PAGE_SIZE = 100
"""The default number of wins on a page."""

LEAVES_AT_ONCE = 10_000
"""The most leaves of a ledger that are read at once, and that an answer has."""

PAGE_NUMBER = 10**12
"""No list has a page after this one; page times page size fits in 64 bits."""

BODY_BYTES = 64 * 1024
"""The largest body of a request."""

CREATE_BODY_BYTES = 1024 * 1024
"""The largest body of a request that creates a raffle: 1,000 prizes with long names fit in it."""

FORM_FIELDS = 200
"""The most fields of a form that a page sends."""

RECORD_CHARACTERS = 1024 * 1024
"""The longest record of a CSV file, with its line breaks."""

RECORD_CELLS = 1_000
"""The most cells of a line of a list: the last column that can be read."""

XLSX_BYTES = 128 * 1024 * 1024
"""The most bytes of an Excel file, unpacked."""

XLSX_ELEMENTS = 5_000_000
"""The most XML elements in an Excel file: each row, each cell and each value is one."""

XLSX_PIECE_ELEMENTS, XLSX_PIECE_BYTES = 100_000, 8 * 1024 * 1024
"""The most XML elements with attributes, and bytes, of an Excel file in memory at once: of a row, a text or a part."""

XLSX_TEXTS_BYTES = 32 * 1024 * 1024
"""The most bytes of the texts of an Excel file that are apart from its cells, and of its styles: they are in memory."""

BODY_NESTING = 10
"""How deeply lists and objects may be nested in a request's body; three levels are needed."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Matches what text must not contain, because UTF-8 cannot encode it."""

LONE_SURROGATE_REASON = "is not valid Unicode (a lone surrogate)."
"""The reason given for refusing such text."""

UNPRINTABLE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""The Unicode categories that a name may not contain: controls, lone surrogates, line breaks."""


def announced_names(name: str, total_tickets: int, prizes: Sequence[Prize]) -> tuple[str, tuple[Prize, ...]]:
    """Check a raffle before it is announced; return its name and prizes without blanks around their names.

    Raises:
        InvalidValue: for the first value that breaks a limit, or for a name that shows nothing.
    """
    check_raffle(name, total_tickets, prizes)
    named = [replace(prize, name=without_blanks_around(prize.name)) for prize in prizes]
    for field, text in (("name", name), *((f"prizes[{at}].name", prize.name) for at, prize in enumerate(named))):
        _check_visible(field, text)
    return without_blanks_around(name), tuple(named)


def check_raffle(name: object, total_tickets: object, prizes: object) -> None:
    """Check what the terms of any raffle must have: text, a whole number and a sequence of `Prize`.

    Documents are checked by this alone. Programs with other versions of Unicode must agree on them, so it does not ask
    which characters are visible.

    Raises:
        InvalidValue: for the first of `name`, `total_tickets` and `prizes` that breaks a limit.
    """
    _check_text("name", name, most=NAME_CHARACTERS)
    _check_prizes(prizes, _whole_number("total_tickets", total_tickets, most=TICKETS))


def check_reason(field: str, text: object) -> None:
    """Check a text in a signed note: one line of 1 to `REASON_CHARACTERS` characters, not blank.

    Raises:
        InvalidValue: for `field`.
    """
    _check_text(field, text, most=REASON_CHARACTERS)


def given_reason(field: str, text: object) -> str:
    """Check a text that is to be signed, and return it without blanks around it; it needs a visible character.

    Raises:
        InvalidValue: for `field`.
    """
    check_reason(field, text)
    assert isinstance(text, str)
    _check_visible(field, text)
    return without_blanks_around(text)


def given_pass_name(field: str, name: object) -> str:
    """Check the name of a desk pass, one line of at most `PASS_NAME_CHARACTERS`; return it without blanks around it.

    It needs a visible character.

    Raises:
        InvalidValue: for `field`.
    """
    _check_text(field, name, most=PASS_NAME_CHARACTERS)
    assert isinstance(name, str)
    _check_visible(field, name)
    return without_blanks_around(name)


def check_pass_lasts(lasts: object) -> None:
    """Check for how long a desk pass is to be valid (`PASS_S`).

    Raises:
        InvalidValue: for `lasts`.
    """
    least, most = (timedelta(seconds=seconds) for seconds in PASS_S)
    if not isinstance(lasts, timedelta) or not least <= lasts <= most:
        raise InvalidValue("lasts", f"must be from 1 minute to {most.days} days.")


def check_announced_value(value: object) -> None:
    """Check the value of an announced source: 1 to `VALUE_CHARACTERS` printable characters, white space normalised.

    Raises:
        InvalidValue: for `value`.
    """
    _check_text("value", value, most=VALUE_CHARACTERS)
    if isinstance(value, str) and " ".join(value.split()) != value:
        raise InvalidValue("value", "must have single spaces between words, and no spaces at its ends.")


def check_drawn_value(value: object) -> None:
    """Check that what a source gave is text or missing; the source checks the rest.

    Raises:
        InvalidValue: for `value`.
    """
    if value is not None and not isinstance(value, str):
        raise InvalidValue("value", "must be text.")


def check_count(field: str, number: object, *, most: int) -> None:
    """Check a whole number from 1 to `most`.

    Raises:
        InvalidValue: for `field`.
    """
    _whole_number(field, number, most=most)


def check_searched_name(part: object) -> None:
    """Check a part of a name that is searched for: any text that a name could contain; it may be empty.

    Raises:
        InvalidValue: for `name`.
    """
    _check_characters("name", part, most=NAME_CHARACTERS)


def check_winners_drawn(winners_drawn: object) -> None:
    """Check the filter of a list: drawn raffles, or those that are not drawn.

    Raises:
        InvalidValue: for `winners_drawn`.
    """
    if not isinstance(winners_drawn, bool):
        raise InvalidValue("winners_drawn", "must be true or false.")


def check_participant(participant: object) -> None:
    """Check the text that names a participant: 1 to `PARTICIPANT_CHARACTERS` printable characters that count.

    Raises:
        InvalidValue: for `participant`.
    """
    _check_text("participant", participant, most=PARTICIPANT_CHARACTERS)
    if isinstance(participant, str) and not participant.isascii() and not without_invisible(participant).strip():
        raise InvalidValue(
            "participant", "has only invisible characters; give a text that names the person, such as an email address."
        )


def check_ipv6_prefix(bits: object) -> None:
    """Check how many bits of an IPv6 address say which participant it is (`IPV6_PREFIXES`).

    Raises:
        InvalidValue: for `ipv6_prefix`.
    """
    least, most = IPV6_PREFIXES
    if isinstance(bits, bool) or not isinstance(bits, int) or not least <= bits <= most:
        raise InvalidValue("ipv6_prefix", f"must be a whole number from {least} to {most}.")


def check_idempotency_key(key: object) -> None:
    """Check an idempotency key: its length (`IDEMPOTENCY_KEY_CHARACTERS`), and that a header can hold its characters.

    Raises:
        InvalidValue: for `idempotency_key`.
    """
    least, most = IDEMPOTENCY_KEY_CHARACTERS
    if not isinstance(key, str) or not least <= len(key) <= most:
        raise InvalidValue("idempotency_key", f"must be text of {least} to {most} characters.")
    if not (key.isascii() and key.isprintable()):
        raise InvalidValue("idempotency_key", "must contain only printable ASCII characters.")


def check_page(number: object, size: object, *, most: int = PAGE_SIZE) -> None:
    """Check the page of a list: `number` from 1, `size` from 1 to `most`. The list may end before it.

    Raises:
        InvalidValue: for `page` or `page_size`.
    """
    _whole_number("page", number)
    _whole_number("page_size", size, most=most)


def check_ticket_number(number: object) -> None:
    """Check that a ticket number is a whole number; a ticket with it need not exist.

    Raises:
        InvalidValue: for `ticket_number`.
    """
    if isinstance(number, bool) or not isinstance(number, int):
        raise InvalidValue("ticket_number", "must be a whole number.")


def check_verification_code(code: object) -> None:
    """Check that a verification code is text; it may be wrong.

    Raises:
        InvalidValue: for `verification_code`.
    """
    if not isinstance(code, str):
        raise InvalidValue("verification_code", "must be text.")


def possible_number(number: int, size: int) -> int:
    """Return `number`, or 0 if a raffle of `size` tickets cannot have it; no ticket has the number 0.

    A larger number may not fit in a database's 64-bit column.
    """
    return number if 1 <= number <= size else 0


def _check_prizes(prizes: object, total_tickets: int) -> None:
    if isinstance(prizes, str) or not isinstance(prizes, Sequence) or not prizes:
        raise InvalidValue("prizes", "must be a list of at least one prize.")
    if len(prizes) > PRIZE_KINDS:
        raise InvalidValue(
            "prizes", f"Too many kinds of prizes: {len(prizes):,}; at most {PRIZE_KINDS:,} are possible."
        )
    in_all = sum(_amount(f"prizes[{position}]", prize) for position, prize in enumerate(prizes))
    # Python refuses to print a number of thousands of digits, which a caller may have given.
    shown = f"{in_all:,}" if in_all <= TICKETS else f"more than {TICKETS:,}"
    if in_all > total_tickets:
        tickets = "1 ticket" if total_tickets == 1 else f"{total_tickets:,} tickets"
        raise InvalidValue(
            "prizes",
            f"Too many prizes: {shown} for {tickets}. A ticket wins at most one prize; add tickets or remove prizes.",
        )
    if in_all > PRIZES:
        raise InvalidValue("prizes", f"Too many prizes: {shown}; at most {PRIZES:,} are possible.")


def _amount(field: str, prize: object) -> int:
    if not isinstance(prize, Prize):
        raise InvalidValue(field, "must be a Prize with a name and an amount.")
    _check_text(f"{field}.name", prize.name, most=NAME_CHARACTERS)
    # "Too many prizes" covers an amount above the total, and says what to do about it.
    return _whole_number(f"{field}.amount", prize.amount)


def _check_visible(field: str, text: str) -> None:
    if not is_visible(text):
        raise InvalidValue(field, "must have a visible character, such as a letter or a digit.")


def _check_text(field: str, text: object, *, most: int) -> None:
    _check_characters(field, text, most=most)
    if isinstance(text, str) and not text.strip():
        raise InvalidValue(field, "must not be empty.")


def _check_characters(field: str, text: object, *, most: int) -> None:
    if not isinstance(text, str):
        raise InvalidValue(field, "must be text.")
    if len(text) > most:
        raise InvalidValue(field, f"must have at most {most:,} characters, not {len(text):,}.")
    if _has_unprintable(text):
        is_unicode = LONE_SURROGATE.search(text) is None
        reason = "must not contain control characters or line breaks." if is_unicode else LONE_SURROGATE_REASON
        raise InvalidValue(field, reason)


def _whole_number(field: str, number: object, *, most: int | None = None) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise InvalidValue(field, "must be a whole number.")
    if number < 1:
        raise InvalidValue(field, "must be at least 1.")
    if most is not None and number > most:
        raise InvalidValue(field, f"must be at most {most:,}.")
    return number


def _has_unprintable(text: str) -> bool:
    # Most text is plain ASCII, and looking up every character takes longer than the rest of a check.
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in UNPRINTABLE_CATEGORIES for character in text)
