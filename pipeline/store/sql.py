"""Named statements: `-- name: claim` opens one in the .sql file beside the module that uses it."""

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def storable(text: str, longest: int = 2000) -> str:
    """A text as PostgreSQL takes it: no NUL, no half of a surrogate pair, cut to its bound."""
    return text[:longest].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


@cache
def load(stem: str) -> dict[str, LiteralString]:
    """The statements of `<stem>.sql`, by name. The files ship with the package, so their text is trusted."""
    text = (Path(__file__).parent / f"{stem}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: cast("LiteralString", body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
