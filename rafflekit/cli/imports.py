"""Imports of much at once, without the search for garbage that Python makes in between.

What is imported stays for good, so that a short command would lose a tenth of its time to a search in vain.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Search for no garbage while `module` and what it needs are imported, for the first time; nor in them later."""
    if module in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
