"""What README and handbook name exists: commands, options, variables, files, places within pages."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from docs.generate import DOCS, pages
from pipeline.connectors import discover
from pipeline.environment import variables
from workers.cli import cli

ROOT = DOCS.parent
PAGES = (ROOT / "README.md", *pages())
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(casebridge [^`]+)`")
VARIABLE = re.compile(r"\b(?:CASEBRIDGE|TRADING_GRID|GEMINI|ZENDESK|REDIS|DATABASE)_[A-Z_]*[A-Z]\b(?!\*)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@EVERY_PAGE
def test_a_fenced_command_is_one_that_can_be_typed(page: Path) -> None:
    """Given a command in a block, when its words are parsed as typed, then the command line takes them."""
    for line in _fenced(page.read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)[1:]
        command, context = _command(words, line)
        with context:
            command.make_context(context.info_name, _after(words, command), parent=context.parent)


@EVERY_PAGE
def test_a_command_in_a_sentence_exists(page: Path) -> None:
    """Given a command named in running text, then it is there, and so are its options."""
    for line in INLINE.findall(page.read_text(encoding="utf-8")):
        words = shlex.split(line)[1:]
        command, _ = _command(words, line)
        known = {name for one in command.params for name in one.opts + one.secondary_opts}
        assert {word for word in words if word.startswith("-")} <= known, line


@EVERY_PAGE
def test_a_variable_that_is_named_is_read(page: Path) -> None:
    """Given the name of an environment variable, then the code reads it."""
    declared = {one.name for one in variables(discover())}
    files = {f"{one.name}_FILE" for one in variables(discover()) if one.secret}
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8"))) - declared - files
    assert not [name for name in named if f'"{name}"' not in _source()]


@EVERY_PAGE
def test_a_link_leads_somewhere(page: Path) -> None:
    """Given a link within the repository, then the file is there, and so is the heading that it names."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in _anchors(target), f"{page.name}: {link}"


@EVERY_PAGE
def test_a_file_that_is_named_is_there(page: Path) -> None:
    """Given a path of ours in backticks, then it exists."""
    paths = re.findall(r"`((?:tests|pipeline|workers|sandbox|schemas|docs|deploy)/[\w./-]*)`", page.read_text("utf-8"))
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_make_targets_are_there() -> None:
    """Given a `make` target named in the README, then the Makefile has it."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_flows_that_are_described_are_those_that_run() -> None:
    """Given a page for each flow, then the code has that flow, and every flow but the relay's own has a page."""
    described = {page.stem for page in (DOCS / "flows").glob("[gz][0-9].md")}
    running = {path.name[:2] for path in (ROOT / "pipeline" / "flows").glob("[gz][0-9]_*.py")}
    assert running - {"g6"} == described  # of G6 there is the relay, which has a page of that name


def _fenced(text: str) -> Iterator[str]:
    for block in FENCE.findall(text):
        for line in block.splitlines():
            if (typed := line.removeprefix("$ ")).startswith("casebridge "):
                yield typed


def _command(words: list[str], line: str) -> tuple[click.Command, click.Context]:
    """The command that the first words name, and its context. Fails for one that does not exist."""
    command: click.Command = cli
    context = click.Context(cli, info_name="casebridge")
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, word)
        assert found is not None, f"no such command: {line}"
        command, context = found, click.Context(found, parent=context, info_name=word)
    return command, context


def _after(words: list[str], command: click.Command) -> list[str]:
    """The words behind the command's own name."""
    name = next(n for n, word in enumerate(words) if word == (command.name or "").rstrip("_") or _is(command, word))
    return words[name + 1 :]


def _is(command: click.Command, word: str) -> bool:
    found = cli.get_command(click.Context(cli), word)
    return found is command


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def _source() -> str:
    return "".join(
        path.read_text(encoding="utf-8") for room in ("pipeline", "workers") for path in (ROOT / room).rglob("*.py")
    )
