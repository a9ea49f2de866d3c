"""What a machine may lack: the tests that need it are skipped there, but not in CI."""

import os
from typing import NoReturn

import pytest


def skip_without(what: str, how: str) -> NoReturn:
    """Skip a test that needs something, and say how to get it; in CI, where it must be, fail."""
    reason = f"this test needs {what}; {how}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
