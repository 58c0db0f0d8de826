"""The wake-up of the vendor's Webhooks app: unsigned, lossy, perhaps windows-1252; only the item's id is used."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.connector import Signal, UnreadableError


def receive(raw: bytes) -> Signal:
    """The signal that a body stands for. Raises UnreadableError; the path's secret was checked before (web)."""
    key = hashlib.sha256(raw).hexdigest()
    try:
        envelope = json.loads(_decode(raw))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(key, f"found no JSON, expected an item: {error}") from error
    item_id = _item_id(envelope)
    if item_id is None:
        raise UnreadableError(key, "found no Issue with an Id, expected the number of an item")
    return Signal(key=key, object=f"item:{item_id}", raw=raw)


def _decode(raw: bytes) -> str:
    """UTF-8 strictly, else the server's ANSI page; what even that page lacks cannot matter to a number."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _item_id(envelope: Any) -> int | None:
    """Issue.BaseEntity.Id or Issue.Id, through `$ref` where the serializer kept references."""
    named = {str(node["$id"]): node for node in _objects(envelope) if "$id" in node}

    def follow(node: Any) -> Mapping[str, Any]:
        if isinstance(node, dict) and "$ref" in node:
            node = named.get(str(node["$ref"]))
        if isinstance(node, dict) and isinstance(node.get("$values"), list):
            node = next(iter(node["$values"]), None)
        return node if isinstance(node, dict) else {}

    issue = follow(follow(envelope).get("Issue"))
    entities = (follow(issue.get("BaseEntity")), follow(issue.get("Entity")), issue)
    return next((found for entity in entities if (found := _number(entity.get("Id"))) is not None), None)


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    return value if isinstance(value, int) and 0 < value < 10**12 else None
