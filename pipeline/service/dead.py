"""Dead letters in an operator's hands: find, requeue, discard. Each letter is one transaction and one audit row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.domain.states import DeadLetterState
from pipeline.service.errors import NotFoundError, WrongUseError
from pipeline.service.subject import OWN, Own, parse
from pipeline.store import dead_letters, lanes, trace
from pipeline.store.dead_letters import DeadLetter
from pipeline.store.pool import Conn

ALL = 1_000_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Selection:
    """Which dead letters: by id, or those that wait and match what is given; `everything` asks for all that wait."""

    ids: tuple[str, ...] = ()
    target: str | None = None
    reason: str | None = None
    partner: str | None = None
    everything: bool = False

    @property
    def filters(self) -> bool:
        return bool(self.target or self.reason or self.partner)


@dataclass
class Done:
    """What was done, by letter: `unchanged` were not dead any more, `stuck` cannot be taken up again.

    `hints` are sent after the commits.
    """

    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    stuck: list[int] = field(default_factory=list)
    hints: set[str] = field(default_factory=set)


def select(conn: Conn, wanted: Selection, *, limit: int = ALL) -> list[DeadLetter]:
    """The letters meant. Raises NotFoundError for an unknown id, WrongUseError for a contradiction."""
    if wanted.ids and (wanted.filters or wanted.everything):
        raise WrongUseError("Ids and filters were given together.", "Give either ids, or filters, or --all.")
    if wanted.ids:
        return [one(conn, text) for text in dict.fromkeys(wanted.ids)]
    return dead_letters.listed(conn, queue=wanted.target, reason=wanted.reason, partner=wanted.partner, limit=limit)


def one(conn: Conn, text: str) -> DeadLetter:
    """The letter of `17`, `dead:17`, or of what died: `delivery:4`. Raises NotFoundError, WrongUseError."""
    wanted = Own("dead", int(text)) if text.isascii() and text.isdigit() else parse(text, ())
    if not isinstance(wanted, Own):
        raise WrongUseError(f"{text} names no dead letter.", f"Give a number, or one of {', '.join(OWN)} with one.")
    number = wanted.number if wanted.kind == "dead" else trace.letter_of(conn, wanted.kind, wanted.number)
    letter = None if number is None else dead_letters.get(conn, number)
    if letter is None:
        raise NotFoundError(f"There is no dead letter {text}.", "See `casebridge dead list`.")
    return letter


def requeue(conn: Conn, letters: Sequence[DeadLetter], *, actor: str, note: str, progress: Progress) -> Done:
    """Give the letters another turn; doing it twice does nothing the second time."""
    done = Done()
    for n, letter in enumerate(letters, 1):
        with conn.transaction():
            hints = dead_letters.requeue(conn, letter.id, actor=actor, note=note)
        if not hints and _is_dead(conn, letter):
            done.stuck.append(letter.id)  # an unreadable body names no object that could be read
        else:
            _count(done, letter, hints)
        progress(n, len(letters))
    return done


def dependants(conn: Conn, letters: Sequence[DeadLetter]) -> int:
    """How many deliveries wait for what these letters hold."""
    return sum(dead_letters.dependants(conn, one) for one in letters if one.delivery_id is not None)


def discard(
    conn: Conn, letters: Sequence[DeadLetter], *, actor: str, note: str, with_dependants: bool, progress: Progress
) -> Done:
    """Give the letters up; their lanes go on. What waited for them is cancelled, or goes on without them."""
    done = Done()
    for n, letter in enumerate(letters, 1):
        with conn.transaction():
            hints = dead_letters.discard(conn, letter.id, actor=actor, note=note, with_dependants=with_dependants)
            if hints and letter.case_id is not None:
                done.hints |= lanes.wake(conn, [letter.case_id])
        _count(done, letter, hints)
        progress(n, len(letters))
    return done


def _count(done: Done, letter: DeadLetter, hints: Sequence[str]) -> None:
    (done.changed if hints else done.unchanged).append(letter.id)
    done.hints |= set(hints)


def _is_dead(conn: Conn, letter: DeadLetter) -> bool:
    now = dead_letters.get(conn, letter.id)
    return now is not None and now.state == DeadLetterState.DEAD
