"""The certificate of a draw: what its proof shows, step by step, what it does not, and how anyone can check it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from rafflekit.core.certificates import AuditedDraw
from rafflekit.core.protocol.audit import NOT_PROVEN, OK, AuditReport
from rafflekit.core.protocol.audit.report import AuditedWin, Doubt
from rafflekit.core.protocol.audit.winners import wins_of
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.forfeits import ForfeitStatement
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.words import words_of
from rafflekit.html.assets import static_text
from rafflekit.html.rendering import rendered

_WINS_SHOWN = 60
_LOST_SHOWN = 30
# This many prizes or more are in two columns, unless a name has more characters than fit there.
_COLUMNS_FROM = 5
_NAME_IN_COLUMNS = 60


class _LostWin(NamedTuple):
    """A win that its ticket lost, by the proof: how, and the number of the ticket that took it over, if one did."""

    win: AuditedWin
    forfeit: ForfeitStatement
    heir: int | None

    @property
    def at(self) -> datetime:
        return _moment(self.forfeit.time)


def certificate(draw: AuditedDraw, language: str, *, address: str | None = None) -> str:
    """Return the certificate of a draw as HTML, in one of `languages.LANGUAGES`; it holds nothing secret.

    Everything is from the proof, except the number of prizes that were redeemed. `address` is that of the proof's
    page, for the QR code; None if people cannot open it.
    """
    assert draw.report.good
    parts = draw.proof
    closing, end = parts.closed.checkpoint, parts.closed.end
    entropy = parts.proof.entropy
    source = source_of(entropy.kind)
    shown, lost = _drawn(draw)[:_WINS_SHOWN], _lost(draw)
    losses = lost or []
    return rendered(
        "paper/certificate.html",
        language,
        terms=parts.proof.terms,
        audited_at=draw.audited_at,
        tickets=closing.size,
        closed_at=_moment(end.closed),
        closing_hash=base64_of(closing.closing_hash()),
        words=words_of(closing.closing_hash()),
        entropy=entropy,
        value=entropy.value.decode() if source.is_announced else entropy.value.hex(),
        known_at=_known_at(source.known_from(end)),
        drawn_at=_moment(parts.draw.statement.drawn),
        seed=parts.proof.seed.hex(),
        digest=base64_of(parts.draw.statement.winners_digest),
        key=str(parts.key),
        witnesses=[each.name for each in parts.witnesses],
        count=parts.wins,
        prizes=[(prize, list(group)) for prize, group in groupby(shown, key=lambda win: win.prize)],
        is_in_columns=_is_in_columns({win.prize for win in shown}),
        shown=len(shown),
        is_one_marked=any(win.lost is not None for win in shown),
        is_lost_listed=lost is not None,
        lost=losses[:_LOST_SHOWN],
        more_lost=len(losses[_LOST_SHOWN:]),
        # A prize may pass on several times.
        passed_on=sum(each.heir is not None and each.win.in_place_of is None for each in losses),
        times_passed_on=sum(each.heir is not None for each in losses),
        lapsed=sum(each.heir is None for each in losses),
        redeemed=draw.redeemed,
        # Apart from its doubts, a step is proven.
        proven=[step for step in draw.report.steps if step.outcome == OK or step.doubts],
        unproven=list(_unproven(draw.report)),
        address=address,
        style_text=static_text("paper/paper.css") + static_text("paper/certificate.css"),
    )


def _drawn(draw: AuditedDraw) -> Sequence[AuditedWin]:
    """Return the wins of the draw itself, as far as the proof or its leaves show them."""
    if draw.report.winners is None:
        # Of so many forfeits that a proof does not list them, the audit does not say who has the prizes now.
        return wins_of(draw.proof, (), None) or ()
    return [win for win in draw.report.winners if win.in_place_of is None]


def _lost(draw: AuditedDraw) -> list[_LostWin] | None:
    """Return the wins that were lost, in the order of their forfeits; None if the proof does not list these."""
    wins = draw.report.winners
    if wins is None:
        return None
    # A ticket wins at most once.
    heirs = {win.in_place_of: win.ticket_number for win in wins}
    lost = [_LostWin(win, win.lost, heirs.get(win.ticket_number)) for win in wins if win.lost is not None]
    return sorted(lost, key=lambda each: each.forfeit.number)


def _unproven(report: AuditReport) -> Iterator[tuple[str, Doubt | None]]:
    """Yield the name of each step that is not proven with each of its doubts; with None if it proves nothing."""
    for step in report.steps:
        if step.outcome == NOT_PROVEN:
            for doubt in step.doubts or (None,):
                yield step.name, doubt


def _is_in_columns(prizes: Collection[str]) -> bool:
    return len(prizes) >= _COLUMNS_FROM and max(map(len, prizes)) <= _NAME_IN_COLUMNS


def _known_at(seconds: int | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
