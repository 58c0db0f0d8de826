"""The writing half: what each operation means at Zendesk, as reads to make first and writes to send (pure)."""

from collections.abc import Iterator, Mapping

from pipeline.config import Config
from pipeline.connector import Facts, Work
from pipeline.connectors.zendesk import judge, look_up, redact, requests, say, texts, values
from pipeline.connectors.zendesk.settings import SYSTEM, Options, root_of
from pipeline.connectors.zendesk.values import ticket_in
from pipeline.connectors.zendesk.wire import Json, identifier
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request, Slot
from schemas.content import Text
from schemas.operation import Attach, Bind, Comment, Create, Fields, Redact, State, Title

ABSOLUTE = (State, Title, Fields, Redact)  # written as a value: a repeat is compared, not looked up


class ZendeskTarget:
    """Tickets of one account. Nothing here reaches a partner: every comment is private (decisions D8)."""

    def __init__(self, env: Mapping[str, str], config: Config) -> None:
        self._root_url = root_of(env)
        self._options = Options.of(config)

    def facts(self, work: Work) -> Plan:
        """The ticket where the write depends on it, its comments where a text comes in parts; mostly nothing."""
        return Plan(SYSTEM, tuple(self._reads(work)))

    def plan(self, work: Work, facts: Facts) -> Plan:
        """The writes; empty when it is so already. Raises PermanentError for what must not be written."""
        operation = work.operation
        if isinstance(operation, Create):
            return self._create(operation, work)
        if isinstance(operation, Comment):
            return say.comment(operation, work, facts, self._options)
        if isinstance(operation, Attach):
            return say.attach(operation, work, facts)
        if isinstance(operation, Bind):
            return say.plan(_binding(operation, work), work, facts, may_follow_up=False)
        if isinstance(operation, State):
            return self._state(operation, work, facts)
        if isinstance(operation, Redact):
            return Plan(SYSTEM, redact.redactions(operation, work, facts))
        return self._setting(operation, work, facts)

    def find(self, work: Work) -> Plan:
        """Notes and creates by mark and external id. Empty for values: they are compared before they are written."""
        if isinstance(work.operation, ABSOLUTE) and not self._bodies(work):
            return Plan(SYSTEM)
        return Plan(SYSTEM, look_up.reads(work))

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        """The receipt of an earlier attempt that arrived whole; None where something is still to be written."""
        if isinstance(work.operation, Create):
            return look_up.made_ticket(work, answers, self._root_url)
        bodies = self._bodies(work)
        return look_up.made_note(work, answers, len(bodies), self._root_url) if bodies else None

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:  # noqa: ARG002 -- the socket's signature
        """What one answer means (judge.py)."""
        return judge.judge(request, answer, self._options)

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        """Comment, attachment and audit ids; the bound ticket of a create or a follow-up."""
        return look_up.receipt(work, answers, self._root_url)

    def _reads(self, work: Work) -> Iterator[Request]:
        operation = work.operation
        if isinstance(operation, Create):
            return
        number = identifier(requests.current(work).external_id)
        if number is None:
            return
        if isinstance(operation, Redact):
            yield from redact.read_copies(operation, work)
            return
        if isinstance(operation, State | Title | Fields) or self._depends(operation):
            yield requests.read_ticket(number)
        if _brings_bytes(operation):
            yield requests.read_settings()
        if len(self._bodies(work)) > 1:
            yield requests.read_comments(number)

    def _depends(self, operation: object) -> bool:
        """Whether a comment reads the ticket first: to open it again if solved, or to guard the field it fills."""
        if not isinstance(operation, Comment):
            return False
        return say.reopens(operation, self._options) or bool(values.update_field(operation, self._options))

    def _bodies(self, work: Work) -> list[str]:
        """The comments that the operation makes, as HTML."""
        operation = work.operation
        if isinstance(operation, Comment):
            return texts.comment_bodies(operation, work)
        if isinstance(operation, Attach):
            return say.file_bodies(operation, "")
        if isinstance(operation, Bind):
            return _binding(operation, work)
        return _explanation(operation) if isinstance(operation, State) else []

    def _create(self, operation: Create, work: Work) -> Plan:
        made = requests.create(requests.CREATE, values.new_ticket(operation, work, self._options), work)
        ticket = str(Slot(requests.CREATE, "ticket.id"))
        bodies = values.first_bodies(operation)
        return Plan(SYSTEM, (made, *say.parts(bodies, ticket, work, {}, (), skip={1})))

    def _state(self, operation: State, work: Work, facts: Facts) -> Plan:
        ticket = ticket_in(facts)
        wanted = values.state(operation, ticket, self._options)
        bodies = _explanation(operation)
        if not bodies or (say.takes_no_more(facts) and not wanted):
            return self._guarded(wanted, work, ticket)
        guard = requests.guard(ticket) if wanted else {}
        return say.plan(bodies, work, facts, also={**wanted, **guard}, may_follow_up=False)

    def _setting(self, operation: Title | Fields, work: Work, facts: Facts) -> Plan:
        ticket = ticket_in(facts)
        if isinstance(operation, Title):
            wanted = values.title(operation, ticket)
        else:
            wanted = values.fields(operation, ticket, self._options)
        if wanted and say.takes_no_more(facts):
            raise PermanentError(Reason.TARGET_CLOSED, "the ticket is closed for changes")
        return self._guarded(wanted, work, ticket)

    def _guarded(self, wanted: Json, work: Work, ticket: Json) -> Plan:
        if not wanted:
            return Plan(SYSTEM)
        slot = requests.current(work).slot
        return Plan(SYSTEM, (requests.update("update", slot, {**wanted, **requests.guard(ticket)}, work, work.mark),))


def _brings_bytes(operation: object) -> bool:
    if isinstance(operation, Comment):
        return any(file.stored is not None for file in operation.files)
    return isinstance(operation, Attach) and operation.stored is not None


def _binding(operation: Bind, work: Work) -> list[str]:
    other = work.links[operation.counterpart_link_id]
    return [texts.note(f"This ticket is linked with {texts.counterpart(other)}.")]


def _explanation(operation: State) -> list[str]:
    """What goes with a milestone, for the agent: the note or resolution that the partner reads elsewhere."""
    said: Text | None = operation.resolution or operation.public_note
    if said is None:
        return []
    label = operation.label or operation.state.replace("_", " ")
    return texts.bodies(lambda part: texts.note(texts.escape(f"{label} {part}".strip())), said)
