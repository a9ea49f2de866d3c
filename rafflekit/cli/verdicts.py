"""The output of `rafflekit audit`: raffle, steps, winners and verdict; and the outcome of the self-test."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rafflekit.cli import terminal
from rafflekit.cli.words import counted
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.protocol.terms import TEXTS

if TYPE_CHECKING:
    from datetime import datetime

    from rafflekit.core.protocol.audit import AuditReport, Step
    from rafflekit.core.protocol.audit.report import AuditedWin, ComparedValues
    from rafflekit.core.protocol.terms import Terms

VALUE_NAMES = {
    "closed_list": "Closed list",
    "six_words": "Six words",
    "random_number": "Random number",
    "seed": "Seed",
    "winners_digest": "Winners' digest",
    "public_key": "Public key",
}
"""What people call the values that they compare (`ComparedValues.shape`), as the certificate of the draw calls them."""

# What to check if a step is wrong because of what was given with the proof. No sentence may reassure a person who gave
# the right thing.
_TO_CHECK = {
    "terms": "The proof is for another raffle than --raffle. Compare that id with the id of your raffle. If it is "
    "right, you have the wrong proof.",
    "key": "The proof has another key than --key. Compare --key with the key that the operator published. If they "
    "are equal, this is not that operator's proof.",
    "witnessed": "--witnessed does not fit, as its step says.",
    "leaves": "--leaves does not fit. It must be the list of all tickets' leaves, one per line, as the server sends "
    "it. If it is, someone changed it.",
    "receipt": "--receipt does not fit. It must be the whole receipt of a ticket of this raffle, as 'rafflekit "
    "receipt' prints it. If it is, the receipt and the proof contradict each other; keep both.",
    "code": "--code is not the code of the ticket in --receipt. Check it for typing mistakes, and check that the "
    "receipt belongs to the same ticket. If both are right, the operator gave you a code and a receipt that contradict "
    "each other; keep both.",
}
# The usual rule, one ticket for each address, is not an option.
_ENTRIES = {"invitation": "with an invitation code", "desk": "only from the operator"}
_WINS_SHOWN = 1_000
_MARKS = {"ok": ("✓", "green"), "wrong": ("✗", "red"), "not proven": ("–", "yellow")}


def print_report(report: "AuditReport", *, fetched: Collection[str], as_json: bool) -> None:
    """Print the steps and the verdict. The documents of the steps `fetched` come from the server, not from a person."""
    if as_json:
        terminal.say(json.dumps(report.shape()))
        return
    if report.raffle is not None:
        _print_raffle(report.raffle)
    for step in report.steps:
        mark, style = _MARKS[step.outcome]
        _say(f"{mark} {step.name}{', not proven' if mark == '–' else ''}: {step.sentence}", style=style)
    is_draw_wrong = report.first_wrong is not None and not report.first_wrong.is_mistaken
    if report.winners is not None and not is_draw_wrong:
        _print_winners(report.winners)
    if report.values is not None:
        _print_values(report.values)
    if report.first_wrong is not None:
        _say(_why_not_good(report.first_wrong, fetched=fetched), style="bold red")
    elif report.unproven:
        _say(f"Nothing is wrong. These steps rest on trust: {', '.join(report.unproven)}.", style="bold")
    else:
        _say("Everything is proven.", style="bold green")


def _print_raffle(raffle: "Terms") -> None:
    created = time_text(int(raffle.created_at.timestamp()))
    _say(f"Raffle: {quoted(raffle.name)}, {raffle.id}, created {created}")
    _say("Prizes: " + ", ".join(f"{prize.amount:,} × {quoted(prize.name)}" for prize in raffle.prizes))
    for name, rule in _rules(raffle).items():
        if rule is not None:
            _say(f"{name}: {rule}")


def _rules(raffle: "Terms") -> dict[str, str | None]:
    """Return the rules of a raffle in words; None for each option that it does not have."""
    randomness = raffle.entropy
    if raffle.delay_s is not None:
        randomness += f", {raffle.delay_s:,} s after the closing"
    if raffle.source is not None:
        randomness += f", from {quoted(raffle.source)}"
    return {
        "Randomness": randomness,
        "Entry": _ENTRIES.get(raffle.entry),
        "Tickets per participant": f"up to {raffle.tickets_each:,}" if raffle.tickets_each > 1 else None,
        "Opens": _moment(raffle.opens_at),
        "Closes": _moment(raffle.closes_at),
        "Draw planned": _moment(raffle.draw_at),
        "To redeem": None if raffle.claim_days is None else f"within {counted(raffle.claim_days, 'day')} of the draw",
        **{name.capitalize(): quoted(text) for name in TEXTS if (text := getattr(raffle, name)) is not None},
    }


def _moment(time: "datetime | None") -> str | None:
    return None if time is None else time_text(int(time.timestamp()))


def _print_winners(wins: Sequence["AuditedWin"]) -> None:
    _say("Winners by this proof (compare them with those that were announced):")
    for win in wins[:_WINS_SHOWN]:
        _say(f"  ticket {win.ticket_number:,} {win.sentence()}")
    if len(wins) > _WINS_SHOWN:
        _say(f"  … and {len(wins) - _WINS_SHOWN:,} more; --json lists them all")


def _print_values(values: "ComparedValues") -> None:
    shape = values.shape()
    _say("Values to compare with a certificate of the draw:")
    for field, name in VALUE_NAMES.items():
        if (value := shape[field]) is not None:
            _say(f"  {name}: {value}")
    _say("The closing, to compare line by line with the one that was published:")
    for line in values.closing.splitlines():
        _say(f"  {line}")


def _say(sentence: str, *, style: str = "") -> None:
    terminal.say(sentence, style=style, wraps=True)


def _why_not_good(wrong: "Step", *, fetched: Collection[str]) -> str:
    if wrong.name == "form":
        return (
            "This is not a readable proof of a draw, so it proves nothing. PROOF is what 'rafflekit proof' prints, "
            "or an address that ends with /raffles/<id>/proof/."
        )
    if wrong.is_mistaken and wrong.name not in fetched:
        # The audit continues after these, so it has checked the draw.
        is_draw_checked = wrong.name in {"witnessed", "leaves", "receipt", "code"}
        shown = "The other steps still count" if is_draw_checked else "This shows nothing for or against the draw"
        return f"{_TO_CHECK[wrong.name]} {shown}."
    return "These documents are not from an honest draw, or someone changed them since."


def try_falsified_documents(*, as_json: bool) -> bool:
    """Print how many falsified documents were refused, by step; return whether all were judged correctly."""
    from rafflekit.core.protocol.audit import STEPS
    from rafflekit.core.protocol.audit.selftest import run_selftest
    from rafflekit.core.protocol.entropy.drand import BlsMissing, require_bls

    try:
        require_bls()
        missing, why = None, ""
    except BlsMissing as error:
        missing, why = "bls", str(error)
    failures: list[str] = []
    refused: Counter[str] = Counter()
    untried = []
    with terminal.working("Trying falsified documents"):
        for trial in run_selftest(missing=missing):
            if trial.is_right is None:
                untried.append(trial.name)
            elif not trial.is_right:
                failures.append(f"{trial.step or 'honest documents'}: {trial.name}")
            elif trial.step is not None:
                refused[trial.step] += 1
    if as_json:
        outcome = {"good": not failures, "refused": refused.total(), "untried": untried, "failures": failures}
        terminal.say(json.dumps(outcome))
    else:
        for step in (step for step in STEPS if refused[step]):
            _say(f"✓ {step}: {refused[step]:,} falsified documents were refused.", style="green")
        if untried:
            _say(f"– {len(untried):,} could not be tried. {why}", style="yellow")
        for failure in failures:
            _say(f"✗ {failure}: not judged correctly.", style="red")
    return not failures
