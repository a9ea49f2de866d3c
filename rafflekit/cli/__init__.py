"""The command line: every command is a thin call of one public method of `RaffleEngine`.

`main` is the outermost edge: whatever happens below it ends as an exit status and, at most, one sentence on
standard error. Heavy modules are imported only when a command needs them, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence

from rafflekit.cli.imports import importing

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, by default the one that the process was given, and return its exit status: see `failures`."""
    with importing("typer"):
        from rafflekit.cli import failures, terminal

    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except failures.Terminated as ended:
        return ended.status
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except BrokenPipeError:
        # As after `rafflekit list | head -1`: the program that reads the output has ended, which needs no message.
        terminal.discard_what_is_stuck()
        return failures.READER_GONE
    except Exception as error:
        return failures.report(error)


def _run(arguments: Sequence[str]) -> int:
    with importing("rafflekit.cli.app"):
        from rafflekit.cli import app, terminal

    terminal.forgive_encodings()
    _refuse_what_is_not_text(arguments)
    status = app.run(arguments)
    # A full disk must not look like success.
    print(end="", flush=True)  # noqa: T201 - flushes, and knows what to do without a standard output
    return status


def _refuse_what_is_not_text(arguments: Sequence[str]) -> None:
    from rafflekit.cli.failures import WRONG_USAGE, CommandStopped

    for position, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            # The argument is not shown, because it may be a code.
            raise CommandStopped(f"Argument {position} is not valid text in UTF-8.", status=WRONG_USAGE) from error
