"""The command line: every command is a thin call of one public method of `RaffleEngine`.

`main` is the outermost edge: whatever happens below it ends as an exit status and, at most, one sentence on
standard error. Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, by default the one that the process was given, and return its exit status: see `failures`."""
    from rafflekit.cli import failures

    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except failures.Terminated as ended:
        return ended.status
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except BrokenPipeError:
        # `rafflekit list | head -1`: the reader has enough, which is no failure to speak of.
        _discard_output()
        return failures.READER_GONE
    except OSError as error:
        status = failures.report(error)
        _discard_output()
        return status
    except Exception as error:
        return failures.report(error)


def _run(arguments: Sequence[str]) -> int:
    from rafflekit.cli import app, terminal

    terminal.forgive_encodings()
    status = app.run(arguments)
    # A full disk must not pass for success.
    print(end="", flush=True)  # noqa: T201 - flushes, and knows what to do without a standard output
    return status


def _discard_output() -> None:
    """Let what is still to be written go nowhere, or Python complains once more when it flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        # A stream may be closed, or no file at all when a program calls `main`.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
