"""What no single key can tell: partners are told apart, by their own keys and by their ids at every system."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.configuration.yaml_text import Document, Path, dotted
from pipeline.errors import Problem


def cross(document: Document, systems: Mapping[str, str]) -> Iterator[Problem]:
    """Faults between partners, on the values as written, so that they show beside all others at once."""
    partners = document.data.get("partners")
    rows = [(index, row) for index, row in enumerate(partners if isinstance(partners, list) else ())
            if isinstance(row, dict)]  # fmt: skip
    keys = [(str(row["key"]), index, ("partners", index, "key")) for index, row in rows if _is_id(row.get("key"))]
    yield from _repeated(document, keys, "a key of its own for each partner")
    for system, title in systems.items():
        ids = [place for index, row in rows for place in _ids(row.get(system), index, ("partners", index, system))]
        yield from _repeated(document, ids, f"an id that no other partner has at {title}")


def _ids(value: Any, index: int, path: Path) -> Iterator[tuple[str, int, Path]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if _is_id(member):
                yield str(member).strip(), index, (*path, name)
    elif _is_id(value):
        yield str(value).strip(), index, path


def _repeated(document: Document, places: Iterable[tuple[str, int, Path]], expected: str) -> Iterator[Problem]:
    first: dict[str, tuple[int, Path]] = {}
    for text, index, path in places:
        owner, earlier = first.setdefault(text, (index, path))
        if owner != index:
            found = f"{dotted(path)}: {text!r} again (first in line {document.line(earlier)}: {dotted(earlier)})"
            yield document.problem(path, found, expected)


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip() != ""
