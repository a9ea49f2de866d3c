"""`rafflekit pass make`, `pass list` and `pass revoke`: who may do what at the desk, and until when."""

from typing import Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.failures import arguments_named
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, open_engine, visitors_address
from rafflekit.cli.words import lasting_given

_THIS_MACHINE = "http://localhost:8080"
_PARAMETERS = {"name": "--name", "may": "--may", "lasts": "--for"}


def make_desk_pass(
    *,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Whose pass it is, such as Ann: 'winners' shows it to you.")
    ],
    lasts: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long it is valid: 30m, 12h or 7d, at most 400 days.")
    ],
    may: Annotated[
        list[str],
        typer.Option(
            metavar="RIGHT",
            help="What it allows: 'redeem' (hand prizes out), 'sell' (hand tickets out) or 'manage' (everything). "
            "Repeat it for several.",
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            show_default="RAFFLEKIT_PUBLIC_URL, or http://localhost:8080",
            help="The address of your server, for the link.",
        ),
    ] = None,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a desk pass, and print its link, once.

    Open the link on the phone or computer of the person whose pass it is, or let the phone read its QR code.
    RAFFLEKIT_DESK_PASSES=required makes a server ask managers for a pass.
    """
    base = visitors_address(url) or _THIS_MACHINE
    with arguments_named(_PARAMETERS), open_engine(database_url) as engine:
        made = engine.passes.make(name, may=may, lasts=lasting_given("lasts", lasts))
    render.print_new_pass(made, link=f"{base}/desk/pass/#{made.token}", as_json=as_json)


def list_desk_passes(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """List the desk passes that are valid, and the last that ended."""
    with open_engine(database_url) as engine:
        passes = engine.passes.list()
    render.print_passes(passes, as_json=as_json)


def revoke_desk_pass(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the pass.")],
    *,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """End a desk pass at once.

    This is final, but you can make another one with the same name.
    """
    with open_engine(database_url) as engine:
        revoked = engine.passes.revoke(name)
    render.print_revoked_pass(revoked, as_json=as_json)


GROUP = {"make": make_desk_pass, "list": list_desk_passes, "revoke": revoke_desk_pass}
