"""`rafflekit pass`: a link that is shown once, a QR code for phones, and who redeemed what."""

import io
import json
import re
import subprocess
import sys
from datetime import timedelta

import pytest
import segno

from rafflekit import Prize, RaffleEngine, Right
from tests.cli.conftest import OnScreen, Terminal, without_styles
from tests.raffles import sell_all

DAY = timedelta(days=1)


def test_a_pass_is_made_with_a_link_that_opens_the_desk(terminal: Terminal, engine: RaffleEngine) -> None:
    made = terminal("pass make --name ' Ann ' --for 12h --may sell --may redeem --url https://raffle.example/r/")

    fields = dict(line.split(": ") for line in made.out.splitlines())
    base, _, token = fields["link"].partition("#")
    found = engine.passes.find(token)
    assert found is not None
    assert (found.name, found.may) == ("Ann", {Right.SELL, Right.REDEEM})
    assert found.expires_at - found.made_at == timedelta(hours=12)
    assert (made.status, fields["name"], fields["may"], base) == (
        *(0, "Ann", "redeem sell"),
        "https://raffle.example/r/desk/pass/",
    )
    assert "The link is shown only once." in made.err


def test_the_json_of_a_pass_has_its_token_once(terminal: Terminal) -> None:
    made = json.loads(terminal("pass make --name Ann --for 30m --may manage --json").out)

    token = made.pop("token")
    assert made.pop("link") == f"http://localhost:8080/desk/pass/#{token}"
    listed = terminal("pass list --json")
    assert json.loads(listed.out) == [made]
    assert {name: made[name] for name in ("name", "may", "state")} == {
        "name": "Ann",
        "may": ["manage"],
        "state": "valid",
    }
    assert token not in listed.out


def test_a_terminal_shows_the_link_as_a_qr_code(screen: OnScreen) -> None:
    lines = [
        line.rstrip("\r")
        for line in without_styles(screen("pass make --name Ann --for 7d --may redeem").text).split("\n")
    ]

    drawn = io.StringIO()
    segno.make_qr(lines[0]).terminal(drawn, compact=True)
    assert re.fullmatch(r"http://localhost:8080/desk/pass/#rkp_[0-9a-f]{32}", lines[0])
    assert "\n".join(lines[1:]).startswith(drawn.getvalue())


@pytest.mark.parametrize("environment", [{"COLUMNS": "40"}, {"TERM": "dumb"}])
def test_without_room_for_it_there_is_no_qr_code(screen: OnScreen, environment: dict[str, str]) -> None:
    shown = screen("pass make --name Ann --for 7d --may redeem", **environment)

    assert "/desk/pass/#rkp_" in shown.text
    assert "█" not in shown.text


def test_without_the_library_a_terminal_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['segno'] = None; sys.stdout.isatty = lambda: True; from rafflekit.cli import main; "
        "sys.exit(main(['pass', 'make', '--name', 'Ann', '--for', '7d', '--may', 'redeem']))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "/desk/pass/#rkp_" in done.stdout
    assert "A QR code needs the extra 'http'. In the clone of rafflekit, run: pip install '.[http]'" in done.stderr


def test_a_list_shows_what_is_valid_and_what_was(terminal: Terminal, screen: OnScreen, engine: RaffleEngine) -> None:
    assert "There are no desk passes yet" in terminal("pass list").err
    engine.passes.make("Ann", may=["redeem", "sell"], lasts=DAY)
    engine.passes.make("Bob", may=["manage"], lasts=DAY)

    revoked = terminal("pass revoke Bob")

    assert re.fullmatch(r"“Bob” may manage: revoked on \S+ \S+ UTC\.\n", revoked.out)
    rows = [line.split("\t") for line in terminal("pass list").out.splitlines()]
    assert [(row[0], row[1], row[4]) for row in rows] == [("Ann", "redeem sell", "valid"), ("Bob", "manage", "revoked")]
    table = without_styles(screen("pass list").text)
    assert re.search(r"│ Ann +│ redeem, sell │ .* │ valid", table)
    narrow = without_styles(screen("pass list", COLUMNS="40").text)
    assert "“Ann” may redeem and sell until" in narrow


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("make --name Ann --for 12 --may redeem", "--for: must be a time such as 30m, 12h or 7d"),
        ("make --name Ann --for 1.5h --may redeem", "--for: must be a time such as 30m, 12h or 7d"),
        ("make --name Ann --for 999999d --may redeem", "--for: must be from 1 minute to 400 days."),
        ("make --name Ann --for 0m --may redeem", "--for: must be from 1 minute to 400 days."),
        ("make --name Ann --for 7d --may draw", "--may: must be one or more of redeem, sell, manage."),
        ("make --name '' --for 7d --may redeem", "--name: must not be empty."),
        ("make --name Eve --for 7d --may redeem", "--name: a valid pass has this name"),
        ("make --name Ann --for 7d --may redeem --url here", "--url: must be the address of a server"),
        ("make --name Ann --for 7d", "Missing option '--may'"),
        ("revoke Ann", "NAME: no valid pass has this name. Valid: “Eve”."),
    ],
)
def test_what_is_wrong_with_a_pass_is_named(terminal: Terminal, engine: RaffleEngine, line: str, sentence: str) -> None:
    before = [engine.passes.make("Eve", may=["redeem"], lasts=DAY).desk_pass]

    refused = terminal(f"pass {line}")

    assert (refused.status, refused.out) == (2, "")
    assert sentence in refused.err
    assert engine.passes.list() == before


def test_winners_show_who_redeemed_and_who_forfeited(
    terminal: Terminal, screen: OnScreen, engine: RaffleEngine
) -> None:
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug", 2)])
    tickets = {ticket.number: ticket for ticket in sell_all(engine, raffle)}
    first, second = (win.ticket_number for win in engine.draw(raffle.id))
    engine.redeem(raffle.id, first, tickets[first].verification_code, by="Ann")
    engine.forfeit(raffle.id, second, why="disqualified", reason="a relative", by="Bob")

    plain, shown = terminal("winners Foobar").out, without_styles(screen("winners Foobar", COLUMNS="200").text)
    results = json.loads(terminal("winners Foobar --json").out)["results"]

    assert [(win.get("redeemed_by"), win.get("forfeited_by")) for win in results] == [
        *(("Ann", None), (None, "Bob")),
        (None, None),
    ]
    assert "\tredeemed_by: Ann\n" in plain
    assert "\tforfeited_by: Bob\n" in plain
    assert re.search(r"redeemed on \S+ \S+ UTC by “Ann”", shown)
    assert re.search(r"forfeited on \S+ \S+ UTC by “Bob” \(disqualified\): a relative", shown)
