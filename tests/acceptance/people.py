"""Participants of acceptance scenarios: loopback addresses, so that each is a separate client over HTTP."""

from tests.acceptance.drivers import Driver, Shape


def person(n: int) -> str:
    """Return the n-th participant's address, from 0."""
    return f"127.1.{n // 250}.{n % 250 + 1}"


def sell_all(driver: Driver, raffle: Shape) -> list[Shape]:
    """Sell every ticket to a different person, and return the tickets."""
    return [driver.participate(raffle["id"], person(n)) for n in range(raffle["total_tickets"])]
