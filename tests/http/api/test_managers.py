"""What only managers may do, and only from this service's pages."""

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core import limits
from tests.http.api.conftest import MANAGER_ADDRESSES
from tests.http.conftest import MANAGER, PROXY, RAFFLE
from tests.http.description import operations

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"


def test_the_document_says_who_may_do_what() -> None:
    described = {
        (method, path.removesuffix("/").replace("/raffles/{raffle_id}", "{raffle}"))
        for method, path, operation in operations()
        if operation.get("description", "").startswith("Managers only")
    }

    assert described == set(MANAGER_ADDRESSES)


@pytest.mark.parametrize(("method", "path"), MANAGER_ADDRESSES)
@pytest.mark.parametrize("raffle", ["/raffles/garbage", NO_RAFFLE])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {"Host": "evil.example"}, {"Idempotency-Key": "short"}],
    ids=["no type", "other type", "foreign host", "bad key"],
)
def test_strangers_are_refused_before_the_body_is_read(
    shared_client: testing.TestClient, method: str, path: str, raffle: str, headers: dict[str, str]
) -> None:
    body = "x" * (limits.CREATE_BODY_BYTES + 1)
    target = path.format(raffle=raffle)

    for source, sent in ((STRANGER, headers), (PROXY, headers), (PROXY, {**headers, "X-Forwarded-For": "unknown"})):
        answer = shared_client.simulate_request(method, target, remote_addr=source, body=body, headers=sent)
        assert answer.status_code == 403
        assert "MANAGER_IPS" in answer.json["detail"]


@pytest.mark.parametrize(("method", "path"), [*MANAGER_ADDRESSES, ("POST", "{raffle}/participate")])
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_changes_nothing(
    client: testing.TestClient, engine: RaffleEngine, *, raffle: str, method: str, path: str, headers: dict[str, str]
) -> None:
    raffle_id = raffle.rpartition("/")[2]
    engine.participate(raffle_id, "someone")
    before = engine.get(raffle_id)
    body = RAFFLE | {"reason": "rain", "participant": "someone else"}

    answer = client.simulate_request(
        method, path.format(raffle=raffle), remote_addr=MANAGER, headers=headers, json=body
    )

    assert answer.status_code == 403
    assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.json["detail"]
    assert engine.list().count == 1
    assert engine.get(raffle_id) == before


@pytest.mark.parametrize(("method", "path"), MANAGER_ADDRESSES)
@pytest.mark.parametrize(
    ("body", "status"), [('{"a":1}', 400), ("[]", 400), ("x", 400), ("x" * (limits.CREATE_BODY_BYTES + 1), 413)]
)
def test_a_body_is_validated_before_the_raffle_is_looked_up(
    shared_client: testing.TestClient, method: str, path: str, body: str, status: int
) -> None:
    sent = {"Content-Type": "application/json"}
    answer = shared_client.simulate_request(
        method, path.format(raffle=NO_RAFFLE), remote_addr=MANAGER, body=body, headers=sent
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "{raffle}", {}),
        ("POST", "{raffle}/close", None),
        ("POST", "{raffle}/cancel", {"reason": "rain"}),
        ("POST", "{raffle}/winners", None),
        ("POST", "{raffle}/redeem", {"ticket_number": 1, "verification_code": "x"}),
        ("POST", "{raffle}/forfeit", {"ticket_number": 1, "why": "unclaimed"}),
    ],
)
@pytest.mark.parametrize("raffle", ["/raffles/garbage", NO_RAFFLE])
def test_an_unknown_raffle_is_not_found(
    shared_client: testing.TestClient, method: str, path: str, body: object, raffle: str
) -> None:
    answer = shared_client.simulate_request(method, path.format(raffle=raffle), remote_addr=MANAGER, json=body)

    assert (answer.status_code, answer.json["type"]) == (404, "urn:rafflekit:problem:raffle-not-found")
