"""Libraries that only an extra installs, and what to say if one is missing."""

# Library → the extra that installs it.
_EXTRAS = {
    **dict.fromkeys(("falcon", "jinja2", "markupsafe", "msgspec", "prometheus_client", "segno", "waitress"), "http"),
    **dict.fromkeys(("defusedxml", "et_xmlfile", "openpyxl"), "xlsx"),
    "granian": "granian",
    "openpyxl": "xlsx",
}


def extra_needed(what: str, error: ModuleNotFoundError) -> str | None:
    """Return the sentence that says which extra `what` needs; None if the missing module is in no extra."""
    library = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(library)
    if extra is None:
        return None
    return f"{what} needs the extra '{extra}'. In the clone of rafflekit, run: pip install '.[{extra}]'"
