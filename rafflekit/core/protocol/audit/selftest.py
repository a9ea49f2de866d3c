"""The audit's self-test: frozen documents, honest and falsified, each with the one right verdict.

The cases are data (`frozen/`), so the audit shares no code with the program that made them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from rafflekit.core.protocol.audit import Witnessed, audit
from rafflekit.core.protocol.audit.report import AuditReport

FROZEN = files(__name__.rpartition(".")[0]) / "frozen"
"""The cases that ship with the package: `bases.json` has honest documents, `cases.json` has falsified ones."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One case and what the audit made of it.

    `step` is the step that has to refuse the documents, None if they are honest. `is_right` says whether the audit
    judged them correctly; it is None if the case could not be tried.
    """

    name: str
    step: str | None
    is_right: bool | None


def run_selftest(*, missing: str | None = None, cases: Traversable = FROZEN) -> Iterator[Trial]:
    """Audit every case and yield the trials, the honest documents first.

    `missing` names what cannot be checked on this machine (`bls`: drand's signatures); cases that need it are skipped.
    """
    bases = _load(cases / "bases.json")
    for name, base in bases.items():
        yield Trial(name, None, _audited(base).good)
    for case in _load(cases / "cases.json"):
        if case.get("needs") is not None and case["needs"] == missing:
            yield Trial(case["name"], case["step"], None)
            continue
        wrong = _audited(bases[case["base"]] | case["given"]).first_wrong
        yield Trial(case["name"], case["step"], wrong is not None and wrong.name == case["step"])


def _audited(given: Mapping[str, Any]) -> AuditReport:
    return audit(**{**given, "witnessed": [Witnessed(**copy) for copy in given["witnessed"]]})


def _load(file: Traversable) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
