"""Group commit: callers who arrive together are served by one of them, in one go.

This is flat combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): a caller who finds no one serving becomes the
leader. It serves everyone who waits, itself included, and then passes the lead to the caller who has waited longest.
No thread is started or stopped, a lone caller is served at once, and a forked child starts with an empty queue. What
serving means is up to the owner of the groups.
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

AnyWish = TypeVar("AnyWish")
AnyAnswer = TypeVar("AnyAnswer")

_JOINING_S = 0.005
"""How long a group may wait for others to join it: about as long as a commit takes."""


class Groups(Generic[AnyWish, AnyAnswer]):
    """Serve wishes in groups of at most `most`, one group at a time, in the order in which they arrived.

    `serve` takes a group and returns one answer per wish, in order; no answer is None, and an answer that is an
    exception is raised to its caller. `prepare`, if given, takes the wishes first. Callers who arrive meanwhile are
    prepared too and join the group, until no one arrives or `_JOINING_S` has passed. An exception that either function
    raises reaches the callers of the wishes that it was given, and no one else. After an interruption
    (`KeyboardInterrupt`), a wish may be prepared and served a second time.
    """

    _waiting: "deque[_Place[AnyWish, AnyAnswer]]"
    _leader: "_Place[AnyWish, AnyAnswer] | None"

    def __init__(
        self,
        serve: Callable[[Sequence[AnyWish]], Sequence[AnyAnswer | Exception]],
        *,
        most: int,
        prepare: Callable[[Sequence[AnyWish]], None] | None = None,
    ) -> None:
        self._serve = serve
        self._prepare = prepare
        self._most = most
        self._start_afresh()
        _all_groups.add(self)

    def submit(self, wish: AnyWish) -> AnyAnswer:
        """Return the answer to a wish as soon as its group is served; call it from any thread.

        Raises:
            Exception: what `serve` answered for this wish, or raised for its group.
        """
        place = _Place[AnyWish, AnyAnswer](wish)
        try:
            with self._lock:
                self._waiting.append(place)
                if self._leader is None:
                    self._leader = place
                leads = self._leader is place
            if not leads:
                # Until there is an answer, or this caller becomes the leader: then it is first in the queue.
                place.turn.acquire()
            if self._leader is place:
                self._serve_the_waiting(place)
        # Ctrl-C anywhere above: the next caller takes over this caller's work.
        except BaseException:
            self._hand_on(place)
            raise
        assert place.answer is not None
        if isinstance(place.answer, Exception):
            raise place.answer
        return place.answer

    def _serve_the_waiting(self, leader: "_Place[AnyWish, AnyAnswer]") -> None:
        prepared = self._prepared_group(leader)
        if prepared:
            try:
                answers = self._serve([place.wish for place in prepared])
                for place, answer in zip(prepared, answers, strict=True):
                    place.answer = answer
            # Not handled here, but passed on to the callers of this group.
            except Exception as error:
                _answer_all(prepared, error)
        self._hand_on(leader)

    def _prepared_group(self, leader: "_Place[AnyWish, AnyAnswer]") -> "list[_Place[AnyWish, AnyAnswer]]":
        newcomers = self._take_in(leader)
        if self._prepare is None:
            return newcomers
        prepared = []
        ends = monotonic() + _JOINING_S
        while newcomers:
            try:
                self._prepare([place.wish for place in newcomers])
                prepared += newcomers
            # As above; the wishes that are already prepared are served.
            except Exception as error:
                _answer_all(newcomers, error)
            newcomers = self._take_in(leader) if monotonic() < ends else []
        return prepared

    def _take_in(self, leader: "_Place[AnyWish, AnyAnswer]") -> "list[_Place[AnyWish, AnyAnswer]]":
        with self._lock:
            newcomers = list(islice(self._waiting, self._most - len(leader.group)))
            leader.group = [*leader.group, *newcomers]
            for _ in newcomers:
                self._waiting.popleft()
        return newcomers

    def _hand_on(self, place: "_Place[AnyWish, AnyAnswer]") -> None:
        """Give up a place and the lead, if it has it; after an interruption, a second call finishes the first.

        For that, the lead is passed on as the last step under the lock, and callers are woken again in case they were
        not woken the first time.
        """
        with self._lock:
            place.is_left = True
            with suppress(ValueError):
                self._waiting.remove(place)
            # Callers left unanswered by an interrupted leader go back to the front of the queue.
            unanswered = [
                other
                for other in place.group
                if other.answer is None and not other.is_left and other not in self._waiting
            ]
            self._waiting.extendleft(reversed(unanswered))
            place.group = [other for other in place.group if other.answer is not None]
            if self._leader is place:
                self._leader = self._waiting[0] if self._waiting else None
            successor = self._leader
        try:
            for other in place.group:
                other.wake()
        # After them, so that a caller who returns at once joins the next group: each group has a fixed cost.
        finally:
            if successor is not None:
                successor.wake()

    def _start_afresh(self) -> None:
        self._lock = Lock()
        self._waiting = deque()
        self._leader = None


class _Place(Generic[AnyWish, AnyAnswer]):
    """A place in the queue: `turn` is released when there is an answer or when the place takes the lead.

    `group` are the places that it serves, itself first; `is_left` says that its caller no longer waits.
    """

    __slots__ = ("answer", "group", "is_left", "turn", "wish")

    def __init__(self, wish: AnyWish) -> None:
        self.wish = wish
        self.group: list[_Place[AnyWish, AnyAnswer]] = []
        self.answer: AnyAnswer | Exception | None = None
        self.is_left = False
        self.turn = Lock()
        self.turn.acquire()

    def wake(self) -> None:
        """Wake the caller, who has an answer or the lead; a caller waits only once, so a second call does nothing."""
        with suppress(RuntimeError):
            self.turn.release()


def _answer_all(places: "Sequence[_Place[Any, Any]]", error: Exception) -> None:
    # Each of the others gets a copy, since a traceback grows in every thread that raises it.
    places[0].answer = error
    for place in places[1:]:
        place.answer = _another(error)


def _another(error: Exception) -> Exception:
    another = copy(error)
    another.__cause__ = error
    return another


# A forked child has none of the threads that its queues would wait for.
_all_groups: WeakSet[Groups[Any, Any]] = WeakSet()


def _start_all_afresh() -> None:
    for groups in list(_all_groups):
        groups._start_afresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
