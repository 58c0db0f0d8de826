"""OpenAPI's own ways, as JSON Schema and plain Python understand them: nullable, references, paths, slots."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote

from jsonschema import ValidationError

from pipeline.plan import Slot

Json = dict[str, Any]


def adapt(node: Any, *, nullable: str, writing: bool) -> Any:
    """OpenAPI's schema dialect as JSON Schema 2020-12: nullable, and read-only or write-only names not required."""
    if isinstance(node, list):
        return [adapt(item, nullable=nullable, writing=writing) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: adapt(item, nullable=nullable, writing=writing) for key, item in node.items()}
    properties = made.get("properties")
    if isinstance(properties, dict) and isinstance(made.get("required"), list):
        hidden = "readOnly" if writing else "writeOnly"
        made["required"] = [name for name in made["required"] if not _flag(properties.get(name), hidden)]
    if isinstance(properties, dict) and nullable == "all":
        made["properties"] = {name: {"anyOf": [item, {"type": "null"}]} for name, item in properties.items()}
    if made.get("nullable") is True:
        made.pop("nullable")
        return {"anyOf": [made, {"type": "null"}]}
    return made


def _flag(schema: Any, name: str) -> bool:
    return isinstance(schema, dict) and schema.get(name) is True


def resolve(document: Json, node: Json) -> Json:
    """The node that a local `$ref` leads to, or the node itself."""
    while "$ref" in node:
        target: Any = document
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = cast("Json", target)
    return node


def match_template(template: str, path: str) -> dict[str, str] | None:
    """The values of a template's placeholders, or None when the path is another one."""
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) != len(given):
        return None
    values: dict[str, str] = {}
    for part, text in zip(wanted, given, strict=True):
        if "{" not in part:
            if part != text:
                return None
            continue
        head, _, rest = part.partition("{")
        name, _, tail = rest.partition("}")
        if not text or not text.startswith(head) or not text.endswith(tail):
            return None
        values[name] = unquote(text[len(head) : len(text) - len(tail)])
    return values


def readings(text: str) -> Iterator[Any]:
    """What a parameter's text may stand for: a number, true or false, a list by commas."""
    with suppress(ValueError):
        yield json.loads(text)
    yield text.split(",")


def json_media(content: Json) -> Json:
    """The JSON entry of a `content` object; empty where there is none."""
    return cast("Json", next((media for name, media in content.items() if "json" in name), {}))


def describe(fault: ValidationError) -> str:
    """Where a value is wrong and why, with the alternatives that did not fit either."""
    at = "/".join(str(part) for part in fault.absolute_path) or "body"
    nested = "".join(f"\n    {describe(item)}" for item in (fault.context or [])[:6])
    return f"  {at}: {fault.message[:400]}{nested}"


def fill(value: Any, slots: Mapping[str, Any]) -> Any:
    """The value with each Slot replaced by its entry in `slots` (key: the slot's text), or by that text itself."""
    if isinstance(value, Slot):
        return slots.get(str(value), str(value))
    if isinstance(value, Mapping):
        return {key: fill(item, slots) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, slots) for item in value]
    if isinstance(value, str):
        for text, replacement in slots.items():
            value = value.replace(text, str(replacement))
    return value
