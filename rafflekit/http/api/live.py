"""`…/live/`: the state of a raffle for everyone who watches it: phones, and the wall of a hall.

Thousands ask for it every few seconds. So each process keeps the answer for a moment, and the database is asked about
twice a second for each raffle that is watched, however many watch it.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import falcon
import msgspec

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.lifecycle import draw_due_at
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import count_wins
from rafflekit.core.shapes import LiveShape, live_shape
from rafflekit.http import reading
from rafflekit.http.api.address import Address, Service
from rafflekit.http.api.operations import Operation, Route
from rafflekit.http.kept import Content
from rafflekit.http.polling import end_connection

POLL_S = 15
"""The seconds until a client should ask again."""

POLL_SOON_S = 2
"""The seconds until it should ask again when the draw is near."""

_SOON = timedelta(minutes=1)
_PATIENCE = timedelta(minutes=10)
_KEPT_S = 0.4
_MOST_KEPT = 1_000


class Live(Address):
    """`/raffles/<id>/live/`: where a raffle stands."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._states = KeptStates(self._read)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show where a raffle stands, for clients that ask often."""
        content = self._states.get(reading.check_raffle_id(raffle_id))
        response.content_type = falcon.MEDIA_JSON
        response.set_header("ETag", content.etag)
        response.data = content.data
        end_connection(request.env)

    def _read(self, raffle_id: str) -> bytes:
        return msgspec.json.encode(live_state(self.engine, self.engine.get(raffle_id)))


class _State(NamedTuple):
    until: float
    content: Content


class KeptStates:
    """The answers of the last moment, by raffle, for any number of threads; `read` makes one."""

    def __init__(self, read: Callable[[str], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._states: dict[str, _State] = {}

    def get(self, raffle_id: str) -> Content:
        """Return the answer, at most a moment old."""
        now = self._clock()
        kept = self._states.get(raffle_id)
        if kept is not None:
            if now < kept.until:
                return kept.content
            # One thread makes the next answer; until then, the others send this one.
            self._states[raffle_id] = kept._replace(until=now + _KEPT_S)
        try:
            content = Content.of(self._read(raffle_id))
        except BaseException:
            # The others must not get an answer that grows old.
            self._states.pop(raffle_id, None)
            raise
        if len(self._states) >= _MOST_KEPT:
            self._states.clear()
        self._states[raffle_id] = _State(self._clock() + _KEPT_S, content)
        return content


def live_state(engine: RaffleEngine, raffle: Raffle) -> LiveShape:
    """Return where a raffle stands; `wins` grows when a prize passes on."""
    wins, forfeits = count_wins(raffle.prizes), 0
    if raffle.winners_drawn:
        wins, forfeits = engine.winners(raffle.id, page_size=1).count, engine.count_forfeits(raffle.id)
    words = engine.proofs.words(raffle)
    poll_s = poll_seconds(raffle, engine.now())
    return live_shape(raffle, wins=wins, forfeits=forfeits, words=words, poll_s=poll_s)


def poll_seconds(raffle: Raffle, now: datetime) -> int:
    """Return the seconds until a client should ask again: few from just before the draw until just after it."""
    if raffle.drawn_at is not None:
        return POLL_SOON_S if now - raffle.drawn_at < _SOON else POLL_S
    due_at = draw_due_at(raffle)
    is_near = due_at is not None and -_SOON < now - due_at < _PATIENCE
    return POLL_SOON_S if is_near else POLL_S


ROUTES = (
    Route(
        "/raffles/{raffle_id}/live/",
        Live,
        get=Operation(
            "watchRaffle",
            LiveShape,
            description="Cheap, and up to a second old. Ask again after `poll_s` seconds, a little more or less at "
            "random. `wins` is the number of prizes before the draw and the length of the list of winners after it, "
            "so it grows when a prize passes on. `forfeits` counts the prizes that passed on or lapsed. `words` are "
            "six words made from the closing: everyone who sees the same words sees the same closed list.",
        ),
    ),
)
