"""The links that QR codes, papers and lists have: to a raffle's page, with a ticket or an invitation in the fragment.

A fragment is sent to no server and is in no log. The scripts of the pages and the desk's scanner read it.
"""

from rafflekit.core.models import Raffle


def raffle_address(base: str | None, raffle: Raffle) -> str | None:
    """Return the address of a raffle's page on the server at `base`; None without a server."""
    return None if base is None else f"{base}/raffles/{raffle.id}/"


def ticket_fragment(number: int, code: str) -> str:
    """Return what follows the address of a raffle's page in a ticket's link."""
    return f"#t={number}&c={code}"


def invitation_fragment(code: str) -> str:
    """Return what follows the address of a raffle's page in an invitation's link."""
    return f"#i={code}"
