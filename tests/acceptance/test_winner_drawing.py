"""Winner drawing."""

import pytest

from tests.acceptance.conftest import STRANGER
from tests.acceptance.drivers import Driver, HttpDriver, Refused
from tests.acceptance.people import person, sell_all
from tests.live_server import LiveServer, Serve

PRIZES = [("invisibility", 1), ("warm hug", 3)]


def test_the_draw_gives_each_prize_its_amount_in_the_order_given(driver: Driver) -> None:
    raffle = driver.create("Foobar", 15, PRIZES)
    sell_all(driver, raffle)

    wins = driver.draw(raffle["id"])

    assert [win["prize"] for win in wins] == ["invisibility", "warm hug", "warm hug", "warm hug"]
    assert all(set(win) == {"ticket_number", "prize"} for win in wins)
    assert len({win["ticket_number"] for win in wins} & set(range(1, 16))) == 4


def test_a_draw_may_give_every_ticket_a_prize(driver: Driver) -> None:
    raffle = driver.create("Foobar", 5, [("hug", 5)])
    sell_all(driver, raffle)

    assert sorted(win["ticket_number"] for win in driver.draw(raffle["id"])) == [1, 2, 3, 4, 5]


def test_winners_cannot_be_drawn_while_tickets_remain(driver: Driver) -> None:
    raffle = driver.create("Foobar", 2, [("hug", 1)])
    for n in range(2):
        with pytest.raises(Refused, match="Winners can't be drawn when tickets are still available"):
            driver.draw(raffle["id"])
        driver.participate(raffle["id"], person(n))

    assert len(driver.draw(raffle["id"])) == 1


def test_winners_are_drawn_once(driver: Driver) -> None:
    raffle = driver.create("Foobar", 15, PRIZES)
    sell_all(driver, raffle)
    wins = driver.draw(raffle["id"])

    with pytest.raises(Refused, match="Winners for the raffle have already been drawn"):
        driver.draw(raffle["id"])
    assert driver.winners(raffle["id"])["results"] == wins


def test_anyone_can_list_the_winners_in_draw_order(driver: Driver, http: HttpDriver) -> None:
    raffle = driver.create("Foobar", 6, [("b", 2), ("a", 3)])
    sell_all(driver, raffle)
    before = driver.winners(raffle["id"])

    wins = driver.draw(raffle["id"])

    assert before == {"count": 0, "next": None, "previous": None, "results": []}
    after = {"count": 5, "next": None, "previous": None, "results": wins}
    assert driver.winners(raffle["id"]) == http.winners(raffle["id"]) == after


def test_an_address_without_the_right_cannot_draw(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 2, [("hug", 1)])
    sell_all(http, raffle)

    answer = server.request_from(STRANGER, "POST", f"/raffles/{raffle['id']}/winners/")

    assert answer.status == 403
    assert http.winners(raffle["id"])["count"] == 0


def test_without_managers_no_one_creates_or_draws(serve: Serve) -> None:
    server = serve()

    assert server.request("POST", "/raffles/", {}).status == 403
    assert server.request("POST", "/raffles/1/winners/").status == 403


def test_drawing_answers_with_the_contracts_statuses(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 1, [("hug", 1)])
    path = f"/raffles/{raffle['id']}/winners/"

    early = server.request("POST", path)
    ticket = http.participate(raffle["id"], person(0))
    drawn, again = server.request("POST", path), server.request("POST", path)

    assert [answer.status for answer in (early, drawn, again)] == [403, 201, 403]
    assert drawn.json == [{"ticket_number": ticket["ticket_number"], "prize": "hug"}]


def test_winners_have_pages_of_a_hundred(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 120, [("hug", 120)])
    sell_all(http, raffle)
    wins = http.draw(raffle["id"])

    first = server.request("GET", f"/raffles/{raffle['id']}/winners/").json
    second = server.request("GET", first["next"].removeprefix(server.url)).json

    assert (first["count"], len(first["results"]), second["next"]) == (120, 100, None)
    assert first["results"] + second["results"] == wins
