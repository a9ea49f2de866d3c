"""What the tests of the addresses share."""

from typing import Any

from falcon import testing

from tests.http.conftest import MANAGER, RAFFLE, Post

MANAGER_ADDRESSES = [
    ("POST", "/raffles"),
    ("PATCH", "{raffle}"),
    *(("POST", f"{{raffle}}/{action}") for action in ("close", "cancel", "winners", "redeem", "forfeit")),
]
"""What only managers may do: the method, and the path of a raffle."""


def create(post: Post, **terms: Any) -> str:
    """Create a raffle, by default of two tickets and one prize, with more terms; return its address."""
    created = post("/raffles/", json=RAFFLE | terms)
    assert created.status_code == 201, created.json
    return f"/raffles/{created.json['id']}"


def hand_out(post: Post, raffle: str, *names: str) -> list[dict[str, Any]]:
    """Hand a ticket to each of these participants and return the tickets."""
    answers = [post(f"{raffle}/participate", json={"participant": name}) for name in names]
    assert {answer.status_code for answer in answers} <= {201}
    return [answer.json for answer in answers]


def sell_out(post: Post, raffle: str) -> list[dict[str, Any]]:
    """Hand out both tickets of a raffle and return them."""
    return [post(f"{raffle}/participate", source=f"192.0.2.{host}").json for host in (1, 2)]


def shown(ticket: dict[str, Any]) -> dict[str, Any]:
    """Return the number and the code of a ticket, as its participant shows them."""
    return {name: ticket[name] for name in ("ticket_number", "verification_code")}


def patch(client: testing.TestClient, path: str, **arguments: Any) -> testing.Result:
    """Send a PATCH from the manager's address."""
    return client.simulate_patch(path, **{"remote_addr": MANAGER} | arguments)


def refusal(answer: testing.Result) -> tuple[int, str]:
    """Return the status and the detail of a refusal."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json["detail"]
