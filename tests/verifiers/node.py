"""The page's verifier in a Node process."""

import json
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Self

from rafflekit.html.assets import VERIFIER

_RUN = Path(__file__).parent / "run.js"
_SUMMARY = "summary.js"
_WORDS = "verifier/words.js"


def node() -> str | None:
    """Return the path of Node, None if it is not installed."""
    return shutil.which("node")


class Javascript:
    """One process for any number of calls; bytes are passed and returned as bytes."""

    def __init__(self, program: str) -> None:
        with as_file(files("rafflekit")) as folder:
            parts = [*(folder / "html/static" / name for name in VERIFIER), folder / "html/static" / _WORDS]
            parts.append(folder / "http/pages" / _SUMMARY)
        self._process = subprocess.Popen(
            [program, str(_RUN), *map(str, parts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0

    def calls(self, *calls: tuple[Any, ...]) -> list[Any]:
        """Return the results of functions, each named with its arguments; {"wrong": why} where one refuses."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(calls, default=_hex)}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "Node ended"
        found: list[Any] = json.loads(line, object_hook=_bytes)
        return found

    def call(self, name: str, *arguments: Any) -> Any:
        """Return the result of one function."""
        return self.calls((name, *arguments))[0]

    def audit(self, given: dict[str, Any]) -> dict[str, str]:
        """Return the outcomes of an audit's steps; `given` has the names of the frozen `bases.json`."""
        return {step["name"]: step["outcome"] for step in self.steps(given)}

    def steps(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the steps of such an audit, each with its name, outcome and sentence, and whether it is mistaken."""
        rest = {name: value for name, value in given.items() if name != "proof"}
        found: list[dict[str, Any]] = self.call("((proof, given) => audit(proof, given).steps)", given["proof"], rest)
        return found


def _hex(value: object) -> dict[str, str]:
    assert isinstance(value, bytes)
    return {"hex": value.hex()}


def _bytes(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if list(value) == ["hex"] else value
