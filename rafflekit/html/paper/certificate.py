"""The certificate of a draw: what its proof shows, step by step, what it does not, and how anyone can check it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from rafflekit.core.holdings import Holding, tally_of
from rafflekit.core.models import Raffle
from rafflekit.core.protocol.audit import NOT_PROVEN, OK, AuditReport
from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.report import AuditedWin
from rafflekit.core.protocol.audit.winners import wins_of
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.words import words_of
from rafflekit.html.assets import static_text
from rafflekit.html.rendering import rendered

_WINS_SHOWN = 60
_PASSED_ON_SHOWN = 30


@dataclass(frozen=True, slots=True)
class CertifiedDraw:
    """What a certificate is made of: a drawn raffle, its proof as it was read, the audit of this proof, and when.

    The `report` is good. `holdings` say what has become of the prizes by then.
    """

    raffle: Raffle
    proof: ProofParts
    report: AuditReport
    holdings: Sequence[Holding]
    audited_at: datetime


def certificate(draw: CertifiedDraw, language: str, *, address: str | None = None) -> str:
    """Return the certificate of a draw as HTML, in one of `languages.LANGUAGES`; it holds nothing secret.

    `address` is that of the proof's page, for the QR code; None if people cannot open it.
    """
    assert draw.report.good
    parts = draw.proof
    closing, end = parts.closed.checkpoint, parts.closed.end
    entropy = parts.proof.entropy
    source = source_of(entropy.kind)
    wins = _drawn(draw)
    passed_on = [each for each in draw.holdings if each.drawn.forfeited_at is not None]
    return rendered(
        "paper/certificate.html",
        language,
        raffle=draw.raffle,
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
        prizes=[(prize, list(group)) for prize, group in groupby(wins[:_WINS_SHOWN], key=lambda win: win.prize)],
        shown=min(_WINS_SHOWN, len(wins)),
        tally=tally_of(draw.holdings),
        passed_on=passed_on[:_PASSED_ON_SHOWN],
        more_passed_on=len(passed_on[_PASSED_ON_SHOWN:]),
        are_forfeits_listed=parts.forfeits is not None,
        checked=[step for step in draw.report.steps if step.outcome == OK],
        unproven=[step for step in draw.report.steps if step.outcome == NOT_PROVEN],
        address=address,
        style_text=static_text("paper/paper.css") + static_text("paper/certificate.css"),
    )


def _drawn(draw: CertifiedDraw) -> Sequence[AuditedWin]:
    """Return the wins of the draw itself, as far as the proof or its leaves show them."""
    if draw.report.winners is None:
        # Of so many forfeits that a proof does not list them, the audit does not say who has the prizes now.
        return wins_of(draw.proof, (), None) or ()
    return [win for win in draw.report.winners if win.in_place_of is None]


def _known_at(seconds: int | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
