"""All amounts of a run, which also set how long it takes. The goals are for `FULL`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of one run."""

    rounds: int
    """How often figure and baseline take turns."""
    load_s: int
    """How long one load of participants over HTTP lasts; a load of readers lasts a second."""
    sold: int
    """Tickets of a raffle that counts as large: sold, drawn, and lines of the bulk run."""
    sold_some: tuple[int, ...]
    """Sold tickets at the points of the chart between none and `sold`."""
    few_sold: int
    """Tickets of a raffle that counts as small in a draw, and the fewest lines of the bulk run by ten."""
    few_printed: int
    """Tickets on paper that count as few."""
    printed: int
    """Tickets on paper that count as many."""
    large_draws: int
    """Rounds of the draw with a prize for every ticket, the longest single measurement except the bulk run."""
    raffles: int
    """Raffles in a list that counts as long."""
    lone_tickets: int
    """Tickets, one at a time, in one turn: few, so that a slow moment of the disk affects both sides."""
    lone_turns: int
    """Turns of that in a round."""
    rush_tickets: int
    """Tickets, many at once, in one turn."""
    rush_turns: int
    """Turns of that in a round."""
    postgresql_s: int
    """How long the rush on PostgreSQL lasts."""
    cost_raffles: int
    """Raffles with many prizes next to the large one whose requests' costs are measured."""
    cost_requests: int
    """How often each request is sent there at most, unless its result is kept."""
    polling_phones: int
    """Phones that poll while others take part."""
    rush_phones: int
    """Phones that load the page and take a ticket at the same time."""
    arrival_s: float
    """Within how many seconds they load the page."""
    poll_s: float
    """How often a phone polls."""
    watch_s: float
    """How long a phone polls after it took its ticket."""

    @property
    def few_lines(self) -> int:
        """Lines of the bulk run whose memory the large one is compared with."""
        return self.few_sold * 10


FULL = Sizes(
    rounds=4,
    load_s=1,
    sold=1_000_000,
    sold_some=(1_000, 10_000, 100_000),
    few_sold=1_000,
    few_printed=1_000,
    printed=10_000,
    large_draws=2,
    raffles=100_000,
    lone_tickets=20,
    lone_turns=10,
    rush_tickets=800,
    rush_turns=3,
    postgresql_s=20,
    cost_raffles=1_000,
    cost_requests=20,
    polling_phones=2_000,
    rush_phones=5_000,
    arrival_s=5,
    poll_s=15,
    watch_s=60,
)

QUICK = Sizes(
    rounds=2,
    load_s=1,
    sold=20_000,
    sold_some=(1_000,),
    few_sold=100,
    few_printed=80,
    printed=400,
    large_draws=2,
    raffles=2_000,
    lone_tickets=10,
    lone_turns=5,
    rush_tickets=320,
    rush_turns=2,
    postgresql_s=3,
    cost_raffles=20,
    cost_requests=5,
    polling_phones=50,
    rush_phones=60,
    arrival_s=0.5,
    poll_s=1,
    watch_s=2,
)

CONNECTIONS = 16
"""Keep-alive connections of a load on one server."""

EACH = 100
"""Tickets that one participant may hold where several are measured."""

THREADS = 32
"""Threads that take part at once without HTTP."""

GROUP = 16
"""Rows that the floor, and raw sqlite3, commit together."""

BULK_GROUP = 1_000
"""Rows that the floor of the bulk run commits together."""
