"""What a dead delivery does to its lane, and what a newer one does to an older (decisions D6)."""

from pipeline.domain.identity import digest
from schemas.operation import AnyOperation, Comment, OperationKind, State, Title, kind_of

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
    """Whether the newer absolute value makes the older one needless: same kind, same object."""
    return kind_of(new) in ABSOLUTE and kind_of(new) is kind_of(old) and new.link_id == old.link_id


def origin_of(operation: AnyOperation) -> str:
    """The source part that this operation mirrors, or ''."""
    return operation.origin if isinstance(operation, Comment) else ""
