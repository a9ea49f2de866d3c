"""The page of a raffle: every state in words, what differs from one answer to the next, and what browsers may keep."""

import re
from typing import Any

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.http.pages.kept_pages import SLOTS
from tests.http.conftest import Post
from tests.http.pages.conftest import BROWSER, Show

RAFFLE = {"name": "Fair", "total_tickets": 3, "prizes": [{"name": "warm hug", "amount": 1}]}
LATER = "2999-12-05T20:00:00Z"
VISITOR = "192.0.2.99"


def create(post: Post, **terms: Any) -> str:
    return f"/raffles/{post('/raffles/', json=RAFFLE | terms).json['id']}/"


def take(post: Post, raffle: str, *guests: int) -> None:
    for guest in guests:
        assert post(f"{raffle}participate/", source=f"192.0.2.{guest}").status_code == 201


def words_in(page: testing.Result) -> str:
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    inline = re.sub(r"</?(?:bdi|time)\b[^>]*>", "", main.replace("</span>-<span>", "-"))
    return " ".join(re.sub(r"<template.*?</template>|<[^>]*>", " ", inline, flags=re.DOTALL).split())


def test_every_state_is_said_in_words(post: Post, show: Show) -> None:
    upcoming = create(post, opens_at=LATER)
    announced = {"collection": "at the bar", "promoter": "Rowing club", "licence": "No. 7", "note": "For the boat."}
    raffle = create(post, draw_at=LATER, claim_days=2, **announced)

    assert "Not open yet Tickets are handed out from:" in words_in(show(upcoming))
    is_open = words_in(show(raffle))
    assert "Open 3 of 3 tickets left" in is_open
    assert "Get my ticket" in is_open
    assert all(text in is_open for text in announced.values())
    assert "2 days after the draw" in is_open
    take(post, raffle, 1, 2, 3)
    closed = words_in(show(raffle))
    assert "All 3 tickets have been handed out. The draw is on:" in closed
    assert "How you can check the draw" in closed
    post(f"{raffle}winners/")
    assert re.search(r"Winners Ticket [123] warm hug Have you won\?", words_in(show(raffle)))
    post(f"{upcoming}cancel/", json={"reason": "rain"})
    assert "There will be no draw. The organiser's reason: rain" in words_in(show(upcoming))


def test_a_raffle_that_was_closed_early_says_so(post: Post, show: Show) -> None:
    raffle = create(post)
    take(post, raffle, 1, 2)
    post(f"{raffle}close/")

    assert "The raffle is closed. 2 tickets take part. The draw can begin." in words_in(show(raffle))


@pytest.mark.parametrize(
    ("entry", "has_button", "words"),
    [("address", True, "Get my ticket"), ("invitation", True, "on your invitation"), ("desk", False, "Ask them")],
)
def test_the_entry_rule_decides_about_the_button(
    post: Post, show: Show, entry: str, has_button: bool, words: str
) -> None:
    page = show(create(post, entry=entry))

    assert ("Get my ticket" in page.text) is has_button
    assert words in page.text


def test_every_visitor_gets_another_key_and_no_other_differs(post: Post, show: Show) -> None:
    raffle = create(post)
    pages = [show(raffle, source=VISITOR).text for _ in range(2)]

    keys = [re.findall(r'name="idempotency_key" value="([^"]+)"', page) for page in pages]
    assert keys[0] != keys[1]
    assert len(keys[0][0]) >= 16
    assert pages[0].replace(keys[0][0], keys[1][0]) == pages[1]
    assert not any(mark in page for mark in SLOTS.values() for page in pages)


def test_a_kept_page_shows_what_has_changed(client: testing.TestClient, post: Post, show: Show) -> None:
    raffle, other = create(post), create(post, name="Ball")
    before = show(raffle, source=VISITOR)
    headers = BROWSER | {"If-None-Match": before.headers["ETag"], "Accept-Language": "en"}
    assert client.simulate_get(raffle, headers=headers, remote_addr=VISITOR).status_code == 304

    take(post, raffle, 1)

    after = client.simulate_get(raffle, headers=headers, remote_addr=VISITOR)
    assert after.status_code == 200
    assert "2 of 3" in words_in(after)
    assert "3 of 3" in words_in(show(other, source=VISITOR))
    client.simulate_patch(other, json={"name": "Dance"}, remote_addr="198.51.100.7")
    assert "Dance" in words_in(show(other, source=VISITOR))


def test_a_kept_page_learns_of_a_prize_that_lapsed(engine: RaffleEngine, show: Show) -> None:
    raffle = engine.create("Fair", total_tickets=21, prizes=[Prize("hug", 21)]).id
    assert len(list(engine.participate_many(raffle, [f"guest {number}" for number in range(21)]))) == 21
    last = engine.draw(raffle)[-1].ticket_number
    before = show(f"/raffles/{raffle}/").text

    # Nothing that the page lists changes.
    engine.forfeit(raffle, last, why="unclaimed")

    after = show(f"/raffles/{raffle}/").text
    standing = [re.findall(r' data-now="([^"]+)"', page) for page in (before, after)]
    assert standing[0] != standing[1]


def test_only_the_browser_itself_keeps_a_page(post: Post, show: Show) -> None:
    for path in (create(post), "/raffles/"):
        page = show(path)

        assert page.headers["Cache-Control"] == "private, no-cache"
        assert page.headers["Vary"] == "Accept, Accept-Language"


def test_prizes_after_the_first_20_can_be_unfolded(post: Post, show: Show) -> None:
    prizes = [{"name": f"prize {number}", "amount": 1} for number in range(22)]
    page = show(create(post, total_tickets=22, prizes=prizes)).text

    before, after = page.split("<summary>and 2 more</summary>")
    assert before.count("<bdi>prize ") == 20
    assert after.partition("</details>")[0].count("<bdi>prize ") == 2


def test_only_managers_are_led_to_the_desk(post: Post, show: Show) -> None:
    raffle = create(post)

    for path in (raffle, "/raffles/"):
        assert "/desk/" in show(path).text
        assert "/desk/" not in show(path, source=VISITOR).text


def test_names_of_any_kind_stay_text(post: Post, show: Show, submit: Show) -> None:
    name = "<script>x</script>\u202e%(left)s{{ 7 * 7 }}"
    texts = dict.fromkeys(("collection", "promoter", "address", "licence", "note"), name)
    raffle = create(post, name=name, prizes=[{"name": name, "amount": 1}], **texts)
    pages = [show(raffle), submit(f"{raffle}participate/", {"idempotency_key": "k" * 16})]
    take(post, raffle, 1, 2)
    post(f"{raffle}winners/")
    pages += [show(raffle), show(f"{raffle}winners/"), submit(f"{raffle}verify-ticket/")]

    for page in pages:
        assert "<script>x" not in page.text
        assert "\u202e" not in page.text
        assert "%(left)s{{ 7 * 7 }}" in page.text


def test_winners_are_listed_in_pages(post: Post, show: Show) -> None:
    raffle = create(post, total_tickets=4, prizes=[{"name": "tea", "amount": 3}])
    assert "have not been drawn yet" in words_in(show(f"{raffle}winners/"))
    take(post, raffle, 1, 2, 3, 4)
    wins = post(f"{raffle}winners/").json
    post(f"{raffle}forfeit/", json={"ticket_number": wins[0]["ticket_number"], "why": "unclaimed"})

    first = show(f"{raffle}winners/?page_size=2")
    second = show(f"{raffle}winners/?page_size=2&page=2")

    assert [str(win["ticket_number"]) for win in wins[:2]] == re.findall(r"Ticket (\d)", words_in(first))
    assert f"tea lost: not collected Ticket {wins[1]['ticket_number']}" in words_in(first)
    assert 'href="?page_size=2&amp;page=2"' in first.text
    assert f"taken over from ticket {wins[0]['ticket_number']}" in words_in(second)
    assert "Every ticket has won." in words_in(show(f"{raffle}winners/?queue=true"))


def test_the_list_filters_as_its_json_does(show: Show, post: Post) -> None:
    for name in ("Fair", "Ball", "Fair & square"):
        post("/raffles/", json=RAFFLE | {"name": name})

    page = show("/raffles/?name=fair&page_size=1").text

    assert ("Fair &amp; square" in page, "Ball" in page) == (True, False)
    assert 'href="?name=fair&amp;page_size=1&amp;page=2"' in page
