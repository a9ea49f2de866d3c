"""How many bits of an IPv6 address say which participant it is, wherever the address comes from."""

from collections.abc import Iterator
from typing import Any

import pytest

from rafflekit import AlreadyParticipated, Entry, InvalidValue, Prize, RaffleEngine, Ticket
from rafflekit.core.opening import engine_of
from rafflekit.core.settings import Settings

# Three /64 networks of one /48, and one of another.
FIRST, *SAME_SITE = "2001:db8:1::1", "2001:db8:1:1::1", "2001:db8:1:ffff::1"
OTHER_SITE = "2001:db8:2::1"
KEY = "an idempotency key"


@pytest.fixture
def sites(database_url: str) -> Iterator[RaffleEngine]:
    """An engine for which a /48 is one participant, as the environment says."""
    with engine_of(Settings.from_env({"RAFFLEKIT_IPV6_PREFIX": "48"}), database_url) as opened:
        yield opened


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    """A SQLite file: the database does not know addresses."""
    return f"sqlite:///{tmp_path}/raffles.db"


def test_a_site_gets_one_ticket_in_whatever_way_it_is_named(sites: RaffleEngine) -> None:
    raffle = sites.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    first = sites.participate(raffle.id, address=FIRST, idempotency_key=KEY)

    for address in SAME_SITE:
        with pytest.raises(AlreadyParticipated):
            sites.participate(raffle.id, address=address)
        with pytest.raises(AlreadyParticipated):
            sites.participate(raffle.id, address)
        (refused,) = sites.participate_many(raffle.id, [Entry(address=address)])
        assert isinstance(refused, AlreadyParticipated)
        assert sites.participate(raffle.id, address=address, idempotency_key=KEY).number == first.number
    assert isinstance(sites.participate(raffle.id, address=OTHER_SITE), Ticket)
    assert sites.get(raffle.id).available_tickets == 7


def test_a_repeat_after_the_closing_is_recognised_by_its_site(sites: RaffleEngine) -> None:
    raffle = sites.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    first = sites.participate(raffle.id, address=FIRST, idempotency_key=KEY)

    assert sites.participate(raffle.id, address=SAME_SITE[0], idempotency_key=KEY).number == first.number


def test_by_default_each_64_of_a_site_is_a_participant(database_url: str) -> None:
    with engine_of(Settings.from_env({}), database_url) as engine:
        raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
        for address in (FIRST, *SAME_SITE):
            engine.participate(raffle.id, address=address)
        with pytest.raises(AlreadyParticipated):
            engine.participate(raffle.id, address="2001:db8:1::2")


def test_with_all_bits_each_address_is_a_participant(database_url: str) -> None:
    with RaffleEngine(database_url, ipv6_prefix=128) as engine:
        raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
        for address in ("2001:db8:1::1", "2001:db8:1::2"):
            engine.participate(raffle.id, address=address)
            with pytest.raises(AlreadyParticipated):
                engine.participate(raffle.id, address=address)


@pytest.mark.parametrize("bits", [47, 129, 0, True, "64", None, 64.0])
def test_an_engine_refuses_impossible_bits(database_url: str, bits: Any) -> None:
    with pytest.raises(InvalidValue, match="48 to 128") as refusal:
        RaffleEngine(database_url, ipv6_prefix=bits)

    assert refusal.value.field == "ipv6_prefix"
