"""Named statements: `-- name: claim` opens one in the .sql file beside the module that uses it."""

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load(stem: str) -> dict[str, LiteralString]:
    """The statements of `<stem>.sql`, by name. The files ship with the package, so their text is trusted."""
    text = (Path(__file__).parent / f"{stem}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: cast("LiteralString", body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
