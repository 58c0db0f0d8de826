"""`casebridge check`: configuration, environment and systems, before the start."""

from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.connectors import discover
from pipeline.service.check import Report, as_json, check
from workers.cli.attach import attach
from workers.cli.output import Output, reports
from workers.cli.refusal import FAILED


@click.command()
@click.option("--offline", is_flag=True, help="Ask no system.")
@click.option("--file", type=click.Path(path_type=Path), help="Another configuration file than CASEBRIDGE_CONFIG.")
@reports
def command(out: Output, file: Path | None, *, offline: bool) -> None:
    """Everything that is wrong, at once: the environment, casebridge.yaml, what it names at the three systems.

    \b
    casebridge check              asks the systems too, by reads alone
    casebridge check --offline    in a build
    """
    with out.progress("asking the systems"):
        report = check(attach().env, discover(), file=file, offline=offline)
    for problem in report.problems:
        out.say(str(problem))
    out.data(as_json(report), lambda: "\n".join(_lines(report)))
    if not report.ok:
        count = len(report.problems)
        out.say(f"{count} problem{'s' if count > 1 else ''}. Correct {'them' if count > 1 else 'it'} and check again.")
        click.get_current_context().exit(FAILED)


def _lines(report: Report) -> Iterator[str]:
    for name, value in report.environment.items():
        yield f"{name}={value}"
    yield f"PostgreSQL: {report.database_url or 'embedded, started by `casebridge up`'}"
    yield f"Redis: {report.redis_url or 'embedded, started by `casebridge up`'}"
    for name, one in report.targets.items():
        words = {None: "not asked", True: "answers", False: "does not answer"}
        yield f"{name}: {one.url} {words[one.answers]}" + (f", lacks {len(one.missing)}" if one.missing else "")
