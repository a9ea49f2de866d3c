"""The certificate of a draw, as HTML and on paper: it never says more than the audit proved."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rafflekit import Prize
from rafflekit.cli.verdicts import VALUE_NAMES
from rafflekit.core.certificates import audited_draw
from rafflekit.core.protocol.audit import NOT_PROVEN, leaves
from rafflekit.core.protocol.audit.form import read_parts
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import base64_of
from rafflekit.html.paper.certificate import certificate
from tests.html.paper.fairs import (
    HOSTILE,
    PRIZES,
    PROOF_ADDRESS,
    SIGNATURE,
    TERMS,
    Fair,
    printed,
    qr_codes_on,
    sizes_of,
    text_of,
    words_on,
)
from tests.http.pages.browser import NewPage


def section(html: str, name: str) -> str:
    """Return what people read of the first element of a class."""
    return text_of(html.split(f'class="{name}"', 1)[1].split("</ul>", 1)[0])


def step_names(html: str, which: str) -> list[str]:
    """Return the steps of a certificate that are proven, or open."""
    return [name for _, name in steps_of(html, which)]


def steps_of(html: str, which: str) -> list[tuple[str, str]]:
    """Return the sentences of a certificate about steps that are proven, or open, each with its step."""
    shown = html.split(f'<ul class="{which}">')[1].split("</ul>", maxsplit=1)[0]
    found = re.findall(r"<li>(.*?) <code>(\w+)</code></li>", shown, re.DOTALL)
    assert len(found) == shown.count("<li>")
    return [(text_of(sentence), name) for sentence, name in found]


def test_a_certificate_shows_the_raffle_and_its_draw(fair: Fair) -> None:
    raffle, _ = fair.drawn(entropy="drand-quicknet")

    html = fair.certificate(raffle)

    text, proof = text_of(html), fair.engine.proofs.proof(raffle.id)
    words = fair.engine.proofs.words(raffle)
    assert words is not None
    for shown in (
        *("Summer fair", str(raffle.id), "40 of 40 handed out", "round 1,000", SIGNATURE, " ".join(words)),
        *(proof.seed.hex(), proof.key, read_parts(json.dumps(proof.shape())).draw.note.text.split()[-1]),
        *(value for value in TERMS.values() if isinstance(value, str)),
        *(f"{prize.name} " for prize in PRIZES),
        "The list has 40 tickets.",
        "The proof lists no prize that passed on. By the organiser's records, which prove nothing, no prize was",
        "rafflekit audit --leaves server with this address",
    ):
        assert shown in text
    closing_hash = base64_of(read_parts(json.dumps(proof.shape())).closed.checkpoint.closing_hash())
    assert f"Closed list{closing_hash}" in text
    assert " · ".join(map(str, fair.numbers(raffle)[3:])) in text
    assert f"{PROOF_ADDRESS}. The page checks the draw in the browser, with all tickets if you ask for them." in text
    assert "<svg" in html
    assert "<svg" not in fair.certificate(raffle, address=None)
    assert not re.search(r"src=|<link rel=\"stylesheet|url\(", html)


@pytest.mark.parametrize(
    ("terms", "proven", "unproven"),
    [
        (
            {"entropy": "drand-quicknet"},
            ["form", "closing", "entropy", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "witnessed"],
        ),
        (
            {"entropy": "announced", "source": "Lotto of 5 December", "value": "3 17 22"},
            ["form", "closing", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "entropy", "witnessed"],
        ),
        (
            {"entropy": "secrets"},
            ["form", "closing", "seed", "winners", "leaves", "forfeits"],
            ["terms", "key", "witnesses", "entropy", "witnessed"],
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_certificate_calls_proven_what_the_audit_proved(
    fair: Fair, language: str, terms: dict[str, Any], proven: list[str], unproven: list[str]
) -> None:
    raffle, _ = fair.drawn(**terms)

    html = fair.certificate(raffle, language)

    steps = {name: step_names(html, name) for name in ("proven", "open")}
    # Only a receipt shows that a ticket is in the list.
    assert steps == {"proven": proven, "open": [*unproven, "receipt"]}
    sentences = [sentence for which in ("proven", "open") for sentence, _ in steps_of(html, which)]
    assert all(re.fullmatch(r"\w.*\.", sentence) for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
    assert not re.search("future|Zukunft", " ".join(sentences))


def test_a_certificate_of_secrets_says_that_trust_is_needed(fair: Fair) -> None:
    raffle, _ = fair.drawn(entropy="secrets")

    assert "Only the organiser says that this happened once, and after the closing." in section(
        fair.certificate(raffle), "open"
    )


def test_a_certificate_without_a_server_names_two_files(fair: Fair) -> None:
    raffle, _ = fair.drawn()

    text = text_of(fair.certificate(raffle, address=None))

    assert "two files: the proof, and the list of all tickets, which rafflekit proof --leaves writes" in text
    assert "rafflekit audit PROOF --leaves FILE checks them" in text
    assert "so does python3 verify_draw.py PROOF --leaves FILE." in text
    # The page does not give the list of all tickets as a file.
    assert "verify_draw.py" not in fair.certificate(raffle)


def test_a_certificate_follows_prizes_that_passed_on(fair: Fair) -> None:
    raffle, tickets = fair.drawn()
    first, second, *_ = fair.numbers(raffle)
    fair.engine.redeem(raffle.id, second, tickets[second].verification_code)
    heir = fair.engine.forfeit(raffle.id, first, why="disqualified", reason=HOSTILE)
    assert heir is not None

    html = fair.certificate(raffle)

    assert (
        "By the proof, 1 prize passed on to another ticket, none lapsed. "
        "By the organiser's records, which prove nothing, 1 prize was collected."
    ) in text_of(html)
    assert re.search(
        rf"Bicycle: from ticket {first} to ticket {heir.ticket_number}, [-0-9: ]+UTC \(winner disqualified – <script",
        text_of(html),
    )
    assert f"<s>{first}</s>*" in html
    assert f"{first}* Dinner for two" in text_of(html)
    assert "* This ticket has lost its prize. “Since the draw” says what became of the prize." in text_of(html)
    assert "Why prizes passed on" in section(html, "open")
    assert "Prizes that passed on went to the next tickets of the draw, in order. forfeits" in section(html, "proven")
    assert "next tickets" not in section(html, "open")
    assert "\u202e" not in html


def test_a_certificate_ignores_what_happens_after_its_proof(fair: Fair, monkeypatch: pytest.MonkeyPatch) -> None:
    raffle, tickets = fair.drawn()
    first, second, *_ = fair.numbers(raffle)
    leaves = fair.engine.proofs.leaves

    def meanwhile(raffle_id: UUID | str) -> Iterator[Leaf]:
        fair.engine.forfeit(raffle_id, first, why="disqualified", reason="a relative")
        fair.engine.redeem(raffle_id, second, tickets[second].verification_code)
        return leaves(raffle_id)

    monkeypatch.setattr(fair.engine.proofs, "leaves", meanwhile)

    text = text_of(fair.certificate(raffle))

    assert "The proof lists no prize that passed on. By the organiser's records, which prove nothing, no prize" in text
    assert "a relative" not in text


def test_a_lapsed_prize_was_lost_by_the_last_ticket(fair: Fair) -> None:
    raffle, _ = fair.drawn(12)
    fair.engine.forfeit(raffle.id, fair.numbers(raffle)[0], why="disqualified", reason="a relative")

    html = fair.certificate(raffle)

    assert ("Prizes lapsed only because no ticket was left to take them over.", "forfeits") in steps_of(html, "proven")
    assert "By the proof, no prize passed on to another ticket, 1 lapsed." in text_of(html)


def test_a_certificate_counts_a_prize_that_passed_on_again(fair: Fair) -> None:
    raffle, _ = fair.drawn(80, prizes=[Prize("tea", 30)])
    first, *others = fair.numbers(raffle)
    for _ in range(2):
        heir = fair.engine.forfeit(raffle.id, first, why="disqualified", reason="a relative")
        assert heir is not None
        first = heir.ticket_number
    for number in others:
        fair.engine.forfeit(raffle.id, number, why="disqualified", reason="a relative")

    text = text_of(fair.certificate(raffle))

    assert "By the proof, 30 prizes passed on to other tickets (31 times in all), none lapsed." in text
    assert "“Since the draw” lists the first 30 such cases, and the proof all of them." in text
    assert "and 1 more" in text


def test_a_certificate_of_many_winners_shows_the_first(fair: Fair) -> None:
    raffle, _ = fair.drawn(1_100, prizes=[Prize("tea", 1_001)])

    text = text_of(fair.certificate(raffle))

    assert "These are the first 60 of 1,001 winners, in draw order." in text
    assert " · ".join(f"{number:,}" for number in fair.numbers(raffle)[:60]) + " These" in text


def test_a_certificate_says_which_dates_are_in_doubt(fair: Fair) -> None:
    raffle, _ = fair.drawn()
    fair.engine.forfeit(raffle.id, fair.numbers(raffle)[0], why="disqualified", reason="a relative")
    honest = fair.certificate(raffle)
    fair.now -= timedelta(days=3)

    html = fair.certificate(raffle)

    future = "is right. By the clock of the computer that audited, it is in the future."
    assert set(steps_of(html, "open")) - set(steps_of(honest, "open")) == {
        (f"That the time of the closing {future}", "closing"),
        (f"That the time of the draw {future}", "winners"),
        (f"That the time at which the last prize was lost {future}", "forfeits"),
    }
    # What was checked apart from the dates stays proven.
    assert steps_of(html, "proven") == steps_of(honest, "proven")


def test_a_clock_that_is_hours_slow_raises_no_doubt(fair: Fair) -> None:
    raffle, _ = fair.drawn()
    fair.engine.forfeit(raffle.id, fair.numbers(raffle)[0], why="disqualified", reason="a relative")
    fair.now -= timedelta(hours=5)

    assert "in the future" not in fair.certificate(raffle)


def test_a_certificate_says_if_numbers_were_not_compared(fair: Fair, monkeypatch: pytest.MonkeyPatch) -> None:
    raffle, _ = fair.drawn()
    monkeypatch.setattr(leaves, "COUNTED", 1)
    monkeypatch.setattr(leaves, "IN_BITS", 1)

    html = fair.certificate(raffle)

    open_sentence = "That no ticket number occurs twice. They were too many to be compared here."
    assert (open_sentence, "leaves") in steps_of(html, "open")
    assert ("The tickets are the ones of the closed list.", "leaves") in steps_of(html, "proven")


def test_a_certificate_doubts_a_loss_without_a_deadline(fair: Fair) -> None:
    raffle, _ = fair.drawn(claim_days=None)
    fair.engine.forfeit(raffle.id, fair.numbers(raffle)[0], why="unclaimed")

    found = [sentence for sentence, name in steps_of(fair.certificate(raffle), "open") if name == "forfeits"]

    assert found == [
        "Why prizes passed on or lapsed, and that no such case is missing. Only the organiser says so.",
        "That a prize could be lost because it was not collected. At least one was, "
        "although no deadline was announced.",
    ]


@pytest.mark.parametrize(
    ("names", "is_in_columns"),
    [(["a", "b", "c", "d"], False), (["a", "b", "c", "d", "e" * 60], True), (["a", "b", "c", "d", "e" * 61], False)],
)
def test_many_prizes_with_short_names_are_in_columns(fair: Fair, names: list[str], *, is_in_columns: bool) -> None:
    raffle, _ = fair.drawn(prizes=[Prize(name) for name in names])

    assert ('<ul class="columns">' in fair.certificate(raffle)) == is_in_columns


def test_a_german_certificate_has_the_names_of_the_audit(fair: Fair) -> None:
    raffle, _ = fair.drawn()

    names = [unescape(name) for name in re.findall(r'<small lang="en">(.*?)</small>', fair.certificate(raffle, "de"))]

    assert names == [name for value, name in VALUE_NAMES.items() if value != "six_words"]


def test_a_certificate_counts_a_single_ticket(fair: Fair) -> None:
    raffle, _ = fair.drawn(1, prizes=PRIZES[:1])

    assert "1 winner was drawn from a closed list. The list has 1 ticket." in text_of(fair.certificate(raffle))
    assert "Die Liste hat 1 Los." in text_of(fair.certificate(raffle, "de"))


def test_a_certificate_shows_winners_without_their_forfeits(fair: Fair) -> None:
    """A proof does not list more than 1,000 forfeits, and the audit then says of no one that they have a prize."""
    raffle, _ = fair.drawn()
    audited = audited_draw(fair.engine, raffle.id)

    html = certificate(replace(audited, report=replace(audited.report, winners=None)), "en")

    assert " · ".join(map(str, fair.numbers(raffle)[3:])) in text_of(html)
    assert "The proof does not list the prizes that passed on." in text_of(html)


def test_what_an_audit_could_not_check_is_said_in_german(fair: Fair) -> None:
    """Without the extra for drand, and with more forfeits than a proof lists."""
    raffle, _ = fair.drawn(entropy="drand-quicknet")
    audited = audited_draw(fair.engine, raffle.id)
    unchecked = [
        replace(step, outcome=NOT_PROVEN, doubts=()) if step.name in {"entropy", "forfeits"} else step
        for step in audited.report.steps
    ]

    html = certificate(replace(audited, report=replace(audited.report, steps=unchecked, winners=None)), "de")

    assert "Ihre Signatur wurde hier nicht geprüft. entropy" in section(html, "open")
    assert "Der Nachweis führt sie nicht auf, weil es zu viele sind. forfeits" in section(html, "open")


@pytest.mark.browser
def test_long_prize_names_get_most_of_the_width(fair: Fair, new_page: NewPage, tmp_path: Path) -> None:
    prizes = [Prize(f"{place} {'A WEEKEND FOR TWO WITH BREAKFAST ' * 5}", 9) for place in range(6)]
    raffle, _ = fair.drawn(60, prizes=prizes)
    page = new_page()

    printed(page, fair.certificate(raffle, "de"), tmp_path)

    widths = "['.winners li', '.prize'].map((name) => document.querySelector(name).getBoundingClientRect().width)"
    whole, name = page.run(widths)
    assert name > whole * 0.65


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "de"])
def test_an_ordinary_certificate_is_one_sheet_of_a4(
    fair: Fair, new_page: NewPage, tmp_path: Path, language: str
) -> None:
    page = new_page()
    few = [*PRIZES, Prize("Weekend for two in Brighton")]
    many = [*few, Prize("Picnic for four by the mill pond"), Prize("Box of apples", 5), Prize("Tin of biscuits", 3)]
    for source in ("drand-quicknet", "secrets", "announced"):
        dice = {"source": "ten dice, rolled on stage, read from left to right", "value": "3 1 6 2 5 4 4 1 2 6"}
        prizes = many if source == "announced" else few
        raffle, _ = fair.drawn(prizes=prizes, entropy=source, **dice if source == "announced" else {})
        for number in fair.numbers(raffle)[:2]:
            fair.engine.forfeit(raffle.id, number, why="disqualified", reason="a member of the organising committee")
        for address in (None, PROOF_ADDRESS):
            paper = printed(page, fair.certificate(raffle, language, address=address), tmp_path)

            assert sizes_of(paper) == {(595, 842)}
            assert len(paper) == 1
            assert "rafflekitaudit" in words_on(paper[0])
            assert qr_codes_on(paper[0]) == ([] if address is None else [address])
