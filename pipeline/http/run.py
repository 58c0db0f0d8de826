"""One plan on its way: step by step, each answer judged, each failure translated into an outcome."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.answers import judge_by_status
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, LeaseLostError, PermanentError, TransientError, UnknownOutcomeError
from pipeline.http.channel import Channel, is_read
from pipeline.http.exchange import Exchange, Sent
from pipeline.http.slots import EmptySlotError
from pipeline.plan import Answer, Outcome, Plan, Request, Verdict

Judge = Callable[[Request, Answer], Outcome]


class PlanRun:
    """Answers and exchanges pile up here while the plan goes on; used once, by one thread."""

    def __init__(
        self, channel: Channel, judge: Judge, before_send: Callable[[], None] | None, answers: dict[str, Answer]
    ) -> None:
        self._channel, self._judge, self._before_send = channel, judge, before_send
        self._masker = channel.masker()
        self._exchanges: list[Exchange] = []
        self.answers = answers
        self.error: TransientError | PermanentError | None = None
        """what ended the last step, where it was no answer"""

    def send(self, plan: Plan) -> Sent:
        """Go on until one step is neither done nor already so. The outcome is that step's, or the last real one."""
        outcome = Outcome(Verdict.ALREADY, Reason.ALREADY_SO)
        for request in plan.requests:
            judged = self.step(request)
            if judged.verdict is not Verdict.ALREADY:
                outcome = judged
            if judged.verdict not in (Verdict.DONE, Verdict.ALREADY):
                break
        return Sent(self.answers, outcome, tuple(self._exchanges))

    def step(self, request: Request) -> Outcome:
        """Send one request and judge its answer. Only a lost lease is raised, and what is no fault of the wire."""
        try:
            outcome = self._judged(request)
            return replace(outcome, detail=self._masker.excerpt(outcome.detail)) if outcome.detail else outcome
        except LeaseLostError:
            raise
        except EmptySlotError as error:
            return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, str(error))
        except (TransientError, PermanentError) as error:
            self.error = error
            return self._outcome_of(error, request)

    def _judged(self, request: Request) -> Outcome:
        if (kept := self._channel.kept(request, self.answers)) is not None:
            self.answers[request.step] = kept
            return self._judge(request, kept)
        wait = self._channel.seconds_to_wait(request)
        if wait > 0:
            detail = f"the rate limit of {self._channel.account.system} is used up"
            return Outcome(
                Verdict.RETRY, Reason.WAITING_QUOTA, detail, retry_after_seconds=wait, learned={"scope": "own"}
            )
        answer = self._send_logged_in(request)
        self.answers[request.step] = answer
        outcome = self._judge(request, answer)
        if outcome.verdict is Verdict.DONE:
            self._channel.keep(request, self.answers)
        if outcome.learned.get("check_health") and self._channel.account.health is not None:
            return self._ask_health(self._channel.account.health, outcome)
        return outcome

    def _send_logged_in(self, request: Request) -> Answer:
        """A 401 is answered once by a new token (decisions D20)."""
        authorization = self._channel.authorize()
        answer = self._exchange(request, authorization)
        if answer.status != 401:
            return answer
        renewed = self._channel.renew(authorization)
        return answer if renewed is None else self._exchange(request, renewed)

    def _exchange(self, request: Request, authorization: Mapping[str, str]) -> Answer:
        for value in authorization.values():
            self._masker.learn(value)
        result, exchange = self._channel.send(request, self.answers, authorization, self._masker, self._before_send)
        self._exchanges.append(exchange)
        if isinstance(result, TransientError):
            raise result
        return result

    def _ask_health(self, health: Request, refused: Outcome) -> Outcome:
        """Is it the log-in or this object? An answer that says neither (a 500, silence) leaves it open: later.

        A 200 is read by the target's own eyes too: it may greet an anonymous visitor in our place.
        """
        answer = self._send_logged_in(health)
        verdict = judge_by_status(health, answer).verdict
        if verdict is Verdict.DONE:
            verdict = self._judge(health, answer).verdict
        if verdict in (Verdict.DONE, Verdict.ALREADY):
            return Outcome(Verdict.DEAD, Reason.REJECTED, refused.detail)
        if verdict in (Verdict.RETRY, Verdict.AGAIN):
            return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, f"{refused.detail}; the health call gave no verdict")
        return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, refused.detail)

    def _outcome_of(self, error: TransientError | PermanentError, request: Request) -> Outcome:
        detail = self._masker.text(str(error))
        if isinstance(error, PermanentError):
            return Outcome(Verdict.DEAD, error.reason, detail)
        if isinstance(error, AuthError):
            return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, detail)
        if isinstance(error, UnknownOutcomeError) and not is_read(request):
            return Outcome(Verdict.UNKNOWN, Reason.MAY_HAVE_HAPPENED, detail)
        return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, detail, retry_after_seconds=error.retry_after)
