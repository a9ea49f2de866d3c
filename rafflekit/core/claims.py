"""After the draw: what a ticket won, prizes that are handed out, and prizes that pass on to the next ticket."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from rafflekit.core import lifecycle, limits
from rafflekit.core.errors import (
    InvalidValue,
    InvalidVerificationCode,
    NoPrize,
    StorageUnavailable,
    TicketNotFound,
    TooEarly,
    TooLate,
)
from rafflekit.core.models import Page, Raffle, Verification
from rafflekit.core.paging import items_before, page_of
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.forfeits import Why, given_why
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.queues import TicketQueue
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import claims as statements
from rafflekit.core.storage.statements import draws, ledgers, raffles
from rafflekit.core.storage.statements.claims import Claim, Forfeit, GenuineTicket

_QUEUES_KEPT = 8


class Claims:
    """The wins of one database's drawn raffles, and what happened to them."""

    def __init__(self, database: Database, hasher: CodeHasher, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._hasher = hasher
        self._clock = clock
        # The more prizes there are, the longer a shuffle takes; and it never changes.
        self._queues = lru_cache(_QUEUES_KEPT)(TicketQueue)

    def verify(self, raffle: Raffle, number: int, code: str) -> Verification:
        """Return what a ticket won, if the code is the ticket's.

        Raises:
            NotDrawnYet, InvalidVerificationCode, InvalidValue: see `RaffleEngine.verify`.
        """
        return _verification(raffle, self._genuine(raffle, number, code).claim)

    def redeem(self, raffle: Raffle, number: int, code: str, *, by: str | None) -> Verification:
        """Mark a ticket's prize as handed out.

        Raises:
            RaffleError: see `RaffleEngine.redeem`.
        """
        name = _pass_name(by)
        self._genuine(raffle, number, code)
        # Not before the draw, even if the clock was set back.
        now = max(self._now(), datetime.fromtimestamp(lifecycle.drawn_s(raffle), UTC))

        def store(connection: Connection) -> Claim:
            claim = _locked_claim(connection, raffle, number)
            _check_redeemable(claim, _deadline(raffle, claim), now)
            statements.insert_redemption(connection, raffle.id, claim.ordinal, now, by=name)
            return claim

        claim = self._database.write(store)
        return Verification(
            has_won=True, prize=claim.name, redeemed_at=now, redeem_until=_deadline(raffle, claim), redeemed_by=name
        )

    def check_redeem(self, raffle: Raffle, number: int, code: str, *, undo: bool) -> Verification:
        """Return what a ticket won, if its prize can be redeemed now, or the redemption undone; nothing is stored.

        Raises:
            RaffleError: see `RaffleEngine.redeem`.
        """
        claim = _claim_in(self._genuine(raffle, number, code))
        if undo:
            _undoable(claim, self._now())
        else:
            _check_redeemable(claim, _deadline(raffle, claim), self._now())
        return _verification(raffle, claim)

    def undo_redemption(self, raffle: Raffle, number: int, code: str, *, by: str | None) -> Verification:
        """Undo a redemption that was made a short time ago.

        Raises:
            RaffleError: see `RaffleEngine.redeem`.
        """
        name = _pass_name(by)
        self._genuine(raffle, number, code)
        now = self._now()

        def store(connection: Connection) -> Claim:
            claim = _locked_claim(connection, raffle, number)
            redeemed_at = _undoable(claim, now)
            statements.undo_redemption(connection, raffle.id, claim.ordinal, max(now, redeemed_at), by=name)
            return claim

        claim = self._database.write(store)
        return Verification(has_won=True, prize=claim.name, redeem_until=_deadline(raffle, claim))

    def forfeit(
        self, raffle: Raffle, number: int, *, why: str, reason: str | None, code: str | None, by: str | None
    ) -> Win | None:
        """Pass a ticket's prize on to the next ticket; return the win that takes its place, None if the prize lapses.

        Raises:
            RaffleError: see `RaffleEngine.forfeit`.
        """
        name = _pass_name(by)
        kind, text = self._checked_forfeit(raffle, number, why, reason, code)
        return self._pass_on(raffle, number, kind, text, self._queue(raffle), by=name)

    def check_forfeit(self, raffle: Raffle, number: int, *, why: str, reason: str | None, code: str | None) -> Win:
        """Return the win that a ticket would lose, if its prize can pass on now, and why; nothing is stored.

        Raises:
            RaffleError: see `RaffleEngine.forfeit`.
        """
        kind, text = self._checked_forfeit(raffle, number, why, reason, code)

        def look(connection: Connection) -> tuple[Claim, Win]:
            claim = _claim_of(connection, raffle, number)
            return claim, statements.wins_between(connection, raffle.id, claim.ordinal, claim.ordinal)[0]

        claim, win = self._database.read(look)
        _check_forfeitable(claim, kind, _deadline(raffle, claim), self._now())
        return replace(win, why=kind, reason=text)

    def forfeit_unclaimed(self, raffle: Raffle, reason: str | None, *, by: str | None) -> list[Win | None]:
        """Pass on every prize that was not redeemed before the announced deadline, in draw order.

        Raises:
            RaffleError: see `RaffleEngine.forfeit_unclaimed`.
        """
        name = _pass_name(by)
        kind, text = given_why(Why.UNCLAIMED, reason)
        wins = self.unclaimed(raffle)
        queue = self._queue(raffle)
        passed: list[Win | None] = []
        try:
            for win in wins:
                # It may just have been redeemed in its last second, or passed on by someone else.
                with suppress(TooLate):
                    passed.append(self._pass_on(raffle, win.ticket_number, kind, text, queue, by=name))
        except StorageUnavailable as error:
            # Each prize has a transaction, and what was passed on before stays so.
            raise StorageUnavailable(str(error), is_in_doubt=error.is_in_doubt or bool(passed)) from error
        return passed

    def unclaimed(self, raffle: Raffle) -> list[Win]:
        """Return the wins that `forfeit_unclaimed` would pass on now, in draw order.

        Raises:
            RaffleError: see `RaffleEngine.unclaimed`.
        """
        lifecycle.check_drawn(raffle)
        days = raffle.terms.claim_days
        if days is None:
            raise InvalidValue(
                "claim_days", "This raffle announced no deadline, so name each ticket whose prize passes on."
            )
        drawn_at = lifecycle.drawn_s(raffle)
        until = int((self._now() - timedelta(days=days)).timestamp())
        wins = self._database.query(
            lambda connection: statements.unclaimed_wins(connection, raffle.id, drawn_at=drawn_at, until=until)
        )
        if not wins and until < drawn_at:
            raise _too_early(datetime.fromtimestamp(drawn_at, UTC) + timedelta(days=days))
        return wins

    def wins(self, raffle: Raffle, *, page: int, page_size: int, unredeemed: bool) -> Page[Win]:
        """Return a page of the wins in draw order, and after them those of tickets that took a prize over.

        Raises:
            InvalidValue, PageNotFound: see `RaffleEngine.winners`.
        """
        skip = items_before(page, page_size)
        if not lifecycle.is_drawn(raffle):
            return page_of((), 0, page, page_size)

        def look(connection: Connection) -> tuple[list[Win], int]:
            progress = statements.progress_of(connection, raffle.id)
            count = progress.wins + progress.passed_on(raffle.issued)
            if unredeemed:
                some = statements.unredeemed_wins(connection, raffle.id, skip=skip, most=page_size)
                return some, count - progress.forfeits - statements.count_redeemed(connection, raffle.id)
            return statements.wins_between(connection, raffle.id, skip + 1, skip + page_size), count

        some, count = self._database.read(look)
        return page_of(some, count, page, page_size)

    def queue(self, raffle: Raffle, *, page: int, page_size: int) -> Page[int]:
        """Return a page of the tickets that take over the next forfeited prizes, in order; at most `limits.QUEUE`.

        Raises:
            NotDrawnYet, InvalidValue, PageNotFound: see `RaffleEngine.queue`.
        """
        skip = items_before(page, page_size)
        lifecycle.check_drawn(raffle)
        progress = self._database.query(lambda connection: statements.progress_of(connection, raffle.id))
        passed = progress.passed_on(raffle.issued)
        length = min(raffle.issued - progress.wins - passed, limits.QUEUE)
        serials = self._queue(raffle).serials(passed + skip, min(page_size, length - skip)) if skip < length else []
        numbers = self._database.query(lambda connection: ledgers.numbers_of(connection, raffle.id, serials))
        return page_of([numbers[serial] for serial in serials], length, page, page_size)

    def count_forfeits(self, raffle: Raffle) -> int:
        """Return the number of prizes that passed on or lapsed."""
        if not lifecycle.is_drawn(raffle):
            return 0
        return self._database.query(lambda connection: statements.progress_of(connection, raffle.id)).forfeits

    def count_redeemed(self, raffle: Raffle) -> int:
        """Return the number of prizes that are redeemed now."""
        return self._database.query(lambda connection: statements.count_redeemed(connection, raffle.id))

    def _queue(self, raffle: Raffle) -> TicketQueue:
        draw, seed = self._database.query(lambda connection: draws.draw_and_seed(connection, raffle.id))
        return self._queues(seed, raffle.issued, draw.wins)

    def _genuine(self, raffle: Raffle, number: int, code: str) -> GenuineTicket:
        limits.check_ticket_number(number)
        limits.check_verification_code(code)
        lifecycle.check_drawn(raffle)
        possible = limits.possible_number(number, raffle.total_tickets)
        ticket = self._database.query(lambda connection: statements.genuine_ticket(connection, raffle.id, possible))
        if not self._hasher.check(ticket.code_hash if ticket else None, code) or ticket is None:
            raise InvalidVerificationCode
        return ticket

    def _checked_forfeit(
        self, raffle: Raffle, number: int, why: str, reason: str | None, code: str | None
    ) -> tuple[Why, str]:
        kind, text = given_why(why, reason)
        limits.check_ticket_number(number)
        lifecycle.check_drawn(raffle)
        if kind is Why.RENOUNCED:
            if code is None:
                raise InvalidValue("verification_code", "is missing: only the winner can renounce a prize.")
            self._genuine(raffle, number, code)
        return kind, text

    def _pass_on(
        self, raffle: Raffle, number: int, why: Why, reason: str, queue: TicketQueue, *, by: str | None
    ) -> Win | None:
        # Before the lock, because a long shuffle takes time; a forfeit in between needs only one step more.
        progress = self._database.query(lambda connection: statements.progress_of(connection, raffle.id))
        queue.serials(progress.forfeits, 1)
        now = self._now()

        def store(connection: Connection) -> Win | None:
            claim = _locked_claim(connection, raffle, number)
            _check_forfeitable(claim, why, _deadline(raffle, claim), now)
            before = statements.progress_of(connection, raffle.id)
            following = queue.serials(before.forfeits, 1)
            heir = ledgers.leaves_between(connection, raffle.id, following[0], following[0])[0] if following else None
            # In the order of time, even if the clock was set back.
            time = max(int(now.timestamp()), before.last_forfeit_at or lifecycle.drawn_s(raffle))
            forfeit = Forfeit(claim.ordinal, before.forfeits + 1, time, why, reason, heir)
            statements.insert_forfeit(connection, raffle.id, forfeit, prize=claim.prize, by=by)
            return None if heir is None else Win(heir.ticket_number, claim.name, in_place_of=number)

        return self._database.write(store)

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC).replace(microsecond=0)


def _locked_claim(connection: Connection, raffle: Raffle, number: int) -> Claim:
    raffles.lock_raffle(connection, raffle.id)
    return _claim_of(connection, raffle, number)


def _claim_of(connection: Connection, raffle: Raffle, number: int) -> Claim:
    """Return the win of a ticket.

    Raises:
        TicketNotFound: no ticket has this number.
        NoPrize: it has not won.
    """
    possible = limits.possible_number(number, raffle.total_tickets)
    ticket = statements.genuine_ticket(connection, raffle.id, possible)
    if ticket is None:
        raise TicketNotFound
    return _claim_in(ticket)


def _claim_in(ticket: GenuineTicket) -> Claim:
    if ticket.claim is None:
        raise NoPrize
    return ticket.claim


def _deadline(raffle: Raffle, claim: Claim) -> datetime | None:
    return lifecycle.redeem_until(raffle, taken_over_at=claim.taken_over_at)


def _check_redeemable(claim: Claim, deadline: datetime | None, now: datetime) -> None:
    _check_not_redeemed(claim)
    _check_not_forfeited(claim)
    if deadline is not None and lifecycle.is_overdue(deadline, now):
        raise TooLate(f"This prize could be redeemed until {_shown(deadline)}.")


def _undoable(claim: Claim, now: datetime) -> datetime:
    """Return when a prize was redeemed, if that can still be undone."""
    if claim.redeemed_at is None:
        raise NoPrize("This prize has not been redeemed, so there is nothing to undo.")
    if now > claim.redeemed_at + timedelta(seconds=limits.UNDO_S):
        minutes = limits.UNDO_S // 60
        raise TooLate(
            f"This prize was redeemed on {_shown(claim.redeemed_at)}; that can be undone for {minutes} minutes."
        )
    return claim.redeemed_at


def _check_forfeitable(claim: Claim, why: Why, deadline: datetime | None, now: datetime) -> None:
    _check_not_redeemed(claim)
    _check_not_forfeited(claim)
    if why is Why.UNCLAIMED and deadline is not None and not lifecycle.is_overdue(deadline, now):
        raise _too_early(deadline)


def _check_not_redeemed(claim: Claim) -> None:
    if claim.redeemed_at is not None:
        raise TooLate(f"This prize has already been redeemed, on {_shown(claim.redeemed_at)}.")


def _check_not_forfeited(claim: Claim) -> None:
    if claim.forfeited_at is not None:
        reason = quoted(claim.reason or "")
        raise TooLate(f"This prize was forfeited on {_shown(claim.forfeited_at)}: {reason}")


def _too_early(deadline: datetime) -> TooEarly:
    return TooEarly(deadline, f"This prize can still be redeemed, until {_shown(deadline)}.")


def _pass_name(by: str | None) -> str | None:
    return None if by is None else limits.given_pass_name("by", by)


def _verification(raffle: Raffle, claim: Claim | None) -> Verification:
    if claim is None:
        return Verification(has_won=False, prize=None)
    if claim.forfeited_at is not None:
        return Verification(
            has_won=False,
            prize=None,
            forfeited_prize=claim.name,
            forfeited_at=claim.forfeited_at,
            reason=claim.reason,
        )
    return Verification(
        has_won=True,
        prize=claim.name,
        redeemed_at=claim.redeemed_at,
        redeem_until=_deadline(raffle, claim),
        redeemed_by=claim.redeemed_by,
    )


def _shown(moment: datetime) -> str:
    return time_text(int(moment.timestamp()))
