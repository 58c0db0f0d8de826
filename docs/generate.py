"""Writes the parts of these pages that the code knows best: `python -m docs.generate`; a test compares them.

A generated part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; everything around it is written by hand.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import yaml

from pipeline.configuration import json_schema
from pipeline.connector import Variable
from pipeline.connectors import discover
from pipeline.domain.reason import Reason
from pipeline.domain.states import MOVES
from pipeline.environment import CORE
from workers.cli import cli

DOCS = Path(__file__).parent
EXAMPLE = DOCS.parent / "casebridge.example.yaml"
PART = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
COMMENT = re.compile(r"\s#\s+(.*)$")
DEFAULT = re.compile(r"(?:;\s*)?default(?::| as ).*$")  # it has a column of its own
OURS = re.compile(r"\s*\(decisions [^)]*\)")  # names of our own papers say nothing to a reader
NAMED = ("types", "fields")  # maps whose keys are purposes that casebridge knows; the example explains each
MEANINGS = {  # of keys that neither the schema nor the commented example explains whole
    "gemini.statuses": "every status label of the types above -> new, received, assigned, in_progress, awaiting_partner"
    " (also with :input, :documents, :confirmation or :correction), awaiting_approval, resolved, closed, withdrawn;"
    " an unmapped one stops its case",
    "allow_private": "may the system have a private address?",
    "allow_http": "may it be reached without TLS?",
    "gemini.limits[].name": "what the limit is called in Redis",
    "gemini.limits[].amount": "how many calls",
    "gemini.limits[].seconds": "in how many seconds",
    "gemini.limits[].method": "only calls of this method; empty: all",
    "gemini.limits[].path_prefix": "only calls whose path begins so; empty: all",
    "trading_grid.limits": "rate limits of the client",
    "trading_grid.limits.requests_per_minute": "calls a minute that the client may make",
}


def variables() -> str:
    """Every environment variable, the core's first, as tables."""
    groups = {"casebridge": CORE, **{one.title: one.variables for one in discover().values()}}
    return "\n\n".join(f"### {title}\n\n{_variables(found)}" for title, found in groups.items())


def keys() -> str:
    """Every key of casebridge.yaml with its value, default and meaning, a table for each section."""
    known, comments = json_schema(discover()), example_comments()
    parts = []
    for name, value in known["properties"].items():
        required = name in known["required"]
        rows = [_row(name, value, comments, required=required), *_rows(name, value, comments)]
        parts.append(f"### `{name}`\n\n" + _table(("key", "value", "default", "meaning"), rows))
    return "\n\n".join(parts)


def reasons() -> str:
    """The closed list of reasons."""
    rows = [(f"`{one.value}`", one.sentence, _code(one.next_step)) for one in Reason]
    return _table(("reason", "what it says", "what to do next"), rows)


def states() -> str:
    """One Mermaid diagram for each kind of row that has states."""
    return "\n\n".join(_diagram(kind, moves) for kind, moves in MOVES.items())


def commands() -> str:
    """Every command with its arguments and its first sentence."""
    root = click.Context(cli, info_name="casebridge")
    return _table(("command", "what it does"), list(_commands(cli, root)))


PARTS: Mapping[str, Callable[[], str]] = {
    "variables": variables,
    "keys": keys,
    "reasons": reasons,
    "states": states,
    "commands": commands,
}


def current(page: str) -> str:
    """The page with its generated parts as they should be. Raises KeyError for a part that nobody makes."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", page)


def pages() -> list[Path]:
    """Every page of the handbook."""
    return sorted(DOCS.rglob("*.md"))


def example_comments() -> dict[str, str]:
    """Path of a key -> what the commented example says beside it, for keys that begin their line."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return dict(_comments(yaml.compose(text), "", text.splitlines()))


def _comments(node: yaml.Node | None, path: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.SequenceNode):
        for item in reversed(node.value):  # the first entry is the fullest, so it has the last word
            yield from _comments(item, f"{path}[]", lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{path}.{key.value}".removeprefix(".")
            line = lines[key.start_mark.line]
            begins = not line[: key.start_mark.column].strip(" -")
            if begins and (found := COMMENT.search(line)) and (said := DEFAULT.sub("", found[1]).strip(" ;")):
                yield name, said
            yield from _comments(value, name, lines)


def _variables(found: Iterable[Variable]) -> str:
    rows = [
        (f"`{one.name}`", "yes" if one.required else "", "yes" if one.secret else "", _code(one.meaning))
        for one in found
    ]
    return _table(("variable", "required", "secret", "meaning"), rows)


def _rows(path: str, value: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    if value.get("type") == "array":
        yield from _rows(f"{path}[]", value["items"], comments)
    for name, member in value.get("properties", {}).items():
        inner = f"{path}.{name}"
        yield _row(inner, member, comments, required=name in value.get("required", ()))
        yield from _rows(inner, member, comments)
    if path.rpartition(".")[2] in NAMED:
        entries = [(one, said) for one, said in comments.items() if one.startswith(f"{path}.")]
        yield from ((f"`{one}`", "", "", _code(said)) for one, said in entries)


def _row(path: str, value: Mapping[str, Any], comments: Mapping[str, str], *, required: bool) -> tuple[str, ...]:
    said, described = comments.get(path), value.get("description")
    if "properties" in value or path.rpartition(".")[2] == "comments":  # the comment is about what stands inside
        said, described = described, said
    meaning = MEANINGS.get(path) or said or described or MEANINGS.get(path.rpartition(".")[2], "")
    return f"`{path}`", _value(value), "required" if required else _default(value), _code(OURS.sub("", meaning))


def _value(value: Mapping[str, Any]) -> str:
    """What may stand there, in words."""
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_value(one) for one in value["anyOf"] if one.get("type") != "null"))
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    words = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "text"}
    word = words.get(value.get("type", ""), {"array": "a list", "object": "a mapping"}.get(value.get("type", ""), ""))
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None:
        word += f", {low} to {high}" if high is not None else f", at least {low}"
    return word


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}) or value.get("properties"):
        return ""
    if isinstance(default, Mapping):
        return ", ".join(f"`{name}: {value}`" for name, value in default.items())
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _diagram(kind: type[StrEnum], moves: Mapping[StrEnum, frozenset[StrEnum]]) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__.removesuffix("State"))
    first = next(iter(kind))
    ends = [state for state in kind if not moves.get(state)]
    lines = [f"    [*] --> {first.value}"]
    lines += [f"    {before.value} --> {after.value}" for before in kind for after in sorted(moves.get(before, ()))]
    lines += [f"    {state.value} --> [*]" for state in ends]
    return f"## {name.capitalize()}\n\n```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```"


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            if not found.hidden:
                yield from _commands(found, click.Context(found, parent=context, info_name=name))
        return
    arguments = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
    yield f"`{' '.join([context.command_path, *arguments])}`", _code(command.get_short_help_str(limit=200))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---" for _ in columns], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(text: str) -> str:
    """Angle brackets would be taken for markup."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def main() -> None:
    """Bring all pages up to date."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (wanted := current(text)) != text:
            page.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
