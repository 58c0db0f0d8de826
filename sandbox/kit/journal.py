"""The effect log: one entry for each thing that really happened in a system's state."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO


class Journal:
    """Append-only list of effects, in memory and, with a path, in a JSON-lines file flushed line by line.

    A file that exists already is continued: its entries are read and the numbering goes on, so a killed
    sandbox loses nothing that it had told anybody.
    """

    def __init__(self, path: Path | None = None, *, now: Callable[[], datetime] | None = None) -> None:
        self._path = path
        self._now = now
        self._entries: list[dict[str, Any]] = []
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._entries = _read(path)
            self._file = path.open("a", encoding="utf-8")

    def record(self, effect: str, obj: str, *, by: str, **facts: Any) -> int:
        """Write one effect on object `obj` caused `by` somebody; returns its number (from 1).

        Called in the same step as the change itself, before the answer is sent. `facts` are JSON-ready.
        """
        entry: dict[str, Any] = {"n": len(self._entries) + 1, "effect": effect, "obj": str(obj), "by": by}
        if self._now is not None:
            entry["at"] = self._now().isoformat()
        entry.update(facts)
        if self._file is not None:
            self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
            self._file.flush()
        self._entries.append(entry)
        return int(entry["n"])

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """All entries whose number is above `since`, oldest first."""
        return self._entries[max(since, 0) :]

    def clear(self) -> None:
        """Forget everything; the file becomes empty."""
        self._entries = []
        if self._file is not None:
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()


def _read(path: Path) -> list[dict[str, Any]]:
    """The whole lines of an earlier run; a line cut short by a kill is taken off the file."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.decode("utf-8").splitlines()]
