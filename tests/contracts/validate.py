"""Checks requests and answers against the published contract of a system, whoever made them.

`Contract.zendesk()` is Zendesk's own file beside the project, read with every property nullable (its README says why);
`Contract.gemini()` and `Contract.trading_grid()` are our own, strict ones from tests/contracts.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.plan import Request, Stored
from tests.contracts.dialect import adapt, describe, fill, json_media, match_template, readings, resolve

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "contracts"
METHODS = ("get", "put", "post", "delete", "patch", "head")
Query = Sequence[tuple[str, str]] | Mapping[str, str]
Json = dict[str, Any]


class ContractError(AssertionError):
    """The request or answer is not what the contract describes."""


@dataclass(frozen=True)
class Contract:
    """One OpenAPI document. `strict` contracts describe all there is: undeclared parameters and bodies are refused."""

    name: str
    requests: Json
    answers: Json
    prefix: str = ""
    strict: bool = True

    @staticmethod
    def zendesk() -> "Contract":
        """Zendesk's own file. Skips the calling test, by name, where the reference texts are absent."""
        return _zendesk()

    @staticmethod
    def gemini() -> "Contract":
        """The tracker's contract as far as casebridge uses it."""
        return _own("gemini")

    @staticmethod
    def trading_grid() -> "Contract":
        """The community's contract as far as casebridge uses it."""
        return _own("trading_grid")

    def check(self, request: Request, slots: Mapping[str, Any] | None = None) -> None:
        """Check a plan's request as its connector made it; `slots` maps a slot's text to a value for it."""
        filled = dict(slots or {})
        headers = {name: str(fill(value, filled)) for name, value in request.headers}
        path = str(fill(request.path, filled))
        self.check_request(request.method, path, request.query, headers, fill(request.body, filled))

    def check_request(
        self, method: str, path: str, query: Query = (), headers: Mapping[str, str] | None = None, body: Any = None
    ) -> None:
        """Raise ContractError unless an operation of the contract takes this request.

        `path` is relative to the API's base or to the root; `body` a JSON value, or bytes or Stored for raw content.
        """
        operation, values = self._operation(self.requests, method, path)
        where = f"{self.name}: {method.upper()} {path}"
        pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
        given = {"path": values, "query": dict(pairs), "header": {k.lower(): v for k, v in (headers or {}).items()}}
        for parameter in self._parameters(operation):
            self._check_parameter(parameter, given.get(parameter["in"], {}), where)
        if self.strict:
            self._refuse_undeclared_query(operation, given["query"], where)
        self._check_body(operation, body, where)

    def check_answer(self, method: str, path: str, status: int, body: Any = None) -> None:
        """Raise ContractError unless the contract describes this status and body for the operation."""
        operation, _ = self._operation(self.answers, method, path)
        where = f"{self.name}: {method.upper()} {path} -> {status}"
        described = operation["responses"]
        response = described.get(str(status)) or described.get(f"{status // 100}XX") or described.get("default")
        if response is None:
            if self.strict or status < 400:
                raise ContractError(f"{where}: found status {status}, expected one of {sorted(described)}")
            return
        content = resolve(self.answers, response).get("content", {})
        schema = json_media(content).get("schema")
        if schema is not None:
            self._validate(self.answers, schema, body, where)

    def _operation(self, document: Json, method: str, path: str) -> tuple[Json, dict[str, str]]:
        candidates = [path, self.prefix + path]
        bare = [item.removesuffix(".json") for item in candidates]  # Zendesk takes both spellings
        found: list[tuple[int, Json, dict[str, str]]] = []
        for template, item in document["paths"].items():
            for candidate in dict.fromkeys(candidates + bare):
                values = match_template(template, candidate)
                if values is not None and method.lower() in item:
                    found.append((len(values), {**item[method.lower()], "x-path": item}, values))
        if not found:
            raise ContractError(f"{self.name}: the contract has no {method.upper()} {path}")
        _, operation, values = min(found, key=lambda entry: entry[0])
        return operation, values

    def _parameters(self, operation: Json) -> Iterator[Json]:
        for parameter in [*(operation["x-path"].get("parameters") or []), *(operation.get("parameters") or [])]:
            yield resolve(self.requests, parameter)

    def _check_parameter(self, parameter: Json, given: Mapping[str, str], where: str) -> None:
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        if name not in given:
            if parameter.get("required") and parameter["in"] != "path":
                raise ContractError(f"{where}: {parameter['in']} parameter {name} is missing")
            return
        schema = parameter.get("schema", {})
        texts = [given[name], *readings(given[name])]
        if not any(self._valid(self.requests, schema, value) for value in texts):
            raise ContractError(f"{where}: parameter {name} = {given[name]!r} does not fit {schema}")

    def _refuse_undeclared_query(self, operation: Json, query: Mapping[str, str], where: str) -> None:
        declared = {item["name"] for item in self._parameters(operation) if item["in"] == "query"}
        unknown = sorted(name for name in query if name not in declared)
        if unknown:
            raise ContractError(f"{where}: undeclared query parameters {unknown}")

    def _check_body(self, operation: Json, body: Any, where: str) -> None:
        described = resolve(self.requests, operation.get("requestBody") or {})
        if body is None:
            if described.get("required"):
                raise ContractError(f"{where}: found no body, expected one")
            return
        if not described:
            if self.strict:
                raise ContractError(f"{where}: found a body, expected none")
            return
        content = described.get("content", {})
        if isinstance(body, bytes | Stored):
            if all("json" in media for media in content):
                raise ContractError(f"{where}: found raw bytes, expected {sorted(content)}")
            return
        media = json_media(content)
        if not media:
            raise ContractError(f"{where}: found a JSON body, expected {sorted(content)}")
        self._validate(self.requests, media.get("schema", {}), body, where)

    def _validate(self, document: Json, schema: Json, value: Any, where: str) -> None:
        faults = list(_validator(document, schema).iter_errors(value))
        if faults:
            raise ContractError(f"{where}\n" + "\n".join(describe(fault) for fault in faults))

    def _valid(self, document: Json, schema: Json, value: Any) -> bool:
        return bool(_validator(document, schema).is_valid(value))


@lru_cache(maxsize=1)
def _zendesk() -> Contract:
    path = SHARED / "zendesk" / "support-oas.pruned.json"
    if not path.exists():
        pytest.skip(f"Zendesk's contract is absent: {path}")
    document = json.loads(path.read_text())
    _amend(document["components"]["schemas"])
    _free_cursor(document)
    return Contract(
        name="zendesk",
        requests=adapt(document, nullable="declared", writing=True),
        answers=adapt(json.loads(path.read_text()), nullable="all", writing=False),
        prefix="/api/v2",
        strict=False,
    )


def _amend(schemas: Json) -> None:
    """Mend what the file says wrongly of requests, and refuse keys that it does not know: Zendesk drops them silently.

    Faults: a field value is described by the schema of a field definition; `metadata` of an update is missing.
    """
    value: Json = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "value": {}},
        "required": ["id", "value"],
    }
    properties = schemas["TicketUpdateInput"]["properties"]
    properties["custom_fields"] = {"type": "array", "items": {**value, "additionalProperties": False}}
    properties["metadata"] = {"type": "object"}
    for wrapper in ("TicketCreateRequest", "TicketUpdateRequest"):
        schemas[wrapper]["properties"]["ticket"]["unevaluatedProperties"] = False
        schemas[wrapper]["additionalProperties"] = False
    schemas["TicketCommentObject"]["unevaluatedProperties"] = False


def _free_cursor(document: Json) -> None:
    """The export's first request names its start_time, each further one the cursor; the file demands it of all."""
    path = document["paths"]["/api/v2/incremental/tickets/cursor"]
    for place, parameter in enumerate(path["parameters"]):
        described = resolve(document, parameter)
        if described["name"] == "start_time":
            path["parameters"][place] = {**described, "required": False}


@lru_cache(maxsize=2)
def _own(name: str) -> Contract:
    path = HERE / f"{name}.yaml"
    if not path.exists():
        path = SHARED / name / "openapi.yaml"
    if not path.exists():
        pytest.skip(f"the contract of {name} is absent: {path}")
    document = yaml.safe_load(path.read_text())
    return Contract(
        name=name,
        requests=adapt(document, nullable="declared", writing=True),
        answers=adapt(document, nullable="declared", writing=False),
    )


def _validator(document: Json, schema: Json) -> Draft202012Validator:
    root = {"allOf": [schema], "components": document.get("components", {})}
    return Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)
