"""Libraries that only an extra installs, and what to say if one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped

# Library → the extra that installs it.
_EXTRAS = {
    **dict.fromkeys(("falcon", "jinja2", "markupsafe", "msgspec", "prometheus_client", "segno", "waitress"), "http"),
    **dict.fromkeys(("defusedxml", "et_xmlfile", "openpyxl"), "xlsx"),
    "granian": "granian",
}


def extra_needed(what: str, error: ModuleNotFoundError) -> str | None:
    """Return the sentence that says which extra `what` needs; None if the missing module is in no extra."""
    library = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(library)
    if extra is None:
        return None
    return f"{what} needs the extra '{extra}'. In the clone of rafflekit, run: pip install '.[{extra}]'"


@contextmanager
def extra_for(what: str) -> Iterator[None]:
    """Let the caller import the libraries that `what` needs.

    Raises:
        CommandStopped: one is missing that an extra installs.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        sentence = extra_needed(what, error)
        if sentence is None:
            raise
        raise CommandStopped(sentence, status=WRONG_USAGE) from error
