"""YAML as plain values that remember their lines: the core rules of YAML 1.2, so `On` and `0500` stay text.

PyYAML composes the nodes and constructs nothing. Keys are always text as written; tags of programming languages,
merge keys, aliases that multiply and nesting without end are faults like any other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.reader import ReaderError

from pipeline.errors import ConfigurationError, Problem

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 50_000  # counted with what aliases repeat: nine lines of aliases can stand for a billion values

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_TOO_DEEP = f"lists or mappings within one another, more than {MAX_DEPTH} deep"
_SCALARS: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {  # tag -> spelling, first characters, value
    "null": (r"~|null|Null|NULL|", "~nN", lambda _: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    # A leading zero, and more digits than any number here needs, mean an id: it stays text.
    "int": (r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789", int),
    "float": (r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", "-0123456789", float),
}
_BY_FIRST_CHARACTER = {
    first: [(_TAG + tag, re.compile(rf"(?:{spelling})\Z")) for tag, (spelling, firsts, _) in _SCALARS.items()
            if first in firsts]
    for first in "~nNtTfF-0123456789"
} | {"": [(_TAG + "null", re.compile(r"\Z"))]}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Composes nodes only, resolves plain scalars by the table above, refuses nesting that exhausts the stack."""

    yaml_implicit_resolvers = _BY_FIRST_CHARACTER
    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ComposerError(None, None, _TOO_DEEP, self.get_mark())
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass
class Document:
    """What a file says: plain values, the line of each path, and the faults that are YAML's own."""

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of the path, or of the closest thing around it that is there."""
        return next(self.lines[path[:size]] for size in range(len(path), -1, -1) if path[:size] in self.lines)

    def value(self, path: Path) -> Any:
        """The value at a path. Raises LookupError where nothing is."""
        value: Any = self.data
        for step in path:
            known = dict(enumerate(value)) if isinstance(value, list) else value
            value = (known if isinstance(known, dict) else {})[step]
        return value

    def problem(self, path: Path, found: str, expected: str, *, line: int | None = None) -> Problem:
        """A fault at this path."""
        return Problem(self.file, line or self.line(path), found, expected)


def read(text: str, file: str) -> Document:
    """The document of a YAML text. Raises ConfigurationError where it is no YAML or no mapping at its top."""
    root = _compose(text, file)
    if not isinstance(root, MappingNode):
        found = "nothing" if root is None else "a text or a list"
        line = 1 if root is None else root.start_mark.line + 1
        raise ConfigurationError([Problem(file, line, found, "keys with values, the first one `version: 1`")])
    document = Document(file, lines={(): 1})
    document.data = _Reader(document).mapping(root, ())
    return document


def dotted(path: Path) -> str:
    """A path as people read it: `partners[0].zendesk.organization`, `gemini.statuses["In Progress"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w#@/-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def _compose(text: str, file: str) -> Node | None:
    if len(text) > MAX_CHARACTERS:
        found = f"a file of {len(text):,} characters"
        raise ConfigurationError([Problem(file, None, found, f"at most {MAX_CHARACTERS:,}")])
    try:
        return yaml.compose(text, Loader=_Loader)
    except ReaderError as error:
        found = f"the character U+{int(error.character):04X}"  # the stub says text; PyYAML puts the code point there
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError([Problem(file, line, found, "printable text: remove it")]) from error
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError([_syntax(error, file)]) from error
    except (ValueError, OverflowError) as error:  # PyYAML converts escapes and directives without looking at them
        problem = Problem(file, None, f"a number that YAML cannot read ({error})", "no such escape or %YAML line")
        raise ConfigurationError([problem]) from error


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else None
    problem = (error.problem or error.context or "no YAML").removeprefix("found ")
    if r"'\t'" in problem:
        return Problem(file, line, "a tab", "blanks: YAML allows no tab before a key or a value; replace every one")
    if "single document" in (error.context or ""):
        return Problem(file, line, "a second document (`---`)", "one document: remove the line `---`")
    if problem == _TOO_DEEP:
        return Problem(file, line, problem, "fewer levels; casebridge.yaml needs five at most")
    around = f" {error.context}" if error.context else ""
    found = f"{problem}{around}".replace("\n", " ")
    return Problem(file, line, found, "YAML: look at the quotes, colons, brackets and blanks in and above this line")


class _Reader:
    """Turns nodes into values and notes each path's line; `open` are the nodes around the current one."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self._open: set[int] = set()

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            name = self._key(key, path)
            if name is None:
                continue
            at = (*path, name)
            if name in result:
                first = self._document.line(at)
                self._fault(key, f"{dotted(at)} a second time (first in line {first})", "one such line: remove one")
                continue
            self._document.lines[at] = key.start_mark.line + 1
            result[name] = self._value(value, at)
        return result

    def _key(self, node: Node, path: Path) -> str | None:
        if not isinstance(node, ScalarNode):
            self._fault(node, f"a list or mapping as a key{_within(path)}", "a text as the key")
            return None
        if node.value == "<<" and node.style is None:
            self._fault(node, f"the merge key <<{_within(path)}", "the keys written out; aliases are for values")
            return None
        return str(node.value)

    def _value(self, node: Node, path: Path) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            found = f"more than {MAX_VALUES:,} values, counting what aliases repeat"
            raise ConfigurationError([self._document.problem(path, found, "fewer: write the values without aliases")])
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._fault(node, f"{dotted(path)}: an alias of what it stands in", "a value that ends")
            return None
        self._open.add(id(node))
        try:
            return self._collection(node, path)
        finally:
            self._open.discard(id(node))

    def _collection(self, node: Node, path: Path) -> Any:
        if node.tag not in {_TAG + "map", _TAG + "seq"}:
            self._foreign(node, path)
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        items = []
        for index, item in enumerate(node.value):
            self._document.lines[(*path, index)] = item.start_mark.line + 1
            items.append(self._value(item, (*path, index)))
        return items

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = node.tag.removeprefix(_TAG)
        if tag == "str":
            return node.value
        spelling, _, convert = _SCALARS.get(tag, ("(?!)", "", str))
        if re.fullmatch(spelling, node.value) is None:
            self._foreign(node, path)
            return None
        return convert(node.value)

    def _foreign(self, node: Node, path: Path) -> None:
        self._fault(node, f"{dotted(path)}: the tag {node.tag}", "a plain value without a tag")

    def _fault(self, node: Node, found: str, expected: str) -> None:
        line = node.start_mark.line + 1
        self._document.problems.append(Problem(self._document.file, line, found, expected))


def _within(path: Path) -> str:
    return f" in {dotted(path)}" if path else ""
