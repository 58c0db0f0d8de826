"""Which status stands for a milestone, and the way there that the type's workflow allows."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.wire import Json, entity, optional, plain
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError


def target_labels(state: str, awaiting_reason: str | None, options: Options) -> tuple[str, ...]:
    """The labels that mean the state, best first: with this reason, without any, with another one.

    Raises PermanentError that names the line missing from the configuration.
    """
    exact = f"{state}:{awaiting_reason}" if awaiting_reason else state
    without_reason = {label: name.partition(":")[0] for label, name in options.statuses.items()}
    plain_only = {label: name for label, name in options.statuses.items() if ":" not in name}
    for names, wanted in ((options.statuses, exact), (plain_only, state), (without_reason, state)):
        labels = tuple(label for label, name in names.items() if name == wanted)
        if labels:
            return labels
    known = ", ".join(sorted(set(options.statuses.values()))) or "nothing"
    raise PermanentError(
        Reason.UNMAPPED_STATUS,
        f"casebridge.yaml: gemini.statuses: found no label for {exact!r} among {known}, expected one",
    )


def shortest_path(types: Sequence[Json], type_id: int | None, start: int, goals: Iterable[int]) -> list[int] | None:
    """The statuses to pass through, the goal last; None where the workflow has no way.

    A type without a drawn workflow is not held to one: then the way is one hop.
    """
    goals = list(goals)
    moves = _moves(types, type_id)
    if not moves:
        return goals[:1] or None
    waiting, came_from = deque([start]), {start: start}
    while waiting:
        here = waiting.popleft()
        for there in moves.get(here, ()):
            if there not in came_from:
                came_from[there] = here
                waiting.append(there)
    reached = [goal for goal in goals if goal in came_from]
    return _walk(came_from, start, reached[0]) if reached else None


def next_labels(types: Sequence[Json], type_id: int | None, start: int, labels: Mapping[str, int]) -> str:
    """The statuses that the workflow allows from here, for the sentence of a refusal."""
    allowed = set(_moves(types, type_id).get(start, ()))
    return ", ".join(label for label, number in labels.items() if number in allowed) or "none"


def _walk(came_from: Mapping[int, int], start: int, goal: int) -> list[int]:
    path = [goal]
    while came_from[path[0]] != start:
        path.insert(0, came_from[path[0]])
    return path


def _moves(types: Sequence[Json], type_id: int | None) -> dict[int, list[int]]:
    """Status -> statuses allowed next. Groups of a transition are not judged: ours cannot be read (README)."""
    flow = _workflow(types, type_id)
    return {
        number: [there for step in row.get("Transitions") or () if (there := optional(step.get("StatusId")))]
        for row in flow.get("Status") or ()
        if (number := optional(row.get("StatusId")))
    }


def _workflow(types: Sequence[Json], type_id: int | None) -> Mapping[str, Any]:
    """The type's own workflow, or that of the type that it borrows from."""
    by_id = {optional(row.get("Id")): row for row in types}
    seen: set[int | None] = set()
    while type_id in by_id and type_id not in seen:
        seen.add(type_id)
        flow: Mapping[str, Any] = by_id[type_id].get("Workflow") or {}
        reference = optional(flow.get("ReferenceId"))
        if not reference:
            return flow
        type_id = reference
    return {}


def label_of(dto: Json) -> str:
    """The status label of an item's Dto."""
    return plain(dto.get("Status"))


def title_of(dto: Json) -> str:
    """The title of an item's Dto, as the site stored it."""
    return plain(entity(dto).get("Title"))
