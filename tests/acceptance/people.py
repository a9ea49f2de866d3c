"""Participants of acceptance scenarios: loopback addresses, so that each is a peer of its own over HTTP."""

from tests.acceptance.drivers import Driver, Shape


def person(n: int) -> str:
    """Return the n-th participant's address, from 0."""
    return f"127.1.{n // 250}.{n % 250 + 1}"


def sell_all(driver: Driver, raffle: Shape) -> list[Shape]:
    """Let as many people take part as there are tickets, and return their tickets."""
    return [driver.participate(raffle["id"], person(n)) for n in range(raffle["total_tickets"])]
