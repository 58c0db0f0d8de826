"""Every refusal as words: what is so, what to do next, and the exit code (decisions D18)."""

import contextlib
from collections.abc import Iterator, Sequence

import click
import psycopg

from pipeline.errors import CasebridgeError, ConfigurationError, Problem
from pipeline.service.errors import RefusedError, WrongUseError
from workers.cli.output import JSON_ASKED, write_json
from workers.embedded import ServicesError
from workers.instance import InstanceError

FAILED, WRONG_USE = 1, 2
CONFIGURE = "Correct these lines, then look again with `casebridge check`."


class Refusal(click.ClickException):
    """Ends a command; printed on standard error, and as JSON where that was asked for."""

    exit_code = FAILED

    def __init__(self, sentence: str, next_step: str = "", *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.next_step, self.problems = sentence, next_step, tuple(problems)
        context = click.get_current_context(silent=True)
        self.as_json = bool(context and context.find_root().meta.get(JSON_ASKED))

    def show(self, file: object = None) -> None:  # noqa: ARG002 -- click's signature
        """The words, then all problems, then the next step."""
        lines = [f"casebridge: {self.sentence}", *(f"  {one}" for one in self.problems), self.next_step]
        click.echo("\n".join(line for line in lines if line), err=True)
        if self.as_json:
            write_json(self._json())

    def _json(self) -> dict[str, object]:
        problems = [
            {"file": one.file, "line": one.line, "found": one.found, "expected": one.expected} for one in self.problems
        ]
        return {"ok": False, "error": self.sentence, "next_step": self.next_step, "problems": problems}


class WrongUse(Refusal):
    """The command line or the environment is incomplete or contradicts itself."""

    exit_code = WRONG_USE


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Translate what the rooms below raise on purpose; anything else is a fault of ours and keeps its traceback."""
    try:
        yield
    except RefusedError as error:
        refusal = WrongUse if isinstance(error, WrongUseError) else Refusal
        raise refusal(error.sentence, error.next_step) from error
    except ConfigurationError as error:
        raise of_configuration(error) from error
    except psycopg.OperationalError as error:
        words = str(error).strip().splitlines() or ["no reason given"]
        raise Refusal(f"PostgreSQL does not answer: {words[0]}", "See `casebridge status`.") from error
    except (CasebridgeError, ServicesError, InstanceError) as error:
        raise Refusal(str(error)) from error


def of_configuration(error: ConfigurationError) -> Refusal:
    """All faults at once; a missing variable is wrong use, a wrong file a failure."""
    missing = any(one.file == "environment" for one in error.problems)
    count = len(error.problems)
    sentence = f"{count} problem{'s' if count > 1 else ''} in the configuration:"
    return (WrongUse if missing else Refusal)(sentence, CONFIGURE, problems=error.problems)
