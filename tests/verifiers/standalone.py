"""`verify_draw.py` as a module, and the library's audit, given the same documents."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from rafflekit.core.protocol.audit import AuditReport, Witnessed, audit

FILE = Path(__file__).parents[2] / "verify_draw.py"
NO_CLOCK = 10**13
NOT_TAKEN = "consistency"
"""Unlike the others, `verify_draw.py` takes no consistency proof, because all leaves show more."""

IsSignature = Callable[[bytes, bytes, str], bool]


def loaded(is_signature: IsSignature | None = None) -> ModuleType:
    """Return the file as a new module; its check of a signature takes 20 ms and can be replaced."""
    spec = importlib.util.spec_from_file_location("verify_draw", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["is_signature"] = is_signature or cache(vars(module)["is_signature"])
    return module


def checked(module: ModuleType, given: dict[str, Any]) -> Any:
    """Return the module's check of what an audit is given, by the names of the frozen `bases.json`."""
    known = dict.fromkeys(("key", "raffle", "leaves", "receipt", "code", "now", "witnesses", "witnessed")) | given
    check = module.Audit(
        module.Given(
            proof=_in_bytes(known["proof"]),
            raffle=known["raffle"],
            key=known["key"],
            witnesses=tuple(module.read_key(key, module.WITNESS) for key in known["witnesses"] or ()),
            copies=tuple(module.Copy(_in_bytes(copy["note"]), copy["at"]) for copy in known["witnessed"] or ()),
            leaves=None if known["leaves"] is None else [_in_bytes(line) for line in known["leaves"]],
            receipt=_in_bytes(known["receipt"]),
            code=known["code"],
            now=NO_CLOCK if known["now"] is None else known["now"],
        )
    )
    check.run()
    return check


def outcomes(module: ModuleType, given: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each step that the file takes."""
    found = checked(module, given).outcomes
    assert all(sentence for _, sentence in found.values())
    return {step: outcome for step, (outcome, _) in found.items()}


def report_of_the_library(given: dict[str, Any]) -> AuditReport:
    """Return the report of the library's audit."""
    return audit(**given | {"witnessed": [Witnessed(**copy) for copy in given.get("witnessed") or ()]})


def outcomes_of_the_library(given: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each step of the library's audit."""
    return {step.name: step.outcome for step in report_of_the_library(given).steps}


def without_consistency(given: dict[str, Any]) -> dict[str, Any]:
    """Return what `verify_draw.py` takes of this."""
    return {name: value for name, value in given.items() if name != NOT_TAKEN}


def _in_bytes(document: str | bytes | None) -> bytes | None:
    return document.encode(errors="surrogatepass") if isinstance(document, str) else document
