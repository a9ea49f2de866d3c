"""A PostgreSQL primary is lost many times in a rush, and its standby is promoted: no answered ticket is lost.

`make soak` loses twenty of them.
"""

import secrets
import sys

import pytest

from tests.faults.rush import KILLS, Rush, Start, check_ledger, check_tickets, lost_tickets, new_raffle
from tests.postgresql_pair import ASYNCHRONOUS, SYNCHRONOUS, PostgresqlPair, postgresql_pair

FAILOVERS = max(3, KILLS // 10)
TICKETS = 50

# `rafflekit serve` with a shorter wait for a silent primary.
IMPATIENT = """
import sys
from rafflekit.cli import main
from rafflekit.core.storage import postgresql

postgresql.ANSWER_LIMIT_S = 2
sys.exit(main(["serve", "--host", "127.0.0.1", "--port", "0"]))
"""

random = secrets.SystemRandom()


def test_a_synchronous_failover_loses_no_answered_ticket(start: Start) -> None:
    with postgresql_pair(**SYNCHRONOUS) as pair:
        # Two seconds are the shortest time that libpq gives a connection.
        url = pair.url(connect_timeout="2")
        raffle = new_raffle(url).id
        with Rush(raffle, start(url, [sys.executable, "-c", IMPATIENT])) as rush:
            for turn in range(FAILOVERS):
                # A number of answers, not a time: the primary is then lost in any phase of a group.
                rush.wait_for_tickets(random.randint(1, 60))
                lose_the_primary(pair, rush, how=("killed", "stopped", "hanging")[turn % 3])
                check_tickets(pair.primary.url(), raffle, dict(rush.tickets))
                pair.add_a_standby()
            # One server ran all the time, and found each new primary by itself.
            rush.wait_for_tickets(TICKETS)
        rush.server.stop()

        assert rush.surprises == []
        # A repeated request got its first ticket: no participant has two, and every ticket has a participant.
        assert check_tickets(pair.primary.url(), raffle, rush.tickets) == len(rush.tickets)
        check_ledger(pair.primary.url(), raffle, rush.checkpoints)
    print(f"\n{FAILOVERS} failovers, {len(rush.tickets):,} tickets answered, none lost, none doubled")


def lose_the_primary(pair: PostgresqlPair, rush: Rush, *, how: str) -> None:
    """Kill the primary in the middle of the rush, and promote its standby."""
    lost = pair.primary
    if how == "stopped":
        lost.stop("immediate")
    elif how == "killed":
        lost.kill()
    else:
        lost.hang()
        # By now every thread of the service waits for the primary, for a limited time.
        rush.wait_for_outage()
    pair.promote_the_standby()
    if how == "hanging":
        lost.kill()


@pytest.mark.parametrize("settings", [SYNCHRONOUS, ASYNCHRONOUS], ids=["synchronous", "asynchronous"])
def test_only_asynchronous_replication_loses_answered_tickets(settings: dict[str, str], start: Start) -> None:
    is_synchronous = settings is SYNCHRONOUS
    with postgresql_pair(**settings) as pair:
        raffle = new_raffle(pair.url()).id
        with Rush(raffle, start(pair.url(), [sys.executable, "-c", IMPATIENT])) as rush:
            rush.wait_for_tickets(TICKETS)
            replicated = set(rush.tickets)
            pair.standby.stop()
            if is_synchronous:
                rush.wait_for_outage()
            else:
                rush.wait_for_tickets(TICKETS)
            pair.primary.kill()
            answered = dict(rush.tickets)
            pair.standby.start()
            pair.promote_the_standby()
            lost, _ = lost_tickets(pair.primary.url(), raffle, answered)
            # Clients that still ask must be answered.
            if is_synchronous:
                pair.add_a_standby()

    assert not {answered[participant][0] for participant in replicated} & set(lost)
    assert not lost if is_synchronous else len(lost) >= TICKETS
    print(f"\n{len(answered):,} tickets answered, the last ones without a standby, {len(lost)} lost")
