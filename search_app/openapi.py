"""Describe the API in OpenAPI 3.1, from its endpoints and the models of parameters and schema."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from search_app.parameters import Asked
from search_app.schema import Answer, Paged, Problem

SCHEMAS = "#/components/schemas/{model}"
ABOUT = (
    "Search an organisation's publications by meaning, across languages. Reading only: GET, HEAD and OPTIONS, no key, no cookie. "
    "Addresses within answers are relative to this server. Answers may gain members; a change that could break a client comes as /api/v2/."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: what it takes and what it gives."""

    name: str
    path: str  # with the parameters that stand in it: "/api/v1/publications/{publication_id}"
    about: str  # a line, and after an empty line more
    takes: type[Asked]
    gives: type[Answer]

    @property
    def in_path(self) -> frozenset[str]:
        return frozenset(re.findall(r"\{(\w+)\}", self.path))


class _Plain(GenerateJsonSchema):
    """Schemas without the titles that only say a field's name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def describe(operations: Iterable[Operation], version: str, root: str = "/") -> dict[str, Any]:
    """The OpenAPI document of these operations; `root` is where the site stands on its host."""
    operations = list(operations)
    gives: list[type[Answer]] = [*dict.fromkeys(operation.gives for operation in operations), Problem]
    _, schemas = models_json_schema([(model, "serialization") for model in gives], ref_template=SCHEMAS, schema_generator=_Plain)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Isogloss", "version": version, "summary": "One library, all its languages", "description": ABOUT},
        "servers": [{"url": root}],
        "paths": {operation.path: {"get": _operation(operation)} for operation in operations},
        "components": {"schemas": schemas["$defs"], "responses": _problems(), "headers": _headers()},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    summary, _, description = operation.about.partition("\n\n")
    refused = ["BadRequest", "NotFound"] if operation.in_path else ["BadRequest"]
    headers = ["ETag", "Link"] if issubclass(operation.gives, Paged) else ["ETag"]
    answer = {
        "description": "The answer.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/json": {"schema": {"$ref": SCHEMAS.format(model=operation.gives.__name__)}}},
    }
    return {
        "operationId": operation.name,
        "summary": " ".join(summary.split()),
        **({"description": " ".join(description.split())} if description else {}),
        "parameters": _parameters(operation),
        "responses": {
            "200": answer,
            "304": {"description": "Nothing has changed since the answer with the ETag that If-None-Match names."},
            **{_code(name): {"$ref": f"#/components/responses/{name}"} for name in [*refused, "InternalServerError", "ServiceUnavailable"]},
        },
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    form = operation.takes.model_json_schema(schema_generator=_Plain)
    parameters = []
    required = form.get("required", ())
    for name, schema in sorted(form["properties"].items(), key=lambda item: (item[0] not in operation.in_path, item[0] not in required)):
        place = "path" if name in operation.in_path else "query"
        about = {"description": schema.pop("description", "")}
        parameters.append({"name": name, "in": place, "required": name in required, **about, "schema": schema})
    return parameters


def _code(name: str) -> str:
    return next(str(status.value) for status in HTTPStatus if status.phrase.replace(" ", "") == name)


def _problems() -> dict[str, Any]:
    about = {
        "BadRequest": "A parameter that cannot be meant; `faults` names each.",
        "NotFound": "There is no such thing in this library.",
        "InternalServerError": "A fault of the server.",
        "ServiceUnavailable": "Too many ask at this moment; Retry-After says in how many seconds to ask again.",
    }
    schema = {"$ref": SCHEMAS.format(model="Problem")}
    return {name: {"description": text, "content": {"application/problem+json": {"schema": schema}}} for name, text in about.items()}


def _headers() -> dict[str, Any]:
    return {
        "ETag": {"description": "Names this state of the library; with If-None-Match it costs nothing to ask again.", "schema": {"type": "string"}},
        "Link": {"description": 'Where the next and the previous ones are (RFC 8288): rel="next", rel="prev".', "schema": {"type": "string"}},
    }
