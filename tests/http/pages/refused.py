"""Wrong input to every form and page: tables of requests that are refused, and the raffles to which they go.

Names in braces are the raffles' ids, and the tickets' numbers and codes.
"""

from typing import Any, NamedTuple

from rafflekit import Prize, RaffleEngine, Ticket
from rafflekit.core import limits
from tests.http.conftest import MANAGER, PROXY, Clock

VISITOR = "192.0.2.9"
NO_RAFFLE = "00000000-0000-4000-8000-000000000000"


class Wrong(NamedTuple):
    """A request that is refused: a form, or a GET without one.

    `may` are the rights of the desk pass that it shows to a service that requires one: "" for none, "unknown" for a
    pass that is not known. None goes to a service that requires none. A header that is None is not sent.
    """

    path: str
    form: dict[str, Any] | None = None
    source: str = MANAGER
    headers: dict[str, str | None] = {}  # noqa: RUF012 - a NamedTuple
    may: str | None = None
    environ: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple
    method: str = ""


_NEW = {"name": "Fair", "total_tickets": "5", "prizes": "hamper"}
_ANNOUNCED = _NEW | {"price": "£1", "promoter": "Club", "draw_at": "2999-01-01T00:00"}


def _new(**changed: str) -> Wrong:
    return Wrong("/desk/new/", _NEW | changed)


def _desk(raffle: str, action: str, **form: str) -> Wrong:
    return Wrong(f"/desk/raffles/{{{raffle}}}/{action}/", form)


def _api(raffle: str, action: str, **form: str) -> Wrong:
    return Wrong(f"/raffles/{{{raffle}}}/{action}/", form)


def _ticket(who: str, **more: str) -> dict[str, str]:
    return {"ticket_number": f"{{{who}_number}}", "verification_code": f"{{{who}_code}}"} | more


NEW_RAFFLES = (
    Wrong("/desk/new/", {}),
    Wrong("/raffles/", {"name": "Fair"}),
    Wrong("/raffles/", _NEW | {"idempotency_key": "short"}),
    Wrong("/raffles/", _NEW | {"idempotency_key": "a key of sixteen…"}),
    _new(name="n" * 1201),
    _new(name="a\x07b"),
    _new(name="\u200b"),
    _new(total_tickets="many"),
    _new(total_tickets="0"),
    _new(total_tickets="9" * 20),
    _new(total_tickets="1", prizes="a\nb"),
    _new(prizes="a: 3\nb: 3"),
    _new(prizes="a: 1000000000000\nb"),
    _new(total_tickets="1", prizes="a: 1000000000000\nb"),
    _new(prizes="a: 99999999999999"),
    _new(prizes="tea: -1"),
    _new(prizes="a: 0"),
    _new(prizes="a" * 300),
    _new(total_tickets="2000000", prizes="a: 1500000"),
    _new(total_tickets="2000", prizes="\n".join(map(str, range(1001)))),
    _new(tickets_each="5000"),
    _new(entry="everyone"),
    _new(entropy="luck"),
    _new(entropy="announced"),
    _new(entropy="drand-quicknet"),
    _new(entropy="drand-quicknet", delay_s="999999999"),
    _new(claim_days="0"),
    _new(closes_at="tomorrow"),
    _new(closes_at="2999-03-31T02:30", closes_at_offset="skipped"),
    _new(prizes="-1 hampers"),
    _new(closes_at="2020-01-01T00:00"),
    _new(opens_at="1970-01-01T00:00", opens_at_offset="+05:00"),
    _new(opens_at="2999-01-01T00:00", closes_at="2998-01-01T00:00"),
    _new(draw_at="2998-01-01T00:00", closes_at="2999-01-01T00:00"),
    Wrong("/desk/new/", {**_ANNOUNCED, "promoter": ""}),
    Wrong("/desk/new/", {**_ANNOUNCED, "draw_at": ""}),
    Wrong("/desk/new/", _NEW | {"name": ["a", "b"]}),
)
"""Forms of a new raffle."""

DESK = (
    Wrong("/desk/raffles/{one}/edit/", _NEW),
    Wrong("/desk/raffles/{one}/edit/", _NEW | {"shown": "{one_terms}"}),
    Wrong("/desk/raffles/{sold}/edit/", _NEW | {"shown": "{sold_terms}"}),
    Wrong("/desk/raffles/{cancelled}/edit/", _NEW | {"shown": "{cancelled_terms}"}),
    Wrong(f"/desk/raffles/{NO_RAFFLE}/edit/", _NEW),
    _api("empty", "close"),
    _api("one", "close"),
    _api("sold", "close"),
    _api("closed", "close"),
    _api("drawn", "close"),
    _api("cancelled", "close"),
    _api("empty", "cancel", reason=" "),
    _api("drawn", "cancel", reason="rain"),
    _api("cancelled", "cancel", reason="rain"),
    _api("closed", "winners", confirm="Fete"),
    _api("announced", "winners", confirm="announced"),
    _api("empty", "winners", confirm="empty"),
    _api("drawn", "winners", confirm="drawn"),
    _api("cancelled", "winners", confirm="cancelled"),
    _api("empty", "participate", at_desk="true"),
    _api("empty", "participate", at_desk="true", participant="\u200b"),
    _api("empty", "participate", at_desk="yes"),
    _api("upcoming", "participate", at_desk="true", participant="Ann"),
    _api("one", "participate", at_desk="true", participant="guest 0"),
    _api("twice", "participate", at_desk="true", participant="guest 0"),
    _api("closed", "participate", at_desk="true", participant="Ann"),
    _api("cancelled", "participate", at_desk="true", participant="Ann"),
    _desk("empty", "invitations", first="1", count="5"),
    _desk("desk", "invitations", first="1", count="5"),
    _desk("invited", "invitations", first="0", count="5"),
    _desk("invited", "invitations", first="1", count="500"),
    _desk("invited", "invitations", first="1", count="9999999", as_file="true"),
    Wrong("/desk/pass/", {"token": "guessed"}),
)
"""Forms of the desk until the draw."""

PRIZES = (
    _desk("drawn", "redeem", scan="what?"),
    _desk("drawn", "redeem", scan="7 WRONG-CODE"),
    _desk("drawn", "redeem", scan=f"http://127.0.0.1/raffles/{NO_RAFFLE}/#t=1&c=X"),
    _desk("drawn", "redeem", ticket_number="7"),
    _desk("drawn", "redeem", ticket_number="x", verification_code="X"),
    _desk("closed", "redeem", scan="7 WRONG-CODE"),
    _desk("cancelled", "redeem", scan="7 WRONG-CODE"),
    _api("drawn", "redeem", verification_code="X"),
    _api("drawn", "redeem", ticket_number="x", verification_code="X"),
    _api("drawn", "redeem", ticket_number="1", verification_code="X", undo="x"),
    _api("drawn", "redeem", **_ticket("loser")),
    _api("drawn", "redeem", **_ticket("redeemed")),
    _api("drawn", "redeem", **_ticket("renounced")),
    _api("drawn", "redeem", **_ticket("winner", undo="true")),
    _desk("drawn", "forfeit"),
    _desk("drawn", "forfeit", ticket_number="{winner_number}"),
    _desk("drawn", "forfeit", ticket_number="{winner_number}", why="bored"),
    _desk("drawn", "forfeit", ticket_number="{winner_number}", why="unclaimed"),
    _desk("drawn", "forfeit", ticket_number="{winner_number}", why="renounced"),
    _desk("drawn", "forfeit", ticket_number="{winner_number}", why="disqualified"),
    _desk("drawn", "forfeit", ticket_number="999", why="unclaimed"),
    _api("drawn", "forfeit", ticket_number="{loser_number}", why="unclaimed"),
    _api("drawn", "forfeit", ticket_number="{unclaimed_number}", why="unclaimed"),
    _api("nodeadline", "forfeit", ticket_number="{passed_number}", why="unclaimed"),
    Wrong("/desk/raffles/{nodeadline}/unclaimed/", {}),
)
"""Forms about prizes."""

LATER = (
    _api("drawn", "redeem", **_ticket("winner")),
    _api("drawn", "redeem", **_ticket("redeemed", undo="true")),
    Wrong("/desk/raffles/{empty}/edit/", _NEW | {"closes_at": "2023-08-24T00:00", "shown": "{empty_terms}"}),
)
"""Forms that are refused two days after the draw."""

LISTS = (
    Wrong("/raffles/?page=x"),
    Wrong("/raffles/?page=0"),
    Wrong("/raffles/?page=99"),
    Wrong("/raffles/?page=1&page=2"),
    Wrong("/raffles/?page_size=9999"),
    Wrong("/raffles/?winners_drawn=maybe"),
    Wrong("/raffles/?state=x"),
    Wrong(f"/raffles/?name={'x' * 300}"),
    Wrong("/raffles/{drawn}/winners/?page=x"),
    Wrong("/raffles/{drawn}/winners/?queue=x"),
    Wrong("/raffles/{drawn}/winners/?page=99"),
    Wrong("/desk/?page=x"),
    Wrong("/desk/raffles/{drawn}/winners/?unredeemed=x"),
    Wrong("/desk/raffles/{drawn}/queue/?page=99"),
    *(Wrong(f"/raffles/{NO_RAFFLE}/{page}") for page in ("", "live/", "poster/", "proof/", "winners/")),
    Wrong("/raffles/{empty}/ledger/"),
    Wrong("/raffles/{drawn}/ledger/proof/"),
    Wrong("/raffles/{drawn}/ledger/consistency/?from=3&to=2"),
    Wrong("/raffles/{drawn}/ledger/leaves/?to=99"),
    Wrong("/metrics", environ={"wsgi.multiprocess": "yes"}),
    Wrong("/metrics", source=VISITOR),
    Wrong("/raffles/x/"),
    Wrong("/nothing/"),
)
"""Lists with wrong pages, addresses of the API in a browser, and pages that do not exist."""

TICKETS = (
    _api("empty", "participate", idempotency_key="short"),
    _api("closed", "participate"),
    _api("cancelled", "participate"),
    _api("upcoming", "participate"),
    _api("desk", "participate"),
    _api("invited", "participate", invitation="guessed"),
    Wrong(f"/raffles/{NO_RAFFLE}/participate/", {}),
    _api("drawn", "verify-ticket"),
    _api("drawn", "verify-ticket", ticket_number="7", verification_code="X"),
    _api("closed", "verify-ticket", ticket_number="7", verification_code="X"),
    Wrong(f"/raffles/{NO_RAFFLE}/verify-ticket/", {"ticket_number": "7"}),
)
"""Forms of participants."""

_TAKE = "/raffles/{empty}/participate/"

ACCESS = (
    Wrong("/desk/", source=VISITOR),
    Wrong("/desk/new/", {}, source=VISITOR),
    Wrong("/desk/", source=PROXY),
    Wrong("/desk/", headers={"X-Forwarded-For": VISITOR}),
    Wrong("/desk/", source=PROXY, headers={"X-Forwarded-For": f"{VISITOR}, {MANAGER}"}),
    Wrong("/desk/", environ={"SERVER_PROTOCOL": "HTTP/1.0"}),
    Wrong(_TAKE, {}, source="localhost"),
    Wrong(_TAKE, {}, source=PROXY),
    Wrong(_TAKE, {}, source=PROXY, headers={"X-Forwarded-For": "someone"}),
    Wrong("/desk/", may=""),
    Wrong("/desk/", may="unknown"),
    Wrong("/desk/raffles/{empty}/tickets/", may="redeem"),
    Wrong("/desk/new/", may="redeem"),
    Wrong("/desk/raffles/{drawn}/redeem/", may="sell"),
    Wrong("/desk/new/", may="sell"),
    Wrong("/desk/new/", may="redeem sell"),
    Wrong(_TAKE, {}, headers={"Host": "evil.example"}),
    Wrong(_TAKE, {}, headers={"Origin": "http://evil.example"}),
    Wrong(_TAKE, {}, headers={"Origin": None}),
    Wrong(_TAKE, {}, headers={"Sec-Fetch-Site": "cross-site"}),
)
"""Requests of those who may not."""

HTTP = (
    Wrong("/desk/", method="DELETE"),
    Wrong("/raffles/", method="POST"),
    Wrong("/desk/new/", {"name": "x" * (limits.CREATE_BODY_BYTES + 1)}),
    Wrong("/desk/new/", {}, headers={"Content-Type": "application/json"}, environ={"CONTENT_LENGTH": "2"}),
    Wrong("/desk/new/", _NEW, headers={"Content-Type": "application/json"}),
    Wrong("/desk/new/", _NEW, environ={"CONTENT_LENGTH": "999"}),
    Wrong("/desk/new/", {str(number): "x" for number in range(limits.FORM_FIELDS + 1)}),
)
"""Requests that no page sends."""


def fill(engine: RaffleEngine, clock: Clock) -> dict[str, str]:
    """Create the raffles; return what the names in braces stand for."""
    given = {
        "empty": _raffle(engine, "empty", prizes=1),
        "one": _raffle(engine, "one", sold=1, prizes=2),
        "sold": _raffle(engine, "sold", sold=2, prizes=3),
        "twice": _raffle(engine, "twice", sold=1, tickets_each=2),
        "upcoming": _raffle(engine, "upcoming", opens_at=clock.later(days=30)),
        "desk": _raffle(engine, "desk", entry="desk"),
        "invited": _raffle(engine, "invited", entry="invitation"),
        "announced": _raffle(engine, "announced", sold=2, entropy="announced", source="Ten dice"),
        "closed": _raffle(engine, "closed", sold=2),
        "cancelled": _raffle(engine, "cancelled"),
        "nodeadline": _raffle(engine, "nodeadline", sold=2),
        "drawn": _raffle(engine, "drawn", prizes=4, claim_days=1),
    }
    given |= {f"{name}_terms": engine.get(raffle).terms.hash().hex() for name, raffle in given.items()}
    engine.participate(given["twice"], "guest 0")
    engine.cancel(given["cancelled"], "Rain.")
    for name in ("announced", "closed", "nodeadline"):
        engine.close_raffle(given[name])
    passed = engine.draw(given["nodeadline"])[0].ticket_number
    engine.forfeit(given["nodeadline"], passed, why="unclaimed")
    tickets = [engine.participate(given["drawn"], f"guest {number}") for number in range(8)]
    engine.close_raffle(given["drawn"])
    by_number = {ticket.number: ticket for ticket in tickets}
    won = [by_number[win.ticket_number] for win in engine.draw(given["drawn"])]
    winner, redeemed, renounced, unclaimed = won
    engine.redeem(given["drawn"], redeemed.number, redeemed.verification_code)
    engine.forfeit(given["drawn"], renounced.number, why="renounced", verification_code=renounced.verification_code)
    engine.forfeit(given["drawn"], unclaimed.number, why="disqualified", reason="Found in the bin.")
    heirs = {win.ticket_number for win in engine.winners(given["drawn"]).items}
    loser = next(ticket for ticket in tickets if ticket.number not in heirs)
    people = {"winner": winner, "redeemed": redeemed, "renounced": renounced, "unclaimed": unclaimed, "loser": loser}
    given["passed_number"] = str(passed)
    for name, ticket in people.items():
        given |= {f"{name}_number": str(ticket.number), f"{name}_code": ticket.verification_code}
    return given


def _raffle(engine: RaffleEngine, name: str, *, sold: int = 0, prizes: int = 1, **options: Any) -> str:
    raffle = engine.create(name, total_tickets=20, prizes=[Prize("hamper", prizes)], **options)
    for outcome in engine.participate_many(raffle.id, [f"guest {number}" for number in range(sold)]):
        assert isinstance(outcome, Ticket)
    return str(raffle.id)
