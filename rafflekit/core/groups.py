"""Group commit: callers who arrive together are served by one of them, in one go.

This is flat combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): whoever finds nobody serving serves all who wait,
itself among them, and hands the office on to the one who then waits longest. There is no thread to start or to stop,
nobody waits for company, and a fork finds nothing running. What serving means is the caller's business.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


class Groups(Generic[Wish, Answer]):
    """Serve wishes in groups of at most `most`, one group at a time, each in the order in which they came.

    `serve` gets a group and returns an answer for each of its wishes, in their order; an answer that is an exception
    is raised to the one whom it concerns, and none is None. What `serve` raises reaches everybody of the group, and
    nobody else. A wish may be served a second time if the first was interrupted (`KeyboardInterrupt`).
    """

    def __init__(self, serve: Callable[[Sequence[Wish]], Sequence[Answer | Exception]], *, most: int) -> None:
        self._serve = serve
        self._most = most
        self._lock = Lock()
        self._waiting: deque[_Place[Wish, Answer]] = deque()
        self._is_served = False

    def submit(self, wish: Wish) -> Answer:
        """Return the answer to a wish as soon as its group is served; call it from any thread.

        Raises:
            Exception: what `serve` answered for this wish, or raised for its group.
        """
        place = _Place[Wish, Answer](wish)
        with self._lock:
            self._waiting.append(place)
            leads = not self._is_served
            self._is_served = True
        if not leads:
            # Until its answer is there, or the office comes to it: then it is the first in the queue.
            place.turn.acquire()
        if place.answer is None:
            self._serve_the_waiting()
        assert place.answer is not None
        if isinstance(place.answer, Exception):
            raise place.answer
        return place.answer

    def _serve_the_waiting(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            answers = self._serve([place.wish for place in group])
            for place, answer in zip(group, answers, strict=True):
                place.answer = answer
        # Not handled here, but passed on to those whom it concerns; the others raise errors of their own, since a
        # traceback grows in every thread that raises it.
        except Exception as error:
            group[0].answer = error
            for place in group[1:]:
                place.answer = _another(error)
        finally:
            self._hand_on(group)

    def _hand_on(self, group: "Sequence[_Place[Wish, Answer]]") -> None:
        others = group[1:]
        with self._lock:
            # Ctrl-C in the one who serves: the others are none the wiser, so their turn comes again.
            self._waiting.extendleft(place for place in reversed(others) if place.answer is None)
            successor = self._waiting[0] if self._waiting else None
            self._is_served = successor is not None
        # The next group begins before this one's callers take up the processor.
        if successor is not None:
            successor.turn.release()
        for place in others:
            if place.answer is not None:
                place.turn.release()


class _Place(Generic[Wish, Answer]):
    """A place in the queue: `turn` is released once, when there is an answer or the office falls to it."""

    __slots__ = ("answer", "turn", "wish")

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.answer: Answer | Exception | None = None
        self.turn = Lock()
        self.turn.acquire()


def _another(error: Exception) -> Exception:
    another = copy(error)
    another.__cause__ = error
    return another
