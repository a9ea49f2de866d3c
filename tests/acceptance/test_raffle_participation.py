"""Raffle participation."""

import pytest

from tests.acceptance.drivers import Driver, HttpDriver, Refused
from tests.acceptance.people import person, sell_all
from tests.live_server import LiveServer, Serve

KEY = "the key of one request"
SOLD_OUT = "Tickets to this raffle are no longer available"


def test_a_participant_gets_a_ticket_with_a_code(driver: Driver) -> None:
    raffle = driver.create("Foobar", 15, [("hug", 1)])

    ticket = driver.participate(raffle["id"], person(0))

    assert set(ticket) == {"raffle_id", "ticket_number", "verification_code", "receipt"}
    assert ticket["raffle_id"] == raffle["id"]
    assert 1 <= ticket["ticket_number"] <= 15
    assert len(ticket["verification_code"]) == len("4XK2-9QRM-0000-0000-0000-0000")


def test_all_numbers_from_one_to_the_total_are_handed_out_once(driver: Driver) -> None:
    raffle = driver.create("Foobar", 12, [("hug", 1)])

    tickets = sell_all(driver, raffle)

    assert sorted(ticket["ticket_number"] for ticket in tickets) == list(range(1, 13))
    assert len({ticket["verification_code"] for ticket in tickets}) == 12


def test_a_sold_out_raffle_refuses_new_tickets(driver: Driver) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    driver.participate(raffle["id"], person(0))

    for who in (person(0), person(1)):
        with pytest.raises(Refused, match=SOLD_OUT):
            driver.participate(raffle["id"], who)


def test_a_second_ticket_for_the_same_address_is_refused(driver: Driver) -> None:
    raffle = driver.create("Foobar", 3, [("hug", 1)])
    driver.participate(raffle["id"], person(0))

    with pytest.raises(Refused, match=driver.already_participated):
        driver.participate(raffle["id"], person(0))
    assert driver.get(raffle["id"])["available_tickets"] == 2


def test_one_address_can_take_part_in_several_raffles(driver: Driver) -> None:
    raffles = [driver.create(f"Raffle {n}", 2, [("hug", 1)]) for n in range(3)]

    tickets = [driver.participate(raffle["id"], person(0)) for raffle in raffles]

    assert [ticket["raffle_id"] for ticket in tickets] == [raffle["id"] for raffle in raffles]


def test_a_repeated_request_gets_the_same_ticket_until_the_draw(driver: Driver) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    ticket = driver.participate(raffle["id"], person(0), KEY)

    assert driver.participate(raffle["id"], person(0), KEY) == ticket
    driver.draw(raffle["id"])

    with pytest.raises(Refused, match=SOLD_OUT):
        driver.participate(raffle["id"], person(0), KEY)


def test_another_key_is_a_second_entry(driver: Driver) -> None:
    raffle = driver.create("Foobar", 2, [("hug", 1)])
    driver.participate(raffle["id"], person(0), KEY)

    with pytest.raises(Refused, match=driver.already_participated):
        driver.participate(raffle["id"], person(0), KEY + "!")


def test_a_ticket_taken_on_one_surface_counts_on_the_others(http: HttpDriver, driver: Driver) -> None:
    raffle = http.create("Foobar", 2, [("hug", 1)])
    ticket = http.participate(raffle["id"], person(0), KEY)

    assert driver.participate(raffle["id"], person(0), KEY) == ticket
    with pytest.raises(Refused, match=driver.already_participated):
        driver.participate(raffle["id"], f"::ffff:{person(0)}" if driver is not http else person(0))


def test_participating_answers_with_the_contracts_statuses(server: LiveServer, http: HttpDriver) -> None:
    path = f"/raffles/{http.create('Foobar', 2, [('hug', 1)])['id']}/participate/"

    answers = [server.request_from(who, "POST", path) for who in (person(0), person(0), person(1), person(2))]

    assert [answer.status for answer in answers] == [201, 403, 201, 410]
    assert answers[0].headers["cache-control"] == "no-store"
    assert [answer.headers["content-type"] for answer in answers[1::2]] == ["application/problem+json"] * 2


def test_the_key_is_read_quoted_and_bare(server: LiveServer, http: HttpDriver) -> None:
    path = f"/raffles/{http.create('Foobar', 2, [('hug', 1)])['id']}/participate/"

    answers = [
        server.request("POST", path, None, Idempotency_Key=key) for key in ("0123456789abcdef", '"0123456789abcdef"')
    ]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json


@pytest.mark.parametrize("key", ["short", '"short"', "x" * 256, ""])
def test_a_key_of_a_wrong_length_is_refused_by_its_headers_name(server: LiveServer, http: HttpDriver, key: str) -> None:
    raffle = http.create("Foobar", 2, [("hug", 1)])

    answer = server.request("POST", f"/raffles/{raffle['id']}/participate/", None, Idempotency_Key=key)

    assert answer.status == 400
    assert "Idempotency-Key" in answer.json["detail"]
    assert http.get(raffle["id"])["available_tickets"] == 2


def test_an_unknown_address_gets_no_ticket(serve: Serve) -> None:
    server = serve(MANAGER_IPS="192.0.2.1", RAFFLEKIT_TRUSTED_PROXIES="127.0.0.1")
    body = {"name": "Foobar", "total_tickets": 2, "prizes": [{"name": "hug", "amount": 1}]}
    created = server.request("POST", "/raffles/", body, X_Forwarded_For="192.0.2.1")
    path = f"/raffles/{created.json['id']}/participate/"

    assert server.request("POST", path).status == 400
    assert server.request("POST", path, None, X_Forwarded_For="nonsense").status == 400
    assert server.request("POST", path, None, X_Forwarded_For="127.0.0.1").status == 400
    assert server.request("POST", path, None, X_Forwarded_For="198.51.100.9, 203.0.113.7").status == 201
    assert server.request("POST", path, None, X_Forwarded_For="203.0.113.7").status == 403
    assert server.request("GET", "/raffles/").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "raffle.example"},
    ],
)
def test_a_foreign_page_or_host_cannot_change_anything(
    server: LiveServer, http: HttpDriver, headers: dict[str, str]
) -> None:
    raffle = http.create("Foobar", 2, [("hug", 1)])

    for path in ("/raffles/", f"/raffles/{raffle['id']}/participate/", f"/raffles/{raffle['id']}/winners/"):
        answer = server.request("POST", path, {}, **headers)
        assert answer.status == 403
        assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.json["detail"]
    assert http.get(raffle["id"])["available_tickets"] == 2
