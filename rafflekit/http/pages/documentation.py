"""`/docs/`: the documentation of the API, made from the OpenAPI document: nothing in it is written twice."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon
from markupsafe import Markup, escape

from rafflekit.http.kept import answer_document
from rafflekit.http.pages.page import WebPage, filled, language_of, send_page

# HEAD and OPTIONS work alike everywhere; the introduction says so.
_METHODS = ("get", "post", "patch")
_CODE = re.compile(r"`([^`]*)`")
_REFERENCE = "#/components/schemas/"


class DescribedField(NamedTuple):
    """A field of a body or an answer, or a parameter."""

    name: str
    kind: Markup
    is_required: bool
    place: str = ""
    """Where a parameter is: in the query or in a header."""


class DescribedAnswer(NamedTuple):
    """A status with its answer or, as a refusal, its problems: the type of each, and its sentence."""

    status: int
    phrase: str
    kind: Markup | None = None
    media_type: str = ""
    problems: Sequence[tuple[str, Markup]] = ()


class DescribedOperation(NamedTuple):
    """A method of an address."""

    id: str
    method: str
    path: str
    summary: str
    description: Markup
    parameters: Sequence[DescribedField]
    body: Sequence[DescribedField] | None
    example: str
    answers: Sequence[DescribedAnswer]
    refusals: Sequence[DescribedAnswer]


class DescribedShape(NamedTuple):
    """A JSON object that answers are made of."""

    name: str
    description: Markup
    fields: Sequence[DescribedField]


class DocumentationPage(WebPage):
    """`/docs/`: the API, for people who write programs."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show the documentation."""
        key = language_of(request), str(request.env.get("SCRIPT_NAME", ""))
        document = self.service.kept.get((DocumentationPage, key), lambda: self._page(request))
        send_page(response, "", status=HTTPStatus.OK)
        answer_document(request, response, document)
        response.set_header("Vary", "Accept, Accept-Language, Accept-Encoding")

    def _page(self, request: falcon.Request) -> bytes:
        api = json.loads(self.service.describe())
        return filled(
            request,
            "docs.html",
            about=[_sentences(part) for part in api["info"]["description"].split("\n\n")],
            release=api["info"]["version"],
            operations=list(_operations(api)),
            shapes=list(_shapes(api)),
        ).encode()


def _operations(api: Mapping[str, Any]) -> Iterator[DescribedOperation]:
    schemas = api["components"]["schemas"]
    for path, item in api["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(method, path, item[method], schemas)


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> DescribedOperation:
    body = _body_of(operation) if "requestBody" in operation else None
    answers = [_answered(int(status), answer) for status, answer in operation["responses"].items()]
    return DescribedOperation(
        id=operation["operationId"],
        method=method.upper(),
        path=path.replace("{raffle_id}", "<id>"),
        summary=operation.get("summary", ""),
        description=_sentences(operation.get("description", "")),
        parameters=[
            DescribedField(each["name"], _kind(each["schema"]), each["required"], each["in"])
            for each in operation.get("parameters", ())
            if each["in"] != "path"
        ],
        body=None if body is None else _fields(schemas[_name_of(body["schema"])]),
        example="" if body is None else json.dumps(body.get("example", {}), ensure_ascii=False),
        answers=[each for each in answers if not each.problems],
        # That something went wrong can happen everywhere, as the introduction says.
        refusals=[each for each in answers if each.problems and each.status != HTTPStatus.INTERNAL_SERVER_ERROR],
    )


def _answered(status: int, answer: Mapping[str, Any]) -> DescribedAnswer:
    phrase = HTTPStatus(status).phrase
    for media_type, content in answer.get("content", {}).items():
        examples = [example["value"] for example in content.get("examples", {}).values()]
        problems = [(str(each["type"]).rpartition(":")[2], _sentences(each["detail"])) for each in examples]
        kind = None if problems else _kind(content["schema"])
        return DescribedAnswer(status, phrase, kind, media_type, problems)
    return DescribedAnswer(status, phrase)


def _shapes(api: Mapping[str, Any]) -> Iterator[DescribedShape]:
    operations = (operation for item in api["paths"].values() for operation in item.values())
    # Bodies are with the addresses that take them.
    bodies = {_name_of(_body_of(operation)["schema"]) for operation in operations if "requestBody" in operation}
    for name, schema in api["components"]["schemas"].items():
        if name not in bodies:
            yield DescribedShape(name, _sentences(schema.get("description", "")), _fields(schema))


def _body_of(operation: Mapping[str, Any]) -> Any:
    return operation["requestBody"]["content"][falcon.MEDIA_JSON]


def _fields(schema: Mapping[str, Any]) -> list[DescribedField]:
    required = schema.get("required", ())
    fields = (
        DescribedField(name, _kind(kind), name in required) for name, kind in schema.get("properties", {}).items()
    )
    return sorted(fields, key=lambda field: not field.is_required)


def _name_of(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix(_REFERENCE)


def _kind(schema: Mapping[str, Any]) -> Markup:
    """Return what a value may be, in words; an object is a link to its shape."""
    if "$ref" in schema:
        name = _name_of(schema)
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return Markup(" or ").join(Markup("<code>{}</code>").format(json.dumps(value)) for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return Markup("list of {}").format(_kind(schema.get("items", {})))
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
    forms = {"date-time": "time", "uuid": "UUID", "uri-reference": "URL"}
    named = forms.get(schema.get("format", ""), words.get(kind, kind))
    return escape(f"{named}{_bounds(schema)}")


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    parts = []
    if least is not None:
        parts.append(f"from {least:,}" if most is None else f"from {least:,} to {most:,}")
    if "maxLength" in schema:
        parts.append(f"at most {schema['maxLength']:,} characters")
    if "default" in schema:
        parts.append(f"by default {json.dumps(schema['default'])}")
    return "".join(f", {part}" for part in parts)


@cache
def _sentences(text: str) -> Markup:
    """Return sentences in which names between backticks are code."""
    parts = [
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(_CODE.split(text))
    ]
    return Markup("").join(parts)
