"""The stock Webhooks app: item create and update only, unsigned, in an uncertain encoding, never retried."""

from __future__ import annotations

import itertools
import json
from typing import Any

from . import data
from .site import Site

Json = dict[str, Any]


def fire(site: Site, item_id: int, issue: Json, previous: Json | None) -> None:
    """Send {"Issue", "Previous"} of a created or updated item; the bodies hold what our user may not see."""
    if site.settings.webhook:
        body = encoded(site, {"Issue": issue, "Previous": previous})
        site.kit.hooks.send(data.HOOK_PATH, {}, body, obj=str(item_id))


def encoded(site: Site, envelope: Json) -> bytes:
    """The body's bytes: null members left out; no JSON content type, no signature go with it."""
    content = _without_nulls(envelope)
    if site.settings.webhook_references:
        content = _referenced(content, itertools.count(1))
    spelled = json.dumps(content, ensure_ascii=False)
    return spelled.encode("cp1252" if site.settings.webhook_encoding == "windows-1252" else "utf-8", "replace")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _referenced(value: Any, serial: itertools.count[int], seen: dict[str, str] | None = None) -> Any:
    """The spelling of PreserveReferencesHandling.All: $id on objects, $values for arrays, $ref for repeats.

    Equal objects stand for the same object here: the state is built anew for each body, so identity is lost.
    """
    seen = {} if seen is None else seen
    if isinstance(value, dict):
        key = json.dumps(value, sort_keys=True)
        if key in seen and value:
            return {"$ref": seen[key]}
        seen[key] = number = str(next(serial))
        return {"$id": number, **{name: _referenced(part, serial, seen) for name, part in value.items()}}
    if isinstance(value, list):
        number = str(next(serial))
        return {"$id": number, "$values": [_referenced(part, serial, seen) for part in value]}
    return value
