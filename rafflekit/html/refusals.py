"""Refusals on pages: the English sentences of the core and of HTTP, in the language of the reader.

The core, JSON, the log and the command line stay English. `SENTENCES` lists what a reader of a page can meet, with a
placeholder for each value; the catalogues translate them. A sentence that is not listed is shown as it is, marked as
English. Tests provoke every sentence of the list, so that none differs from what the code says.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from rafflekit.core.errors import RaffleError
from rafflekit.html.languages import SOURCE_LANGUAGE

SUBJECT = "%(field)s "
"""The beginning of a sentence about a field of a form, whose name is in the reader's language."""

_ABOUT_FIELDS = (
    "%(field)s is missing.",
    "%(field)s is missing: a raffle with a price must name its promoter.",
    "%(field)s is missing: a raffle with a price must say when it is drawn.",
    "%(field)s is missing: only the winner can renounce a prize.",
    "%(field)s is missing: say in words why the ticket is disqualified; everyone can read it.",
    "%(field)s is missing: say where everyone will see the value that decides.",
    "%(field)s must not be empty.",
    "%(field)s is given more than once.",
    "%(field)s must be a whole number, in digits.",
    "%(field)s must be a whole number from %(least)s.",
    "%(field)s must be a whole number of seconds from %(least)s to %(most)s.",
    "%(field)s must be at least %(least)s.",
    "%(field)s must be at most %(most)s.",
    "%(field)s must be at most %(most)s on paper; a file may have more.",
    "%(field)s must be true or false.",
    "%(field)s must be address or invitation or desk.",
    "%(field)s must be secrets or drand-quicknet or announced.",
    "%(field)s must be unclaimed, renounced or disqualified.",
    "%(field)s must be upcoming, open, closed, drawn or cancelled.",
    "%(field)s must have at most %(most)s characters, not %(given)s.",
    "%(field)s must have a visible character, such as a letter or a digit.",
    "%(field)s must not contain control characters or line breaks.",
    "%(field)s has only invisible characters; give a text that names the person, such as an email address.",
    "%(field)s must be text of %(least)s to %(most)s characters.",
    "%(field)s must contain only printable ASCII characters.",
    "%(field)s must be a date and a time, such as 2026-12-05 18:00.",
    "%(field)s does not exist: on that day, the clocks are put forward past this time.",
    "%(field)s must be a time from 1970 to 9999.",
    "%(field)s must be in the future.",
    "%(field)s must be after the moment when the raffle is created.",
    "%(field)s must be after the moment when it opens.",
    "%(field)s must not be before the moment when it closes.",
    "%(field)s must be a ticket's QR code, or its number, a space and its code.",
    "%(field)s cannot be drand-quicknet here: Checking a drand beacon needs the extra 'drand'. In the clone of "
    "rafflekit, run: pip install '.[drand]'",
    "%(field)s must be a size from 0 to the other one, %(most)s.",
    "%(field)s must be at most %(most)s, the size of the ledger now.",
    "%(field)s is not a form that a browser sends.",
    "%(field)s ended before it was complete.",
    "%(field)s must be a JSON object, but is empty.",
)

_OF_RAFFLES = (
    "At least one prize is needed: write one per line.",
    "%(text)s does not begin with a whole number, in digits; write '%(again)s:1' if all of it is the name.",
    "%(text)s has no whole number after its last colon; write '%(again)s:1' if all of it is the name.",
    "Too many kinds of prizes: %(given)s; at most %(most)s are possible.",
    "Too many prizes: the amount of %(text)s has %(count)s digits, where a raffle has at most %(most)s tickets.",
    "Too many prizes: %(prizes)s; at most %(most)s are possible.",
    "Too many prizes: %(prizes)s for 1 ticket. A ticket wins at most one prize; add tickets or remove prizes.",
    "Too many prizes: %(prizes)s for %(tickets)s tickets. A ticket wins at most one prize; add tickets or remove "
    "prizes.",
    "Too many prizes: more than %(most)s for 1 ticket. A ticket wins at most one prize; add tickets or remove prizes.",
    "Too many prizes: more than %(most)s for %(tickets)s tickets. A ticket wins at most one prize; add tickets or "
    "remove prizes.",
    "There are more prizes than tickets handed out: 1 prize, %(tickets)s tickets.",
    "There are more prizes than tickets handed out: %(prizes)s prizes, 1 ticket.",
    "There are more prizes than tickets handed out: %(prizes)s prizes, %(tickets)s tickets.",
    "This raffle has no tickets yet, so its terms can change and nothing is signed.",
    "This participant already has all %(tickets)s tickets.",
)

_OF_PRIZES = (
    "This prize has already been redeemed, on %(time)s.",
    "This prize could be redeemed until %(time)s.",
    "This prize can still be redeemed, until %(time)s.",
    "This prize has not been redeemed, so there is nothing to undo.",
    "This prize was redeemed on %(time)s; that can be undone for %(minutes)s minutes.",
    "This prize was forfeited on %(time)s: “%(reason)s”",
)

_OF_ACCESS = (
    "Your address %(address)s is not listed in %(setting)s.",
    "Your address cannot be determined, so it is not among those in %(setting)s.",
    "Your address cannot be determined, so you cannot take part: your connection has no IP address.",
    "Your address cannot be determined, so you cannot take part: the proxy sent no %(header)s header, the one named in "
    "%(setting)s.",
    "Your address cannot be determined, so you cannot take part: the %(header)s header has an entry that is not an "
    "address, or lists only trusted proxies.",
    "The request came through a proxy that %(setting)s does not list, as the header %(header)s shows.",
    "The request came through a proxy that %(setting)s does not list, as the list in the header %(header)s shows.",
    "The request came through a proxy that %(setting)s does not list, as the use of HTTP/1.0 shows.",
    "A desk pass is needed here, as %(setting)s says. Open the link of your pass on this device, or send its token in "
    "the header Authorization.",
    "This desk pass is not known here, or it has expired or been revoked. Ask for a new one.",
    "The desk pass “%(text)s” may redeem only; this needs a pass that may sell.",
    "The desk pass “%(text)s” may redeem only; this needs a pass that may manage.",
    "The desk pass “%(text)s” may sell only; this needs a pass that may redeem.",
    "The desk pass “%(text)s” may sell only; this needs a pass that may manage.",
    "The desk pass “%(text)s” may redeem and sell only; this needs a pass that may manage.",
    "The host %(text)s is not one of this service's.",
    "The request comes from a page of another site.",
    "The request comes from a page of %(text)s, which is not this service.",
    "The form does not say from which page it comes (Origin); programs send JSON.",
    "%(setting)s lists the names of this service.",
)

_OF_SERVICE = (
    "Nothing is at this address; the raffles are at /raffles/.",
    "This method is not supported here; the Allow header lists those that are.",
    "The body may have at most %(most)s bytes.",
    "The body must be %(type)s.",
    "The server is busy with other large requests; try again in a few seconds.",
    "The server has several processes, and each would show only its own figures. Name an empty folder in %(setting)s, "
    "where they count together, and restart the server.",
    "Something went wrong. The log explains it under incident %(incident)s.",
    "Try again later.",
    "Tell the organiser.",
    "This request has changed nothing.",
    "This request may or may not have been carried out; check before you repeat it.",
    "This request may or may not have been carried out; reload this page to get the same raffle.",
    "This request may or may not have been carried out; reload this page to get the same ticket.",
)

DEFAULT_REASONS = ("not collected", "renounced by the winner")
"""What everyone reads about a prize that passed on, if the organiser gave no reason."""

# How a win was lost, by its kind (`protocol.forfeits.Why`).
_LOSSES = {"unclaimed": DEFAULT_REASONS[0], "renounced": DEFAULT_REASONS[1], "disqualified": "winner disqualified"}

SENTENCES = (*_ABOUT_FIELDS, *_OF_RAFFLES, *_OF_PRIZES, *_OF_ACCESS, *_OF_SERVICE)
"""The sentences, without those of `errors` that have no values: they are taken from there."""

QUOTED = "“%(label)s”"
"""A text in the quotation marks of a language, as the templates have it."""

_NUMBER = "[0-9][0-9,]*"
_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC"
_WORD = r"[\w./*-]+"
# What the value of a placeholder looks like; that of any other is a number.
_VALUES = {
    "text": ".+",
    "again": ".*",
    "reason": ".+",
    "time": _TIME,
    "address": "[0-9a-f.:]+",
    "setting": "[A-Z_]+",
    "header": _WORD,
    "type": _WORD,
    "incident": _WORD,
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!]) (?=\S)")
_MOST_CHARACTERS = 2_000
_MOST_SENTENCES = 6


class _Known(NamedTuple):
    """A sentence of the list, and what it looks like with values; a sentence about a field without its subject."""

    message: str
    pattern: re.Pattern[str]


class Refusals:
    """The refusals in a language, as templates show them.

    `gettext` fills a text of the catalogue with values; `filters` are those of the templates.
    """

    def __init__(
        self, language: str, gettext: Callable[..., Markup], filters: Mapping[str, Callable[..., str]]
    ) -> None:
        self._is_english = language == SOURCE_LANGUAGE
        self._gettext = gettext
        self._filters = filters

    def shown(self, sentence: str, subject: str | None = None) -> Markup:
        """Return a refusal as HTML; `subject` is the name of the field that it is about, which its sentence lacks."""
        # The contract has sentences without a full stop, which others continue.
        end = "." if sentence[-1:].isalnum() else ""
        if self._is_english:
            return (_joined(subject, sentence) if subject and sentence[:1].islower() else escape(sentence)) + end
        found = self._translated(sentence, subject)
        if found is not None:
            return found + end
        english = Markup('<span lang="en">{}</span>').format(sentence)
        return _joined(f"{subject}:", english) if subject and sentence[:1].islower() else english

    def reason(self, text: str) -> str:
        """Return why a prize passed on as HTML: in the organiser's words, or in the reader's language."""
        return self._gettext(text) if text in DEFAULT_REASONS else self._filters["named"](text)

    def loss(self, why: str, reason: str) -> Markup:
        """Return how a win was lost as HTML, and after it the organiser's words, if there are any."""
        kind = Markup(self._gettext(_LOSSES[why]))  # noqa: S704
        return kind if reason == _LOSSES[why] else Markup("{} – {}").format(kind, self._filters["named"](reason))

    def _translated(self, text: str, subject: str | None) -> Markup | None:
        """Return the translation of one sentence or of several; None if one of them is not known."""
        if len(text) > _MOST_CHARACTERS:
            return None
        shown, rest = [], text
        while rest:
            found = _longest(rest)
            if found is None:
                return None
            known, match = found
            values = {name: self._value(name, value) for name, value in match.groupdict().items()}
            if known.message.startswith(SUBJECT):
                values["field"] = subject or ""
            shown.append(self._gettext(known.message, **values))
            rest = rest[match.end() :].lstrip()
        return Markup(" ").join(shown)

    def _value(self, name: str, value: str) -> str:
        match name:
            case "time":
                return self._filters["moment"](datetime.strptime(value, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC))
            case "reason":
                return self.reason(value)
            case "text" if value[:1] == value[-1:] and value[:1] in ("'", '"'):
                # The reader's language has other quotation marks.
                return self._gettext(QUOTED, label=self._filters["named"](value[1:-1]))
            case _ if name in _VALUES:
                return self._filters["named"](value)
            case _:
                return self._filters["number"](int(value.replace(",", "")))


def _joined(subject: Any, rest: Any) -> Markup:
    return Markup("{} {}").format(subject, rest)


def _longest(text: str) -> tuple[_Known, re.Match[str]] | None:
    """Return the known sentence that is all of a text, or else as much of its beginning as possible."""
    ends = [found.start() for found in _BETWEEN_SENTENCES.finditer(text)][:_MOST_SENTENCES]
    for end in (len(text), *reversed(ends)):
        for known in _known():
            match = known.pattern.fullmatch(text, 0, end)
            if match is not None:
                return known, match
    return None


@cache
def _known() -> tuple[_Known, ...]:
    """Return all sentences, the most specific first: those with the most text besides their values."""
    messages = sorted({*SENTENCES, *_sentences_of(RaffleError)}, key=lambda each: -len(_PLACEHOLDER.sub("", each)))
    return tuple(_Known(message, _pattern(message.removeprefix(SUBJECT))) for message in messages)


def _sentences_of(kind: type[RaffleError]) -> Iterator[str]:
    for child in kind.__subclasses__():
        if child.__module__ == RaffleError.__module__:
            yield child.sentence
            yield from _sentences_of(child)


def _pattern(message: str) -> re.Pattern[str]:
    # Texts and names of placeholders take turns.
    parts = _PLACEHOLDER.split(message)
    written = (
        f"(?P<{part}>{_VALUES.get(part, _NUMBER)})" if position % 2 else re.escape(part)
        for position, part in enumerate(parts)
    )
    return re.compile("".join(written), re.DOTALL)
