"""Small random changes of documents: of JSON, of the text of a note, of its signatures."""

import copy
import re
from random import Random
from typing import Any

_LETTERS = "0aA=/+\n —\u202e\u00a0\x1f✓\"'"
_WORDS = ("none", "unclaimed", "renounced", "disqualified", "0", "1", "closed", "cancelled", "reason", "x" * 201)


def changed_document(rng: Random, document: Any) -> Any:
    """Return JSON with one value changed, removed, added, doubled or moved."""
    changed = copy.deepcopy(document)
    place: Any = changed
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return changed
        key = rng.choice(keys)
        value = place[key]
        if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
            break
        place = value
    choice = rng.random()
    if choice < 0.15:
        place.pop(key)
    elif choice < 0.3 and isinstance(place, list):
        place.insert(rng.randint(0, len(place)), place[key])
    elif choice < 0.3:
        name = rng.choice(["entry", "claim_days", "delay_s", "source", "closes_at", "tickets_each", "price", "comment"])
        place[name] = rng.choice(["desk", "address", 1, 2, 5, "1999-01-01T00:00:00Z", None])
    else:
        place[key] = _other(rng, value)
    return changed


def _other(rng: Random, value: Any) -> Any:
    anything: list[Any] = [
        None,
        True,
        False,
        "",
        "\ud800",
        0,
        1,
        10**12,
        10**12 + 1,
        [],
        {},
        "x" * 201,
        "\u3000 ",
        "a  b",
    ]
    if type(value) is int:
        return rng.choice([value + 1, value + 1, max(0, value - 1), max(0, value - 1), float(value), *anything[:9]])
    if isinstance(value, str) and value:
        return changed_text(rng, value) if rng.random() < 0.7 else rng.choice(anything)
    return rng.choice(anything)


def changed_text(rng: Random, text: str) -> str:
    """Return a text with a number, a word, a line or a character changed."""
    lines = text.split("\n")
    line = rng.randrange(len(lines))
    choice = rng.random()
    if choice < 0.6:
        return changed_number(rng, text)
    if choice < 0.7:
        words = lines[line].split(" ")
        words[rng.randrange(len(words))] = rng.choice(_WORDS)
        lines[line] = " ".join(words)
    elif choice < 0.75:
        other = rng.randrange(len(lines))
        lines[line], lines[other] = lines[other], lines[line]
    elif choice < 0.8:
        lines.insert(line, lines[line])
    elif choice < 0.85:
        lines.pop(line)
    else:
        at = rng.randrange(len(text) + 1)
        return text[:at] + rng.choice(["", rng.choice(_LETTERS)]) + text[at + rng.randint(0, 1) :]
    return "\n".join(lines)


def changed_number(rng: Random, text: str) -> str:
    """Return a text with one number changed, if it has one that is a word by itself."""
    found = list(re.finditer(r"(?<![^ \n])[0-9]+(?![^ \n])", text))
    if not found:
        return text + rng.choice(_LETTERS)
    at = rng.choice(found)
    number = int(at[0])
    other = rng.choice([number + 1, number - 1, number + 3, 0, 1, 10**12, 10**12 + 1, f"0{number}", number + 86_400])
    return text[: at.start()] + str(other) + text[at.end() :]


def changed_signature(rng: Random, note: str) -> str:
    """Return a note with one of its signature lines changed, doubled or removed."""
    text, _, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines()
    place = rng.randrange(len(lines))
    choice = rng.choice(["double", "remove", "change"])
    if choice == "double":
        lines.append(lines[place])
    elif choice == "remove":
        lines.pop(place)
    else:
        lines[place] = lines[place][:-9] + rng.choice("ABCD") + lines[place][-8:]
    return f"{text}\n\n" + "".join(f"{line}\n" for line in lines)
