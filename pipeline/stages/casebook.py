"""What transform knows of cases while it routes a batch: bindings by object, views by case, echoes."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.config import Config
from pipeline.connector import Link
from pipeline.domain.identity import digest
from pipeline.domain.states import LinkState
from pipeline.flow import CaseView, Flow, Opening
from pipeline.store import changes
from pipeline.store.changes import OpenChange
from pipeline.store.pool import Conn
from schemas.change import Change, ChangeKind, ObjectRef
from schemas.operation import OperationKind

VALUES = frozenset({ChangeKind.STATE, ChangeKind.TITLE, ChangeKind.PRIORITY})


class Casebook:
    """Bindings and cases, read once a batch and kept up to date as changes open cases."""

    def __init__(self, conn: Conn, config: Config, flows: Sequence[Flow]) -> None:
        self.conn, self.config, self.flows = conn, config, flows
        self._by_ref: dict[ObjectRef, list[int]] = {}
        self._views: dict[int, CaseView] = {}
        self.touched: set[int] = set()

    def cases_of(self, ref: ObjectRef) -> list[int]:
        """The cases that an object is bound to; usually one."""
        if ref not in self._by_ref:
            found = changes.links_of(self.conn, [ref])
            self._by_ref[ref] = list(dict.fromkeys(case_id for case_id, _ in found))
        return self._by_ref[ref]

    def partners_of(self, ref: ObjectRef) -> set[str]:
        """The partners in whose cases an object is; a case of nobody's counts for none."""
        return {self.view(case_id).partner_key for case_id in self.cases_of(ref)} - {""}

    def view(self, case_id: int) -> CaseView:
        """The case with all its links."""
        if case_id not in self._views:
            row = changes.cases(self.conn, [case_id])[0]
            wanted = [case_id] if row.previous is None else [case_id, row.previous]
            links: dict[int, list[Link]] = {one: [] for one in wanted}
            for owner, link in changes.links_of_cases(self.conn, wanted):
                links[owner].append(link)
            partner, earlier = self.config.partner(row.partner), links.get(row.previous or 0, [])
            self._views[case_id] = CaseView(
                row.id, partner, row.key, tuple(links[case_id]), row.partner, tuple(earlier), row.previous
            )
        return self._views[case_id]

    def forget(self, case_id: int) -> None:
        """Read the case anew when it is next needed."""
        self._views.pop(case_id, None)
        self._by_ref.clear()

    def add(self, case_id: int, link: Link) -> None:
        """A link made in this batch."""
        view = self.view(case_id)
        self._views[case_id] = replace(view, links=(*view.links, link))

    def open(self, opening: Opening, change: Change) -> int:
        """Open or join the case of an opening and bind the changed object to it."""
        window = self.config.settings.join_window_days
        case_id = changes.open_or_join(self.conn, opening, window_days=window)
        if self.view(case_id).link_of(change.ref) is None:
            url = change.snapshot.url
            link_id = changes.bind(self.conn, case_id, change.ref, url=url, exclusive=opening.exclusive)
            ref = change.ref
            self.add(case_id, Link(link_id, ref.system, ref.kind, ref.external_id, LinkState.BOUND.value, url))
            self._by_ref.setdefault(ref, []).append(case_id)
        return case_id

    def echo(self, item: OpenChange, cases: Sequence[int]) -> int | None:
        """The delivery that this change echoes: our actor AND a matching recorded operation (flows.md rule 4)."""
        change = item.change
        if not change.author.ours:
            return None
        by_mark = changes.by_marks(self.conn, item.source, change.marks) if change.marks else {}
        for mark in change.marks:
            if mark in by_mark and (not cases or by_mark[mark][1] in cases):
                return by_mark[mark][0]
        found = changes.by_parts(self.conn, item.source, _parts(change))
        if found:
            return next(iter(found.values()))
        return self._by_value(item, cases) if cases else None

    def _by_value(self, item: OpenChange, cases: Sequence[int]) -> int | None:
        """A recorded write of the same value; a state may also be a hop on the way to the one that we wrote."""
        echo = self._echo_of(item.change)
        if echo is not None:
            taken = changes.take_echo(self.conn, item.source, cases, echo, item.id)
            if taken is not None:
                return taken
        if item.change.kind is ChangeKind.STATE:
            return changes.hop_of(self.conn, item.source, cases, item.change.at)
        return None

    def _echo_of(self, change: Change) -> str | None:
        """The change in the words of `pipeline.domain.lanes.echo_digest`, where it carries no mark of ours."""
        if change.kind is ChangeKind.TITLE:
            return f"{OperationKind.TITLE}:{digest(change.snapshot.title)}"
        if change.kind is not ChangeKind.STATE:
            return None
        canonical = (flow.state_of(change, self.config) for flow in self.flows if flow.source == change.ref.system)
        state = next((state for state in canonical if state is not None), None)
        return None if state is None else f"{OperationKind.STATE}:{state}"

    def is_overtaken(self, item: OpenChange, cases: Sequence[int]) -> bool:
        """Whether a newer value of the same thing went out while this one lay among the dead letters (rule 6)."""
        if item.change.kind not in VALUES or not cases:
            return False
        newer = changes.overtaken_by(self.conn, cases, item.id)
        return any(one.details.keys() == item.change.details.keys() for one in newer)

    def must_wait(self, item: OpenChange, cases: Sequence[int]) -> bool:
        """Whether a write of ours that has not settled may explain this change, or may be about to bind its object."""
        if item.change.author.ours and changes.in_flight(self.conn, item.source, cases or None, read_at=item.read_at):
            return True
        return not cases and self._is_being_bound(item.change)

    def _is_being_bound(self, change: Change) -> bool:
        """An unbound object that names a counterpart whose case waits for exactly such an object."""
        refs = [ref for ref in map(parse_ref, change.snapshot.bound) if ref is not None]
        if not refs:
            return False
        kind = (change.ref.system, change.ref.kind, LinkState.PLANNED.value)
        views = [self.view(case_id) for case_id in dict.fromkeys(c for c, _ in changes.links_of(self.conn, refs))]
        return any((link.system, link.kind, link.state) == kind for view in views for link in view.links)


def parse_ref(text: str) -> ObjectRef | None:
    """`system:kind:id` as an ObjectRef; None for anything else."""
    parts = text.split(":", 2)
    return ObjectRef(*parts) if len(parts) == 3 and all(parts) else None


def _parts(change: Change) -> list[tuple[str, str]]:
    """Under which (kind, id) our own write would have recorded this change."""
    found = [("change", change.external_id)]
    kind, _, rest = change.external_id.partition(":")
    if rest:
        found.append((kind, rest.partition(":")[0]))
    if change.part_id:
        found.extend((name, change.part_id) for name in ("comment", "post", "audit", "attachment"))
    return found
