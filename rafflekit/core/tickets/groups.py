"""Group commit: callers who arrive together are served by one of them, in one go.

This is flat combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): whoever finds nobody serving serves all who wait,
itself among them, and hands the office on to the one who then waits longest. There is no thread to start or to stop,
who comes alone is served at once, and a child by fork starts with nobody waiting. What serving means is the caller's
business.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from itertools import islice
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")

_JOINING_S = 0.005
"""How long whoever is in a group may have to wait because others join it: about as long as a commit takes."""


class Groups(Generic[Wish, Answer]):
    """Serve wishes in groups of at most `most`, one group at a time, each in the order in which they came.

    `serve` gets a group and returns an answer for each of its wishes, in their order; an answer that is an exception
    is raised to the one whom it concerns, and none is None. `prepare`, if given, gets the wishes beforehand, and who
    has come meanwhile is prepared, too, and joins the group, until nobody has or it has taken `_JOINING_S`. What either
    raises reaches those whom it was given, and nobody else. A wish may be prepared and served a second time if the
    first was interrupted (`KeyboardInterrupt`).
    """

    _waiting: "deque[_Place[Wish, Answer]]"
    _office: "_Place[Wish, Answer] | None"

    def __init__(
        self,
        serve: Callable[[Sequence[Wish]], Sequence[Answer | Exception]],
        *,
        most: int,
        prepare: Callable[[Sequence[Wish]], None] | None = None,
    ) -> None:
        self._serve = serve
        self._prepare = prepare
        self._most = most
        self._start_afresh()
        _all_groups.add(self)

    def submit(self, wish: Wish) -> Answer:
        """Return the answer to a wish as soon as its group is served; call it from any thread.

        Raises:
            Exception: what `serve` answered for this wish, or raised for its group.
        """
        place = _Place[Wish, Answer](wish)
        try:
            with self._lock:
                self._waiting.append(place)
                if self._office is None:
                    self._office = place
                leads = self._office is place
            if not leads:
                # Until its answer is there, or the office comes to it: then it is the first in the queue.
                place.turn.acquire()
            if self._office is place:
                self._serve_the_waiting(place)
        # Ctrl-C, anywhere in here: whatever was this caller's to do falls to the next.
        except BaseException:
            self._hand_on(place)
            raise
        assert place.answer is not None
        if isinstance(place.answer, Exception):
            raise place.answer
        return place.answer

    def _serve_the_waiting(self, leader: "_Place[Wish, Answer]") -> None:
        prepared = self._prepared_group(leader)
        if prepared:
            try:
                answers = self._serve([place.wish for place in prepared])
                for place, answer in zip(prepared, answers, strict=True):
                    place.answer = answer
            # Not handled here, but passed on to those whom it concerns.
            except Exception as error:
                _answer_all(prepared, error)
        self._hand_on(leader)

    def _prepared_group(self, leader: "_Place[Wish, Answer]") -> "list[_Place[Wish, Answer]]":
        newcomers = self._take_in(leader)
        if self._prepare is None:
            return newcomers
        prepared = []
        ends = monotonic() + _JOINING_S
        while newcomers:
            try:
                self._prepare([place.wish for place in newcomers])
                prepared += newcomers
            # As above; who is prepared already is served.
            except Exception as error:
                _answer_all(newcomers, error)
            newcomers = self._take_in(leader) if monotonic() < ends else []
        return prepared

    def _take_in(self, leader: "_Place[Wish, Answer]") -> "list[_Place[Wish, Answer]]":
        with self._lock:
            newcomers = list(islice(self._waiting, self._most - len(leader.group)))
            leader.group = [*leader.group, *newcomers]
            for _ in newcomers:
                self._waiting.popleft()
        return newcomers

    def _hand_on(self, place: "_Place[Wish, Answer]") -> None:
        """Give up a place and its office, if it has one. Where it was interrupted, doing it again finishes it.

        For that, the office goes on as the last thing under the lock, and whoever may not have been told is told again.
        """
        with self._lock:
            place.is_left = True
            with suppress(ValueError):
                self._waiting.remove(place)
            # Whose group ends without an answer was with a caller that is interrupted, and is served again.
            unanswered = [
                other
                for other in place.group
                if other.answer is None and not other.is_left and other not in self._waiting
            ]
            self._waiting.extendleft(reversed(unanswered))
            place.group = [other for other in place.group if other.answer is not None]
            if self._office is place:
                self._office = self._waiting[0] if self._waiting else None
            successor = self._office
        try:
            for other in place.group:
                other.tell()
        # After them: who comes again at once is in the next group, too, and each group has a price of its own.
        finally:
            if successor is not None:
                successor.tell()

    def _start_afresh(self) -> None:
        self._lock = Lock()
        self._waiting = deque()
        self._office = None


class _Place(Generic[Wish, Answer]):
    """A place in the queue: `turn` is released when there is an answer or the office falls to it.

    `group` are those whom it serves, itself the first; `is_left` tells that its caller waits no longer.
    """

    __slots__ = ("answer", "group", "is_left", "turn", "wish")

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.group: list[_Place[Wish, Answer]] = []
        self.answer: Answer | Exception | None = None
        self.is_left = False
        self.turn = Lock()
        self.turn.acquire()

    def tell(self) -> None:
        """Wake its caller, who is answered or in office; since it waits only once, a second time does nothing."""
        with suppress(RuntimeError):
            self.turn.release()


def _answer_all(places: "Sequence[_Place[Any, Any]]", error: Exception) -> None:
    # Errors of their own for the others, since a traceback grows in every thread that raises it.
    places[0].answer = error
    for place in places[1:]:
        place.answer = _another(error)


def _another(error: Exception) -> Exception:
    another = copy(error)
    another.__cause__ = error
    return another


# The threads that a child by fork does not have would be waited for for ever.
_all_groups: WeakSet[Groups[Any, Any]] = WeakSet()


def _start_all_afresh() -> None:
    for groups in list(_all_groups):
        groups._start_afresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
