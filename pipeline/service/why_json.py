"""A story as plain values: what `why --json` prints and the web answers."""

from typing import Any

from pipeline.service.standing import Standing
from pipeline.service.why import ChangeStep, DeliveryStep, Story
from pipeline.store.trace import SignalRow


def as_json(story: Story) -> dict[str, Any]:
    """The whole chain; `reasons` lists the one reason of each end, in the story's order."""
    return {
        "id": story.subject,
        "reasons": [end.reason.value for end in story.ends],
        "signals": [_signal(row, one) for row, one in story.signals],
        "changes": [_change(step) for step in story.changes],
        "deliveries": [_delivery(step) for step in story.loose],
        "links": list(story.links),
    }


def _signal(row: SignalRow, one: Standing | None) -> dict[str, Any]:
    return {
        "id": f"signal:{row.id}", "source": row.source, "key": row.key, "object": row.object, "via": row.via,
        "state": row.state, "received_at": row.received_at, **_reason(one),
    }  # fmt: skip


def _change(step: ChangeStep) -> dict[str, Any]:
    row = step.row
    return {
        "id": f"change:{row.id}", "source": row.source, "external_id": row.external_id, "object": row.object,
        "kind": row.kind, "state": row.state, "case_id": row.case_id, "read_at": row.read_at, **_reason(step.standing),
        "deliveries": [_delivery(one) for one in step.deliveries],
    }  # fmt: skip


def _delivery(step: DeliveryStep) -> dict[str, Any]:
    row = step.row
    return {
        "id": f"delivery:{row.id}", "target": row.target, "case_id": row.case_id, "flow": row.flow, "name": row.name,
        "kind": row.kind, "state": row.state, "tries": row.tries if row.seq == row.head + 1 else None,
        "attempted_at": row.attempted_at, **_reason(step.standing),
    }  # fmt: skip


def _reason(one: Standing | None) -> dict[str, Any]:
    if one is None:
        return {}
    return {
        "reason": one.reason.value, "sentence": one.sentence, "detail": one.detail, "next_step": one.advice,
        "final": one.final,
    }  # fmt: skip
