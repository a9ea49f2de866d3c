"""Documents with a wrong form, other terms or another key."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

from rafflekit.core.protocol.notes import OPERATOR, base64_of
from tests.tamper.making.cases import Base, Case, Given, bases, flipped
from tests.vectors.examples import signer, witness

Edit = Callable[[dict[str, Any]], object]

_TOO_MANY_KINDS = [{"name": "tea", "amount": 1}] * 1_001


def form_cases() -> Iterator[Case]:
    """Yield what step 1 has to refuse."""
    drand, secrets = bases()["drand"], bases()["secrets"]
    text = drand.given.proof
    for name, given in _texts(drand).items():
        yield Case(name, "form", "drand", given)
    for name, edit in (_fields() | _limits() | _notes(drand)).items():
        yield Case(name, "form", "drand", drand.edited(edit))
    yield Case(
        "delay_s with secrets", "form", "secrets", secrets.edited(lambda proof: proof["terms"].update(delay_s=60))
    )
    yield Case("no draw with secrets", "form", "secrets", secrets.changed(draw=None))
    yield Case("two proofs in one", "form", "drand", drand.written(f"{text}\n{text}"))


def terms_cases() -> Iterator[Case]:
    """Yield what step 2 has to refuse."""
    drand, secrets = bases()["drand"], bases()["secrets"]
    edits: dict[str, Edit] = {
        "prizes in another order": lambda terms: terms["prizes"].reverse(),
        "a prize renamed": lambda terms: terms["prizes"][0].update(name="invisibility (used)"),
        "another amount": lambda terms: terms["prizes"][1].update(amount=4),
        "a prize more": lambda terms: terms["prizes"].append({"name": "tea", "amount": 1}),
        "the raffle renamed": lambda terms: terms.update(name=terms["name"] + "!"),
        "an id with another bit": lambda terms: terms.update(id=terms["id"][:-1] + "0"),
        "created a second later": lambda terms: terms.update(created_at="2023-08-23T15:00:01Z"),
        "a ticket more": lambda terms: terms.update(total_tickets=21),
        "another delay": lambda terms: terms.update(delay_s=61),
        "the name in another normal form": lambda terms: terms.update(name=terms["name"].replace("ü", "u\u0308")),
    }
    for name, edit in edits.items():
        yield Case(f"terms: {name}", "terms", "drand", _with_terms(drand, edit))
    yield Case("terms: secrets in place of drand", "terms", "drand", drand.edited(_announce_secrets))
    yield Case("another raffle's proof", "terms", "drand", drand.written(secrets.given.proof))
    yield Case("another raffle's terms", "terms", "drand", drand.changed(terms=secrets.proof.terms))
    line = f"terms {base64_of(drand.closing.terms)}"
    other = f"terms {flipped(base64_of(drand.closing.terms))}"
    yield Case("the closing's terms line with another bit", "terms", "drand", drand.replaced(line, other))


def key_cases() -> Iterator[Case]:
    """Yield what step 3 has to refuse."""
    drand = bases()["drand"]
    stranger = replace(drand.example, signer=signer("stranger", key_name=drand.example.signer.name))
    proof = stranger.proof()
    yield Case("the whole proof by another key of the same name", "key", "drand", drand.changed(**_fields_of(proof)))
    yield Case("another key in the proof", "key", "drand", drand.changed(key=proof.key))


def _texts(drand: Base) -> dict[str, Given]:
    text = drand.given.proof
    deep = "[" * 2_000 + "]" * 2_000
    return {
        "nothing": drand.written(""),
        "null": drand.written("null"),
        "a list": drand.written(f"[{text}]"),
        "half of it": drand.written(text[: len(text) // 2]),
        "something behind the end": drand.written(text + "x"),
        "two byte order marks": drand.written("\ufeff\ufeff" + text),
        "UTF-16 that was read as if it were UTF-8": drand.written("\ufffd\ufffd" + "\0".join(text)),
        "a key twice": drand.replaced('{"protocol":1,', '{"protocol":1,"protocol":1,'),
        "a key twice in the terms": drand.replaced('"total_tickets":20', '"total_tickets":20,"total_tickets":20'),
        "a key twice in a leaf": drand.replaced('"leaf":{', '"leaf":{"serial":0,'),
        "a number as 20.0": drand.replaced('"total_tickets":20', '"total_tickets":20.0'),
        "a number as 2e1": drand.replaced('"total_tickets":20', '"total_tickets":2e1'),
        "a number as a text": drand.replaced('"total_tickets":20', '"total_tickets":"20"'),
        "a number with a zero in front": drand.replaced('"total_tickets":20', '"total_tickets":020'),
        "minus zero": drand.replaced('"prize":0', '"prize":-0'),
        "true as a number": drand.replaced('"protocol":1', '"protocol":true'),
        "true as an amount": drand.replaced('"amount":1', '"amount":true'),
        "NaN": drand.replaced('"total_tickets":20', '"total_tickets":NaN'),
        "a lone surrogate": drand.replaced("invisibility", "\\ud800"),
        "a control character in a text": drand.replaced("invisibility", "in\tvisibility"),
        "single quotes": drand.written(text.replace('"', "'")),
        "a comma too many": drand.written(text[:-1] + ",}"),
        "nested too deeply": drand.replaced('"witnesses":[', f'"witnesses":[{deep},'),
    }


def _fields() -> dict[str, Edit]:
    return {
        "protocol 2": lambda proof: proof.update(protocol=2),
        "terms of protocol 2": lambda proof: proof["terms"].update(protocol=2),
        "an unknown field": lambda proof: proof.update(comment="trust me"),
        "an unknown field in the terms": lambda proof: proof["terms"].update(comment=""),
        "an unknown field in a prize": lambda proof: proof["terms"]["prizes"][0].update(comment=""),
        "an unknown field in the entropy": lambda proof: proof["entropy"].update(value="00" * 32),
        "an unknown field in a winner": lambda proof: proof["winners"][0].update(name="Eve"),
        "an unknown field in a leaf": lambda proof: proof["winners"][0]["leaf"].update(code="0000"),
        "no seed": lambda proof: proof.pop("seed"),
        "no witnesses": lambda proof: proof.pop("witnesses"),
        "no winners, not even null": lambda proof: proof.pop("winners"),
        "winners as an object": lambda proof: proof.update(winners={}),
        "an unknown entropy": lambda proof: proof["entropy"].update(kind="dice"),
        "a witness twice": lambda proof: proof["witnesses"].append(proof["witnesses"][0]),
        "a seed in capitals": lambda proof: proof.update(seed=proof["seed"].upper()),
        "a short seed": lambda proof: proof.update(seed=proof["seed"][2:]),
        "a path with other bits behind its last byte": lambda proof: _first_hash(proof, _with_bits_left_over),
        "a path without padding": lambda proof: _first_hash(proof, lambda text: text.rstrip("=")),
        "a path with a newline": lambda proof: _first_hash(proof, lambda text: f"{text}\n"),
        "a path of short hashes": lambda proof: _first_hash(proof, lambda _: base64_of(bytes(31))),
        "a path of 65 hashes": lambda proof: proof["winners"][0].update(path=[base64_of(bytes(32))] * 65),
        "an empty code hash": lambda proof: proof["winners"][0]["leaf"].update(code_hash=""),
        "a code hash that is no ASCII": lambda proof: proof["winners"][0]["leaf"].update(code_hash="$argön"),
        "ticket number 0": lambda proof: proof["winners"][0]["leaf"].update(ticket_number=0),
    }


def _limits() -> dict[str, Edit]:
    return {
        "no tickets": lambda proof: proof["terms"].update(total_tickets=0),
        "too many tickets": lambda proof: proof["terms"].update(total_tickets=10**12 + 1),
        "more wins than tickets": lambda proof: proof["terms"]["prizes"][0].update(amount=18),
        "no prizes": lambda proof: proof["terms"].update(prizes=[]),
        "an amount of 0": lambda proof: proof["terms"]["prizes"][0].update(amount=0),
        "1,001 prizes": lambda proof: proof["terms"].update(total_tickets=2_000, prizes=_TOO_MANY_KINDS),
        "a name of 201 characters": lambda proof: proof["terms"].update(name="x" * 201),
        "an empty name": lambda proof: proof["terms"].update(name=""),
        "a name of spaces": lambda proof: proof["terms"].update(name=" \u3000"),
        "a line break in a name": lambda proof: proof["terms"].update(name="Foo\u2028bar"),
        "no delay": lambda proof: proof["terms"].pop("delay_s"),
        "a delay of 0": lambda proof: proof["terms"].update(delay_s=0),
        "a delay of more than a week": lambda proof: proof["terms"].update(delay_s=604_801),
        "an id in capitals": lambda proof: proof["terms"].update(id=proof["terms"]["id"].upper()),
        "an id in braces": lambda proof: proof["terms"].update(id=f"{{{proof['terms']['id']}}}"),
        "a day that never was": lambda proof: proof["terms"].update(created_at="2023-02-29T15:00:00Z"),
        "a time without its zone": lambda proof: proof["terms"].update(created_at="2023-08-23T15:00:00"),
        "a time in other digits": lambda proof: proof["terms"].update(created_at="٢٠٢٣-08-23T15:00:00Z"),
        "a time before 1970": lambda proof: proof["terms"].update(created_at="1969-12-31T23:59:59Z"),
        "a leap second": lambda proof: proof["terms"].update(created_at="2016-12-31T23:59:60Z"),
    }


def _notes(drand: Base) -> dict[str, Edit]:
    closing, key = drand.proof.closing, drand.proof.key
    name = drand.example.signer.name
    weak = f"{name}+{{}}+{base64_of(bytes([OPERATOR, 1, *bytes(31)]))}"
    weak_id = _key_id(name, bytes([1, *bytes(31)]))
    lines = closing.split("\n")
    return {
        "a closing with CRLF": lambda proof: proof.update(closing=closing.replace("\n", "\r\n")),
        "a closing without its last newline": lambda proof: proof.update(closing=closing[:-1]),
        "a closing without signatures": lambda proof: proof.update(closing=closing.partition("\n\n")[0] + "\n"),
        "a closing with a line more": lambda proof: proof.update(closing=closing.replace("\n\n", "\nx\n\n", 1)),
        "a closing that is none": lambda proof: proof.update(closing=_without_lines(lines, "closed ", "round ")),
        "a size with a zero in front": lambda proof: proof.update(closing=closing.replace("\n20\n", "\n020\n")),
        "a size with a plus": lambda proof: proof.update(closing=closing.replace("\n20\n", "\n+20\n")),
        "a closing with 101 signatures": lambda proof: proof.update(closing=closing + f"{lines[-2]}\n" * 99),
        "a signature line with a hyphen": lambda proof: proof.update(closing=closing.replace("— ", "- ", 1)),
        "the draw in the closing's place": lambda proof: proof.update(closing=proof["draw"]),
        "the closing in the draw's place": lambda proof: proof.update(draw=closing),
        "a draw of version 2": lambda proof: proof.update(draw=proof["draw"].replace("draw v1", "draw v2")),
        "a key with a wrong id": lambda proof: proof.update(key=key.replace("+", "+0", 1)),
        "a witness's key as the operator's": lambda proof: proof.update(key=str(witness().verifier)),
        "an operator's key as a witness's": lambda proof: proof.update(witnesses=[key]),
        "a key that fits every signature": lambda proof: proof.update(key=weak.format(weak_id)),
        "a key's name with a space": lambda proof: proof.update(key=key.replace("example", "exa mple")),
    }


def _fields_of(proof: Any) -> dict[str, Any]:
    return {name: getattr(proof, name) for name in ("key", "closing", "witnesses", "draw", "seed", "winners")}


def _with_terms(base: Base, edit: Edit) -> Given:
    return base.edited(lambda proof: edit(proof["terms"]))


def _announce_secrets(proof: dict[str, Any]) -> None:
    proof["terms"]["entropy"] = "secrets"
    del proof["terms"]["delay_s"]


def _first_hash(proof: dict[str, Any], change: Callable[[str], str]) -> None:
    path = proof["winners"][0]["path"]
    path[0] = change(path[0])


def _with_bits_left_over(encoded: str) -> str:
    # After the 32nd byte, two bits of the last character are unused; they are 0.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return encoded[:-2] + alphabet[alphabet.index(encoded[-2]) + 1] + "="


def _without_lines(lines: list[str], *beginnings: str) -> str:
    return "\n".join(line for line in lines if not line.startswith(beginnings))


def _key_id(name: str, public: bytes) -> str:
    return sha256(name.encode() + b"\n" + bytes([OPERATOR]) + public).hexdigest()[:8]
