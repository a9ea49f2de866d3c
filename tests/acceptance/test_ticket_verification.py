"""Ticket verification."""

import pytest

from tests.acceptance.drivers import Driver, HttpDriver, Refused
from tests.acceptance.people import person, sell_all
from tests.live_server import LiveServer

INVALID = "Invalid verification code"
NOT_YET = "Winners for the raffle have not been drawn yet"


def test_every_ticket_verifies_with_its_own_code(driver: Driver) -> None:
    raffle = driver.create("Foobar", 10, [("invisibility", 1), ("warm hug", 3)])
    tickets = sell_all(driver, raffle)
    prize_of = {win["ticket_number"]: win["prize"] for win in driver.draw(raffle["id"])}

    for ticket in tickets:
        prize = prize_of.get(ticket["ticket_number"])
        verified = driver.verify(raffle["id"], ticket["ticket_number"], ticket["verification_code"])
        assert verified == {"has_won": prize is not None, "prize": prize}


def test_a_code_counts_in_every_spelling(driver: Driver) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    ticket = driver.participate(raffle["id"], person(0))
    driver.draw(raffle["id"])
    code = ticket["verification_code"]

    for written in (code.lower(), code.replace("-", ""), code.replace("0", "O").replace("1", "l"), f" {code} "):
        assert driver.verify(raffle["id"], ticket["ticket_number"], written)["has_won"]


def test_only_its_own_code_verifies_a_winning_number(driver: Driver) -> None:
    raffle = driver.create("Foobar", 6, [("hug", 2)])
    tickets = {ticket["ticket_number"]: ticket["verification_code"] for ticket in sell_all(driver, raffle)}
    winner, another_winner = (win["ticket_number"] for win in driver.draw(raffle["id"]))
    loser = next(number for number in tickets if number not in (winner, another_winner))

    for number in (another_winner, loser):
        with pytest.raises(Refused, match=INVALID):
            driver.verify(raffle["id"], winner, tickets[number])


def test_another_raffles_code_is_refused(driver: Driver) -> None:
    raffles = [driver.create(f"Raffle {n}", 1, [("hug", 1)]) for n in range(2)]
    tickets = [driver.participate(raffle["id"], person(0)) for raffle in raffles]
    for raffle in raffles:
        driver.draw(raffle["id"])

    with pytest.raises(Refused, match=INVALID):
        driver.verify(raffles[0]["id"], 1, tickets[1]["verification_code"])
    assert driver.verify(raffles[0]["id"], 1, tickets[0]["verification_code"])["has_won"]


@pytest.mark.parametrize("code", ["wrong", "0000-0000-0000-0000-0000-0000", "UUUU", "é"])
def test_a_wrong_code_is_refused(driver: Driver, code: str) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    driver.participate(raffle["id"], person(0))
    driver.draw(raffle["id"])

    with pytest.raises(Refused, match=INVALID):
        driver.verify(raffle["id"], 1, code)


@pytest.mark.parametrize("number", [0, 2, 10**18])
def test_a_number_that_no_ticket_has_looks_like_a_wrong_code(driver: Driver, number: int) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    ticket = driver.participate(raffle["id"], person(0))
    driver.draw(raffle["id"])

    with pytest.raises(Refused, match=INVALID):
        driver.verify(raffle["id"], number, ticket["verification_code"])


def test_tickets_are_verified_only_after_the_draw(driver: Driver) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    ticket = driver.participate(raffle["id"], person(0))

    for number, code in ((ticket["ticket_number"], ticket["verification_code"]), (99, "wrong")):
        with pytest.raises(Refused, match=NOT_YET):
            driver.verify(raffle["id"], number, code)


def test_verifying_answers_with_the_contracts_statuses(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 1, [("hug", 1)])
    ticket = http.participate(raffle["id"], person(0))
    path = f"/raffles/{raffle['id']}/verify-ticket/"
    body = {"ticket_number": ticket["ticket_number"], "verification_code": ticket["verification_code"]}

    early = server.request("POST", path, body)
    http.draw(raffle["id"])
    right, wrong = server.request("POST", path, body), server.request("POST", path, body | {"verification_code": "x"})

    assert [answer.status for answer in (early, right, wrong)] == [400, 200, 400]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ticket_number": None}, "ticket_number"),
        ({"ticket_number": "1"}, "ticket_number"),
        ({"ticket_number": 1.0}, "ticket_number"),
        ({"verification_code": None}, "verification_code"),
        ({"verification_code": 7}, "verification_code"),
        ({"code": "x"}, "code"),
    ],
)
def test_an_invalid_body_is_refused_before_the_raffle_is_read(
    server: LiveServer, change: dict[str, object], field: str
) -> None:
    answer = server.request(
        "POST", "/raffles/1/verify-ticket/", {"ticket_number": 1, "verification_code": "x"} | change
    )

    assert answer.status == 400
    assert field in answer.json["detail"]


def test_a_body_over_the_limit_is_refused(server: LiveServer) -> None:
    body = {"ticket_number": 1, "verification_code": "x" * 65536}

    assert server.request("POST", "/raffles/1/verify-ticket/", body).status == 413
