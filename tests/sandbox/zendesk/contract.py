"""Zendesk's own OpenAPI text as a checker of answers, with every property read as nullable (its README)."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import requests

SHARED = Path(__file__).parents[3].parent / "shared" / "contracts" / "zendesk"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document with null allowed everywhere and `oneOf` read as `anyOf`.

    With null allowed, several branches of a `oneOf` hold at once. An audit event's `value` is described as a
    text or a number, but a change of tags carries a list: there the description is too narrow.
    """
    loaded = json.loads((SHARED / "support-oas.pruned.json").read_text())
    opened: dict[str, Any] = _nullable(loaded)
    event = opened["components"]["schemas"]["AuditObject"]["properties"]["events"]["items"]
    event["properties"]["value"] = {}
    return opened


def check(answer: requests.Response) -> str:
    """Validate a 2xx answer's status and body; returns `METHOD /template`; raises AssertionError."""
    method, path = str(answer.request.method), urlsplit(str(answer.request.url)).path.removesuffix(".json")
    template, operation = _operation(method, path)
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{method} {template} does not describe {answer.status_code}"
    content = described.get("content", {}).get("application/json")
    if content is not None:
        schema = {**content["schema"], "components": document()["components"]}
        jsonschema.Draft7Validator(schema).validate(answer.json())
    return f"{method} {template}"


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The operation of a path: the literal one (`/users/me`) before one with a placeholder (`/users/{user_id}`)."""
    paths = document()["paths"]
    matching = [
        template for template in paths if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)), path)
    ]
    assert matching, f"{method} {path} is not in the contract"
    template = min(matching, key=lambda name: name.count("{"))
    return template, paths[template][method.lower()]


def _nullable(node: Any) -> Any:
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    opened = {("anyOf" if name == "oneOf" else name): _nullable(value) for name, value in node.items()}
    if isinstance(node.get("type"), str):
        opened["type"] = [node["type"], "null"]
    if isinstance(node.get("enum"), list):
        opened["enum"] = [*node["enum"], None]
    return opened
