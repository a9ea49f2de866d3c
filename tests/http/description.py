"""The OpenAPI document as the tests read it."""

import json
from collections.abc import Iterator
from typing import Any

from rafflekit.http import openapi

DOCUMENT: dict[str, Any] = json.loads(openapi.document())

Seen = tuple[str, str, int, str | None]
"""A method, an address as the document has it, a status, and a problem's type or None."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation: its method, its path and its description."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of a component."""
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def parameter_schema(name: str) -> dict[str, Any]:
    """Return the schema of a parameter."""
    found = (p for _, _, operation in operations() for p in operation.get("parameters", []) if p["name"] == name)
    schema: dict[str, Any] = next(found)["schema"]
    return schema


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a part of the document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from parts_of(part)


def documented() -> set[Seen]:
    """Return every answer in the document."""
    return {
        (method, path, int(status), kind)
        for method, path, operation in operations()
        for status, answer in operation["responses"].items()
        for kind in types_of(answer)
    }


def types_of(answer: dict[str, Any]) -> list[str | None]:
    """Return the types of the problems of an answer, [None] if it is not a problem."""
    problem = answer.get("content", {}).get("application/problem+json")
    return problem["schema"]["properties"]["type"]["enum"] if problem else [None]
