"""Group commit: callers who arrive together are served together, in order, each with its own answer."""

import gc
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event, Semaphore

import pytest

from rafflekit.core.tickets import groups as groups_module
from rafflekit.core.tickets.groups import Groups
from tests.waiting import LIMIT_S, wait_until


class Office:
    """Serves groups one at a time, when the test says so; an answer is twice the wish."""

    def __init__(self, *, most: int = 100) -> None:
        self.served: list[list[int]] = []
        self.may_serve = Semaphore(0)
        self.is_serving = Event()
        self.answer: Callable[[int], int | Exception] = lambda wish: wish * 2
        self.groups: Groups[int, int] = Groups(self.serve, most=most)

    def serve(self, wishes: Sequence[int]) -> Sequence[int | Exception]:
        self.served.append(list(wishes))
        self.is_serving.set()
        assert self.may_serve.acquire(timeout=LIMIT_S)
        return [self.answer(wish) for wish in wishes]

    @contextmanager
    def busy_while(self, wishes: Sequence[int]) -> Iterator[list["Future[int]"]]:
        """Serve wish 0 while these wishes arrive one after the other; give all futures."""
        with ThreadPoolExecutor(len(wishes) + 1) as callers:
            futures = [callers.submit(self.groups.submit, 0)]
            assert self.is_serving.wait(LIMIT_S)
            for number, wish in enumerate(wishes, 1):
                futures.append(callers.submit(self.groups.submit, wish))
                wait_until(lambda number=number: len(self.groups._waiting) == number)
            yield futures


def test_a_lone_caller_is_served_at_once() -> None:
    office = Office()
    office.may_serve.release()

    assert office.groups.submit(21) == 42
    assert office.served == [[21]]


def test_callers_who_arrive_meanwhile_form_the_next_group() -> None:
    office = Office()

    with office.busy_while([5, 3, 4]) as futures:
        office.may_serve.release(2)
        answers = [future.result(LIMIT_S) for future in futures]

    assert office.served == [[0], [5, 3, 4]]
    assert answers == [0, 10, 6, 8]


def test_a_group_has_a_largest_size() -> None:
    office = Office(most=2)

    with office.busy_while([1, 2, 3, 4, 5]) as futures:
        office.may_serve.release(4)
        answers = [future.result(LIMIT_S) for future in futures]

    assert office.served == [[0], [1, 2], [3, 4], [5]]
    assert answers == [0, 2, 4, 6, 8, 10]


def doubled(wishes: Sequence[int]) -> list[int]:
    return [wish * 2 for wish in wishes]


class PreparedGroups:
    """Groups of at most three; preparing the first lasts until four more callers wait."""

    def __init__(self, *, fails_for: int | None = None) -> None:
        self.prepared: list[list[int]] = []
        self.served: list[list[int]] = []
        self.fails_for = fails_for
        self.groups: Groups[int, int] = Groups(self.serve, most=3, prepare=self.prepare)

    def prepare(self, wishes: Sequence[int]) -> None:
        self.prepared.append(list(wishes))
        if len(self.prepared) == 1:
            wait_until(lambda: len(self.groups._waiting) == 4)
        if self.fails_for in wishes:
            raise ValueError("cannot be prepared")

    def serve(self, wishes: Sequence[int]) -> list[int]:
        self.served.append(list(wishes))
        return doubled(wishes)

    def futures_of(self, wishes: Sequence[int]) -> list["Future[int]"]:
        """Submit wishes one after the other, and return their outcomes."""
        with ThreadPoolExecutor(len(wishes)) as callers:
            futures = [callers.submit(self.groups.submit, wishes[0])]
            wait_until(lambda: bool(self.prepared))
            for number, wish in enumerate(wishes[1:], 1):
                futures.append(callers.submit(self.groups.submit, wish))
                wait_until(lambda number=number: len(self.groups._waiting) >= number or number == len(wishes) - 1)
        return futures


def test_callers_join_a_group_in_preparation_up_to_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups_module, "_JOINING_S", LIMIT_S)
    groups = PreparedGroups()

    futures = groups.futures_of([0, 1, 2, 3, 4])

    assert groups.prepared == [[0], [1, 2], [3, 4]]
    assert groups.served == [[0, 1, 2], [3, 4]]
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8]


def test_no_one_joins_a_group_that_has_been_prepared_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups_module, "_JOINING_S", 0)
    groups = PreparedGroups()

    groups.futures_of([0, 1, 2, 3, 4])

    assert groups.served == [[0], [1, 2, 3], [4]]


@pytest.mark.parametrize(
    ("fails_for", "served", "failed"),
    [(0, [[1, 2], [3, 4]], {0}), (1, [[0], [3, 4]], {1, 2}), (3, [[0, 1, 2]], {3, 4})],
)
def test_an_error_in_preparation_reaches_only_its_callers(
    monkeypatch: pytest.MonkeyPatch, fails_for: int, served: list[list[int]], failed: set[int]
) -> None:
    monkeypatch.setattr(groups_module, "_JOINING_S", LIMIT_S)
    groups = PreparedGroups(fails_for=fails_for)

    futures = groups.futures_of([0, 1, 2, 3, 4])

    errors = [future.exception() for future in futures]
    assert {wish for wish, error in enumerate(errors) if error} == failed
    assert {str(error) for error in errors if error} == {"cannot be prepared"}
    assert groups.served == served


def test_a_refusal_reaches_only_its_caller() -> None:
    office = Office()
    office.answer = lambda wish: ValueError("odd") if wish % 2 else wish

    with office.busy_while([1, 2]) as futures:
        office.may_serve.release(2)

    assert [future.exception(LIMIT_S) is None for future in futures] == [True, False, True]
    with pytest.raises(ValueError, match="odd"):
        futures[1].result()


def test_an_error_reaches_only_its_group() -> None:
    office = Office(most=2)

    def fail_for_the_second_group(wish: int) -> int:
        if wish in (1, 2):
            raise ValueError("this group")
        return wish

    office.answer = fail_for_the_second_group

    with office.busy_while([1, 2, 3]) as futures:
        office.may_serve.release(3)

    errors = [future.exception(LIMIT_S) for future in futures]
    assert [str(error) for error in errors] == ["None", "this group", "this group", "None"]
    # Each caller has its own error, because a traceback grows in every thread that raises it.
    assert errors[1] is not errors[2]
    assert isinstance(errors[2], ValueError)
    assert errors[2].__cause__ is errors[1]
    assert futures[3].result() == 3


def test_a_missing_answer_is_reported_to_the_group() -> None:
    groups: Groups[int, int] = Groups(lambda wishes: wishes[1:], most=5)

    with pytest.raises(ValueError, match="shorter"):
        groups.submit(1)


def test_callers_who_wait_for_an_interrupted_leader_are_served() -> None:
    office = Office()
    interrupted = iter([False, True])

    def interrupt_the_second_group(wish: int) -> int:
        if wish == 1 and next(interrupted):
            raise KeyboardInterrupt
        return wish

    office.answer = interrupt_the_second_group
    next(interrupted)

    with office.busy_while([1, 2, 3]) as futures:
        office.may_serve.release(3)

    assert isinstance(futures[1].exception(LIMIT_S), KeyboardInterrupt)
    assert [futures[place].result() for place in (0, 2, 3)] == [0, 2, 3]
    assert office.served == [[0], [1, 2, 3], [2, 3]]


def test_a_caller_interrupted_while_waiting_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like Ctrl-C: acquiring a lock ends with an exception."""
    office = Office()
    with office.busy_while([1]) as futures:
        impatient = groups_module._Place[int, int](2)
        impatient.turn = InterruptedLock()  # type: ignore[assignment]  # a lock whose waiter is interrupted
        monkeypatch.setattr(groups_module, "_Place", Places(impatient))
        with pytest.raises(KeyboardInterrupt):
            office.groups.submit(2)
        monkeypatch.undo()
        office.may_serve.release(3)
        answers = [future.result(LIMIT_S) for future in futures]

    assert answers == [0, 2]
    assert office.served == [[0], [1]]
    assert office.groups.submit(3) == 6


class InterruptedLock:
    def acquire(self) -> None:
        raise KeyboardInterrupt

    def release(self) -> None:
        pass


class Places:
    """Gives the same prepared place every time."""

    def __init__(self, place: object) -> None:
        self.place = place

    def __getitem__(self, _types: object) -> Callable[[int], object]:
        return lambda _wish: self.place


def nothing_to_prepare(_wishes: Sequence[int]) -> None:
    pass


def test_a_leader_interrupted_at_any_moment_passes_on_the_lead() -> None:
    """Signals hit the main thread while it submits: wherever they hit, others are served."""
    groups: Groups[int, int] = Groups(doubled, most=7, prepare=nothing_to_prepare)
    interrupted = 0

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    # Only the groups may be interrupted.
    gc.collect()
    gc.disable()
    try:
        for attempt in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00005 + attempt * 1e-6)
                for wish in range(1_000):
                    groups.submit(wish)
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
        gc.enable()

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(groups.submit, range(100), timeout=LIMIT_S)) == [wish * 2 for wish in range(100)]
    assert interrupted > 100


@pytest.mark.parametrize("times", [1, 2])
def test_a_lead_that_is_being_passed_on_survives_an_interruption(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Ctrl-C comes after the lead is passed on and before the new leader is woken."""
    office = Office()
    wake = groups_module._Place.wake
    interruptions = [KeyboardInterrupt] * times

    def interrupted_wake(place: groups_module._Place[int, int]) -> None:
        if interruptions:
            raise interruptions.pop()
        wake(place)

    monkeypatch.setattr(groups_module._Place, "wake", interrupted_wake)
    with office.busy_while([1, 2]) as futures:
        office.may_serve.release(3)

    assert isinstance(futures[0].exception(LIMIT_S), KeyboardInterrupt)
    assert [future.result(LIMIT_S) for future in futures[1:]] == [2, 4]


# An interruption may also land in another library's hook into the interpreter, such as hypothesis's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interruptions_in_a_crowd_stop_no_one_else() -> None:
    """Signals hit the main thread around the end of the groups that it serves, while three others submit."""
    main = threading.get_ident()
    arm = iter(random.Random(1).uniform(1e-6, 60e-6) for _ in count())

    def serve(wishes: Sequence[int]) -> list[int]:
        if threading.get_ident() == main and not ends.is_set():
            # Only for a moment, so that others wait meanwhile.
            deadline = time.monotonic() + 0.05
            while not groups._waiting and time.monotonic() < deadline:
                time.sleep(0)
            signal.setitimer(signal.ITIMER_REAL, next(arm))
        return doubled(wishes)

    ends = threading.Event()
    groups: Groups[int, int] = Groups(serve, most=2, prepare=nothing_to_prepare)

    def submit() -> None:
        while not ends.is_set():
            assert groups.submit(3) == 6

    others = [threading.Thread(target=submit, daemon=True) for _ in range(3)]
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    for other in others:
        other.start()
    try:
        interrupted = 0
        deadline = time.monotonic() + LIMIT_S
        while interrupted < 100 and time.monotonic() < deadline:
            try:
                groups.submit(1)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        ends.set()
    for other in others:
        other.join(LIMIT_S)

    assert not any(other.is_alive() for other in others)
    assert interrupted == 100
    assert groups.submit(1) == 2


def test_no_one_is_forgotten_in_a_crowd() -> None:
    groups: Groups[int, int] = Groups(doubled, most=7, prepare=nothing_to_prepare)

    with ThreadPoolExecutor(64) as callers:
        answers = list(callers.map(groups.submit, range(20_000), timeout=LIMIT_S))

    assert answers == [wish * 2 for wish in range(20_000)]
    assert not groups._waiting
    assert groups.submit(1) == 2
