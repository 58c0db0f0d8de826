"""The writing half: each operation as reads, writes and a look-up. Pure; the executor sends."""

from dataclasses import dataclass

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import attach, comment, create, fields, state
from pipeline.connectors.gemini.judge import judge
from pipeline.connectors.gemini.receipt import found_receipt, receipt
from pipeline.connectors.gemini.settings import SYSTEM, Options
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request
from schemas.operation import Attach, Bind, Comment, Create, Fields, Redact, State, Title

Requests = tuple[Request, ...]


@dataclass(frozen=True)
class GeminiTarget:
    """Writes into one project of one site."""

    options: Options

    def facts(self, work: Work) -> Plan:
        """The reads that the plan depends on."""
        return Plan(SYSTEM, self._facts(work))

    def plan(self, work: Work, facts: Facts) -> Plan:
        """The writes; none when it is so already. Raises PermanentError, AuthError, VisibilityError."""
        return Plan(SYSTEM, self._plan(work, facts))

    def find(self, work: Work) -> Plan | None:
        """The look-up for what would stand twice; empty for absolute values, which are compared before a write."""
        return Plan(SYSTEM, self._find(work))

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        """What an earlier attempt left, by its mark; None: certainly nothing. Raises AuthError, PermanentError."""
        return found_receipt(work, answers, self.options)

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:  # noqa: ARG002 -- the request says it all
        """What an answer means."""
        return judge(request, answer, self.options)

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        """What the sent plan left behind."""
        return receipt(work, answers, self.options)

    def _facts(self, work: Work) -> Requests:
        match work.operation:
            case Create() as operation:
                return create.facts(operation, self.options)
            case Comment():
                return comment.facts(self.options)
            case State() as operation:
                return state.facts(operation, work, self.options)
            case Title():
                return state.title_facts(work, self.options)
            case Fields() as operation:
                return fields.facts(operation, work)
            case Bind():
                return fields.bind_facts(work, self.options)
            case Redact():
                return comment.redact_facts(work)
            case Attach() as operation:
                return attach.facts(operation, self.options)

    def _plan(self, work: Work, facts: Facts) -> Requests:
        match work.operation:
            case Create() as operation:
                return create.plan(operation, work, facts, self.options)
            case Comment() as operation:
                return comment.plan(operation, work, facts, self.options)
            case State() as operation:
                return state.plan(operation, work, facts, self.options)
            case Title() as operation:
                return state.title_plan(operation, work, facts, self.options)
            case Fields() as operation:
                return fields.plan(operation, work, facts, self.options)
            case Bind() as operation:
                return fields.bind_plan(operation, work, facts, self.options)
            case Redact() as operation:
                return comment.redact_plan(operation, work, facts)
            case Attach() as operation:
                return attach.plan(operation, work, facts, self.options)

    def _find(self, work: Work) -> Requests:
        match work.operation:
            case Create() as operation:
                return create.find(work, operation.origin, self.options)
            case State() as operation if "reopen" in operation.details:
                return create.find(work, state.reopen_origin(operation, work), self.options)
            case Comment():
                return comment.find(work, self.options)
            case Title():
                return state.title_find(work, self.options)
            case Attach() as operation if attach.is_link(operation, self.options):
                return comment.find(work, self.options)
            case Attach():
                return attach.find(work, self.options)
            case _:
                return ()
