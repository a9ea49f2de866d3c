"""Desk passes over HTTP: with a manager's address, a pass says what may be done, and who did it."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import falcon
import pytest
from falcon import testing

from rafflekit import DeskPass, Prize, RaffleEngine, Right
from rafflekit.core import limits
from rafflekit.core.settings import DESK_PASSES, MANAGER_IPS
from rafflekit.http.access import Access
from rafflekit.http.app import create_app
from tests.http.api.conftest import MANAGER_ADDRESSES
from tests.http.conftest import MANAGER, RAFFLE
from tests.http.conftest import SETTINGS as OF_THE_CLIENT
from tests.http.environs import SETTINGS, environ
from tests.live_server import Serve

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PASSES = {
    f"rkp_{name}": DeskPass(name, frozenset(may), NOW, NOW + timedelta(days=1))
    for name, may in {
        "redeems": {Right.REDEEM},
        "sells": {Right.SELL},
        "both": {Right.REDEEM, Right.SELL},
        "manages": {Right.MANAGE},
    }.items()
}
REQUIRED = replace(SETTINGS, desk_passes_required=True)
DESK = "198.51.100.1"
MAY_BE_SHOWN = (None, "rkp_unknown", *PASSES)

Show = Callable[[str], dict[str, str]]
WAYS: dict[str, Show] = {
    "Bearer": lambda token: {"authorization": f"Bearer {token}"},
    "bearer": lambda token: {"authorization": f"bearer  {token} "},
    "cookie": lambda token: {"cookie": f"a=b; rafflekit_pass={token}; c=d"},
    "both": lambda token: {"authorization": "Bearer of-a-proxy", "cookie": f"rafflekit_pass={token}"},
}


def reason(access: Access, sent: dict[str, Any], right: Right) -> str:
    """Return why a request is refused, or "" if it is not; `allows` must say the same."""
    try:
        assert access.require(sent, right) == access.pass_of(sent)
    except falcon.HTTPForbidden as error:
        assert not access.allows(sent, right)
        return str(error.description)
    assert access.allows(sent, right)
    return ""


def test_a_pass_is_looked_up_once_per_request() -> None:
    asked: list[str] = []
    access = Access(REQUIRED, find_pass=lambda token: asked.append(token) or PASSES.get(token))
    other = Access(REQUIRED)
    sent = environ(DESK, authorization="Bearer rkp_sells", cookie="rafflekit_pass=rkp_manages")

    for _ in range(2):
        assert [access.allows(sent, right) for right in Right] == [False, True, False]
        assert access.require(sent, Right.SELL) == access.pass_of(sent) == PASSES["rkp_sells"]

    assert asked == ["rkp_sells"]
    assert other.pass_of(sent) is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("peer", [DESK, "192.0.2.1", "10.0.0.1", None])
def test_an_address_and_a_pass_decide_together(peer: str | None, is_required: bool, way: str) -> None:
    access = Access(replace(SETTINGS, desk_passes_required=is_required), find_pass=PASSES.get)
    for token, right in itertools.product(MAY_BE_SHOWN, Right):
        sent = environ(peer, **({} if token is None else WAYS[way](token)))

        refused = reason(access, sent, right)

        shown = PASSES.get(token or "")
        if peer != DESK:
            assert MANAGER_IPS.name in refused
            assert access.pass_of(sent) is None
        elif not is_required:
            assert (refused, access.pass_of(sent)) == ("", shown)
        elif shown is None:
            assert (DESK_PASSES.name if token is None else "expired or been revoked") in refused
        else:
            assert (refused == "") == shown.allows(right)
        assert token is None or token not in refused


def test_a_refusal_says_what_a_pass_may_do() -> None:
    access = Access(REQUIRED, find_pass=PASSES.get)

    assert reason(access, environ(DESK, **WAYS["Bearer"]("rkp_both")), Right.MANAGE) == (
        "The desk pass “both” may redeem and sell only; this needs a pass that may manage."
    )


def test_a_strangers_token_is_not_looked_up() -> None:
    def never(token: str) -> None:
        raise AssertionError(token)

    access = Access(REQUIRED, find_pass=never)
    for sent in (environ("192.0.2.1", authorization="Bearer x"), environ(DESK, via="1.1 x", authorization="Bearer x")):
        assert MANAGER_IPS.name in reason(access, sent, Right.MANAGE)
        assert access.pass_of(sent) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic rkp_manages"},
        {"authorization": "rkp_manages"},
        {"authorization": "Bearer rkp_manages x"},
        {"cookie": "xrafflekit_pass=rkp_manages"},
        {"cookie": "rafflekit_pass=; rafflekit_pass=rkp_manages"},
        {"cookie": 'x="rafflekit_pass=rkp_manages'},
    ],
)
def test_a_token_elsewhere_is_no_pass(headers: dict[str, str]) -> None:
    assert reason(Access(REQUIRED, find_pass=PASSES.get), environ(DESK, **headers), Right.REDEEM) != ""


@pytest.fixture
def required(engine: RaffleEngine) -> testing.TestClient:
    """A client of an application that requires desk passes."""
    settings = replace(OF_THE_CLIENT, desk_passes_required=True)
    return testing.TestClient(create_app(engine, settings), headers={"Host": "127.0.0.1:8080"})


def bearing(engine: RaffleEngine, name: str, may: Right) -> dict[str, str]:
    """Make a pass, and return the header with its token."""
    token = engine.passes.make(name, may=[may], lasts=timedelta(hours=1)).token
    return {"Authorization": f"Bearer {token}"}


ENTRIES = ("desk", "address")
HUG = [Prize("warm hug")]
NEEDED = {("POST", "{raffle}/redeem"): Right.REDEEM}


def test_every_managers_address_needs_its_right(required: testing.TestClient, engine: RaffleEngine) -> None:
    """A pass with another right is refused before the body is read; with the right, the body is found too large."""
    headers = {right: bearing(engine, right, right) for right in Right}
    raffle = "/raffles/00000000-0000-4000-8000-000000000000"
    for method, path in MANAGER_ADDRESSES:
        right = NEEDED.get((method, path), Right.MANAGE)
        for shown in Right:
            answer = required.simulate_request(
                method,
                path.format(raffle=raffle),
                remote_addr=MANAGER,
                body="x" * 2 * limits.CREATE_BODY_BYTES,
                headers=headers[shown],
            )
            assert answer.status_code == (413 if shown in (right, Right.MANAGE) else 403), (method, path, shown)


def test_naming_a_participant_needs_the_right_to_sell(required: testing.TestClient, engine: RaffleEngine) -> None:
    desk, other = (engine.create(entry, total_tickets=9, prizes=HUG, entry=entry) for entry in ENTRIES)

    def participate(raffle: Any, headers: dict[str, str], **body: str) -> testing.Result:
        return required.simulate_post(
            f"/raffles/{raffle.id}/participate", remote_addr=MANAGER, json=body, headers=headers
        )

    seller, redeemer = bearing(engine, "Ann", Right.SELL), bearing(engine, "Bob", Right.REDEEM)
    assert participate(desk, seller, participant="cid").status_code == 201
    assert participate(desk, redeemer, participant="dan").status_code == 403
    assert participate(desk, {}, participant="dan").status_code == 403
    # Anyone may take part for themselves; only a seller is told to name the participant.
    assert "name the participant" in participate(desk, seller).json["detail"]
    assert "name the participant" not in participate(desk, redeemer).json["detail"]
    assert participate(other, {}).status_code == 201


def test_a_win_names_the_pass_but_not_in_public(required: testing.TestClient, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=3, prizes=[*HUG, *HUG])
    tickets = {ticket.number: ticket for ticket in (engine.participate(raffle.id, who) for who in "abc")}
    first, second = (win.ticket_number for win in engine.draw(raffle.id))
    redeem = {"ticket_number": first, "verification_code": tickets[first].verification_code}
    forfeit = {"ticket_number": second, "why": "disqualified", "reason": "a relative"}
    # A shorter name may be in a hash of the proof by chance.
    ann, bob = "Ann at the bar", "Bob at the door"
    redeemer, manager = bearing(engine, ann, Right.REDEEM), bearing(engine, bob, Right.MANAGE)

    def send(action: str, body: dict[str, Any], headers: dict[str, str]) -> testing.Result:
        return required.simulate_post(f"/raffles/{raffle.id}/{action}", remote_addr=MANAGER, json=body, headers=headers)

    answers = [send("redeem", redeem, redeemer), send("forfeit", forfeit, manager)]

    public = [*answers, *(required.simulate_get(f"/raffles/{raffle.id}/{what}") for what in ("winners", "proof"))]
    assert [answer.status_code for answer in public] == [200] * 4
    assert not [answer.text for answer in public if ann in answer.text or bob in answer.text]
    wins = engine.winners(raffle.id).items
    assert [(win.redeemed_by, win.forfeited_by) for win in wins] == [(ann, None), (None, bob), (None, None)]
    engine.passes.revoke(ann)
    assert "revoked" in send("redeem", {**redeem, "undo": True}, redeemer).json["detail"]


def test_a_token_never_reaches_the_log(database: Path, serve: Serve) -> None:
    """Not even from a log of everything, whatever becomes of the request."""
    server = serve("--log-format", "json", MANAGER_IPS="127.0.0.1", RAFFLEKIT_DESK_PASSES="required")
    with RaffleEngine(f"sqlite:///{database}") as engine:
        token = engine.passes.make("Ann", may=[Right.SELL], lasts=timedelta(hours=1)).token

    raffle = f"/raffles/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    statuses = [
        server.request("POST", f"{raffle}/{action}/", {"participant": token}, **shown).status
        for action in ("participate", "redeem")
        for shown in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"rafflekit_pass={token}"})
    ]

    assert statuses == [404, 404, 403, 403]
    server.stop()
    written = server.log.read_text()
    assert written.count("/participate") == 2
    assert "rkp_" not in written


def test_a_token_in_an_unforeseen_error_is_removed(
    required: testing.TestClient,
    engine: RaffleEngine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    headers = bearing(engine, "Ann", Right.MANAGE)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"CODE-{headers}")

    monkeypatch.setattr(engine, "create", fail)

    answer = required.simulate_post("/raffles", remote_addr=MANAGER, json=RAFFLE, headers=headers)

    assert answer.status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert headers["Authorization"].removeprefix("Bearer rkp_") not in caplog.text
