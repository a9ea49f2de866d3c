"""Drawing the winners over HTTP, and listing them."""

from falcon import testing

from tests.http.api.conftest import sell_out
from tests.http.conftest import Post

STRANGER = "192.0.2.1"


def test_the_draw_lists_every_win_and_the_winners_page_the_same(
    client: testing.TestClient, post: Post, raffle: str
) -> None:
    assert client.simulate_get(f"{raffle}/winners").json == {"count": 0, "next": None, "previous": None, "results": []}
    tickets = sell_out(post, raffle)

    drawn = post(f"{raffle}/winners")

    assert drawn.status_code == 201
    [win] = drawn.json
    assert win["prize"] == "warm hug"
    assert client.simulate_get(f"{raffle}/winners").json["results"] == drawn.json
    for ticket in tickets:
        asked = {name: ticket[name] for name in ("ticket_number", "verification_code")}
        has_won = ticket["ticket_number"] == win["ticket_number"]
        verified = post(f"{raffle}/verify-ticket", json=asked, source=STRANGER)
        assert verified.json == {"has_won": has_won, "prize": "warm hug" if has_won else None}
