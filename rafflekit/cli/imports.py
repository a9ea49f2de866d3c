"""Imports of large packages, with Python's garbage collector off.

Imported modules are never garbage, and searching them would cost a short command a tenth of its time.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Switch the garbage collector off during the first import of `module`; later it skips what was imported."""
    if module in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
