"""Falsified closings, cosignatures, entropy and seeds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rafflekit.core.protocol.audit import Witnessed
from rafflekit.core.protocol.checkpoints import Checkpoint, End, origin_of
from rafflekit.core.protocol.entropy import SECRETS, Evidence
from rafflekit.core.protocol.entropy.drand import DrandQuicknet, round_of, time_of
from rafflekit.core.protocol.notes import WITNESS, base64_of, read_base64
from rafflekit.core.protocol.winners import seed_of
from tests.tamper.making.cases import (
    COSIGNED,
    Base,
    Case,
    Given,
    bases,
    flipped_hex,
    flipped_last_word,
)
from tests.vectors.examples import BEACON, BEACON_ROUND, CLOSED, CREATED, digest, signer, witness

_BEFORE = int(CREATED.timestamp()) - 1


def closing_cases() -> Iterator[Case]:
    """Yield what step 4 has to refuse."""
    drand, secrets = bases()["drand"], bases()["secrets"]
    closing, text = drand.proof.closing, drand.closing.text()
    other = signer("stranger", key_name=drand.example.signer.name)
    # The stranger's signature after the id of the operator's key.
    forged = _with_id(other.line(text), drand)
    again = drand.example.signer.line(text)
    falsified = {
        "the operator's signature with another bit": flipped_last_word(closing, -2),
        "the root with another bit": flipped_last_word(closing, 2),
        "another closing time": closing.replace(f"closed {CLOSED}", f"closed {CLOSED - 1}"),
        "another round": closing.replace("round 1000", "round 1001"),
        "signed by another key of the same name": f"{text}\n{other.line(text)}{witness().line(text, time=COSIGNED)}",
        "signed by another key under the operator's key id": f"{text}\n{forged}{witness().line(text, time=COSIGNED)}",
        "signed by the witness alone": f"{text}\n{witness().line(text, time=COSIGNED)}",
        "signed twice by the operator": closing + again,
        "another raffle's closing with these terms": _of_another_raffle(drand),
    }
    for name, note in falsified.items():
        yield Case(f"closing: {name}", "closing", "drand", drand.changed(closing=note))
    later = CLOSED + 3
    signed: dict[str, dict[str, Any]] = {
        "fewer tickets than wins": {"size": 3},
        "another origin": {"origin": origin_of(secrets.example.terms.id)},
        "the key's name as its origin": {"origin": f"{drand.example.signer.name}/{drand.example.terms.id}"},
        "before the raffle was created": {"end": End(_BEFORE, round_of(_BEFORE, 60))},
        "the round before": {"end": End(CLOSED, BEACON_ROUND - 1)},
        "the round after": {"end": End(CLOSED, BEACON_ROUND + 1)},
        "three seconds later for the same round": {"end": End(later, BEACON_ROUND)},
        "without a round": {"end": End(CLOSED)},
    }
    for name, fields in signed.items():
        yield Case(f"signed closing: {name}", "closing", "drand", drand.closed_again(**fields))
    yield Case(
        "signed closing: a round with secrets",
        "closing",
        "secrets",
        secrets.closed_again(end=End(CLOSED, 1000)),
    )


def witness_cases() -> Iterator[Case]:
    """Yield what the steps 5 and 7 have to refuse."""
    drand = bases()["drand"]
    closing, text = drand.proof.closing, drand.closing.text()
    own = signer("operator", kind=WITNESS)
    listed = [str(witness().verifier), str(own.verifier)]
    falsified: dict[str, dict[str, Any]] = {
        "a cosignature with another bit": {"closing": flipped_last_word(closing, -1)},
        "a cosignature with another time": {"closing": _redated(drand)},
        "a cosignature of another closing": {"closing": _of_another_closing(drand)},
        "a cosignature taken away": {"closing": drand.example.sign(text)},
        "a second cosignature of one witness": {"closing": closing + witness().line(text, time=COSIGNED + 1)},
        "the operator as a witness": {"closing": closing + own.line(text, time=COSIGNED), "witnesses": listed},
        "a witness that never signed": {"witnesses": [listed[0], str(witness("nobody").verifier)]},
    }
    for name, fields in falsified.items():
        yield Case(name, "witnesses", "drand", drand.changed(**fields))
    known = replace(drand.given, witnesses=[str(own.verifier)])
    yield Case("the operator as a witness that the verifier names", "witnesses", "drand", known)
    beacon = time_of(BEACON_ROUND)
    for name, time in (("at the time of the round", beacon), ("a day after the round", beacon + 86_400)):
        late = drand.changed(closing=drand.cosigned(text, time=time))
        yield Case(f"a cosignature dated {name}", "witnessed", "drand", late)
    for name in ("drand", "secrets"):
        base = bases()[name]
        at = replace(base.closing, end=replace(base.example.end(), closed=CLOSED - 1))
        copy = Witnessed(base.example.sign(at.text()), COSIGNED)
        yield Case(f"two closings, with {name}", "witnessed", name, replace(base.given, witnessed=[copy]))


def entropy_cases() -> Iterator[Case]:
    """Yield what the steps 6 and 8 have to refuse."""
    drand, secrets, many = (bases()[name] for name in ("drand", "secrets", "many"))
    infinity = bytes([0xC0, *bytes(47)])
    beacons = {
        "of the round before": (BEACON, BEACON_ROUND - 1, None),
        "of the round after": (BEACON, BEACON_ROUND + 1, None),
        "with another bit": (_last_bit_flipped(BEACON), BEACON_ROUND, "bls"),
        "with another sign": (bytes([BEACON[0] ^ 0x20]) + BEACON[1:], BEACON_ROUND, "bls"),
        "that is the point at infinity": (infinity, BEACON_ROUND, "bls"),
        "of zeros": (bytes(48), BEACON_ROUND, "bls"),
        "of ones": (b"\xff" * 48, BEACON_ROUND, "bls"),
    }
    for name, (signature, beacon_round, needs) in beacons.items():
        entropy = Evidence(DrandQuicknet.name, signature, beacon_round)
        yield Case(f"a beacon {name}", "entropy", "drand", drand.changed(entropy=entropy), needs)
    yield Case("the real beacon of the round before, and all signed", "entropy", "drand", _known_beacon(drand))
    yield Case("secrets in place of a beacon", "entropy", "many", many.changed(entropy=secrets.proof.entropy))
    yield Case("a beacon in place of secrets", "entropy", "secrets", secrets.changed(entropy=drand.proof.entropy))
    yield Case("other secrets", "seed", "secrets", secrets.changed(entropy=Evidence(SECRETS, digest("more entropy"))))
    for base in (drand, secrets, many):
        seed = bytes.fromhex(flipped_hex(base.proof.seed.hex()))
        yield Case(f"a seed with another bit, with {base.name}", "seed", base.name, base.changed(seed=seed))
    yield Case("another seed and its winners, all signed", "seed", "drand", _rolled_again(drand))
    earlier = replace(secrets.example.end(), closed=CLOSED - 1)
    backdated = replace(secrets.closed_again(end=earlier), witnessed=[])
    yield Case("a closing that was dated back after the draw", "seed", "secrets", backdated)


def _known_beacon(base: Base) -> Given:
    # Closed one period later, so the next round decides; drawn with the round that is known by then.
    closing = replace(base.closing, end=End(CLOSED + 3, BEACON_ROUND + 1))
    given = _drawn_with(base, closing, seed_of(closing.closing_hash(), base.entropy_value))
    return replace(given, witnessed=[])


def _rolled_again(base: Base) -> Given:
    return _drawn_with(base, base.closing, digest("another seed"))


def _drawn_with(base: Base, closing: Checkpoint, seed: bytes) -> Given:
    statement = base.example.statement(closing.closing_hash(), base.entropy_value, seed)
    return base.changed(
        closing=base.cosigned(closing.text()),
        seed=seed,
        draw=base.example.sign(statement.text()),
        winners=[base.example.win(*win) for win in base.example.wins(seed)],
    )


def _with_id(line: str, base: Base) -> str:
    dash, name, encoded = line.removesuffix("\n").split(" ")
    content = base.example.signer.verifier.id + read_base64(encoded)[4:]
    return f"{dash} {name} {base64_of(content)}\n"


def _redated(base: Base) -> str:
    line = witness().line(base.closing.text(), time=COSIGNED)
    before, _, encoded = line.removesuffix("\n").rpartition(" ")
    content = read_base64(encoded)
    content = content[:4] + (COSIGNED - 1).to_bytes(8, "big") + content[12:]
    return f"{base.example.sign(base.closing.text())}{before} {base64_of(content)}\n"


def _of_another_closing(base: Base) -> str:
    other = replace(base.closing, end=End(CLOSED - 1, BEACON_ROUND)).text()
    return base.example.sign(base.closing.text()) + witness().line(other, time=COSIGNED)


def _of_another_raffle(base: Base) -> str:
    return base.cosigned(replace(bases()["secrets"].closing, terms=base.closing.terms).text())


def _last_bit_flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])
