"""What a dead delivery does to its lane, and what a newer one does to an older (decisions D6)."""

from pipeline.domain.identity import digest
from schemas.operation import AnyOperation, Comment, Fields, OperationKind, State, Title, kind_of

BLOCKING = frozenset({OperationKind.CREATE, OperationKind.BIND})
ABSOLUTE = frozenset({OperationKind.STATE, OperationKind.TITLE, OperationKind.FIELDS})


def blocks(kind: OperationKind, *, named_in_needs: bool = False, comments_block: bool = False) -> bool:
    """Whether the lane stops at a dead delivery of this kind until a person comes."""
    if kind in BLOCKING or named_in_needs:
        return True
    return comments_block and kind in {OperationKind.COMMENT, OperationKind.FILE}


def echo_digest(operation: AnyOperation) -> str | None:
    """What this operation may come back as when the target keeps no mark of ours: canonical words, not the target's."""
    if isinstance(operation, State):
        return f"{OperationKind.STATE}:{operation.state}:{operation.awaiting_reason or ''}"
    if isinstance(operation, Title):
        return f"{OperationKind.TITLE}:{digest(operation.title.body)}"
    return None


def supersedes(new: AnyOperation, old: AnyOperation) -> bool:
    """Whether the newer absolute value makes the older one needless: same kind, same object, nothing left out.

    Fields are values of their own, each; and the word of receipt with the case number is told whatever comes after.
    """
    if kind_of(new) not in ABSOLUTE or kind_of(new) is not kind_of(old) or new.link_id != old.link_id:
        return False
    if isinstance(new, Fields) and isinstance(old, Fields):
        return set(old.values) <= set(new.values)
    return not (isinstance(old, State) and "number_of" in old.details)


def origin_of(operation: AnyOperation) -> str:
    """The source part that this operation mirrors, or ''."""
    return operation.origin if isinstance(operation, Comment) else ""
