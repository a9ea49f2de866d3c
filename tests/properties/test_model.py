"""The engine does what the model says, whatever happens in which order.

`RAFFLEKIT_TEST_CASES` says how many runs a state machine makes; `make soak` makes thousands.
"""

import os
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import PostgresqlServer
from tests.properties.machine import RaffleMachine

CASES = os.environ.get("RAFFLEKIT_TEST_CASES")


def run(new_url: Callable[[], str], *, cases: int) -> None:
    chosen = settings(max_examples=int(CASES or cases), stateful_step_count=50)
    run_state_machine_as_test(partial(RaffleMachine, new_url), settings=chosen)


def test_the_engine_does_what_the_model_says_on_sqlite(tmp_path: Path) -> None:
    numbers = count()
    run(lambda: f"sqlite:///{tmp_path}/raffles-{next(numbers)}.db", cases=12)


def test_the_engine_does_what_the_model_says_on_postgresql(postgresql: PostgresqlServer) -> None:
    run(postgresql.new_url, cases=5)
