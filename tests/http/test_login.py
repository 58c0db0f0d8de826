"""Logging in by tokens through a real endpoint: renewed once on a 401, then a person is needed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.answers import judge_by_status
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError
from pipeline.http import Executor
from pipeline.plan import Outcome, Plan, Request, Verdict
from pipeline.tokens import Tokens
from tests.http.conftest import MakeExecutor
from tests.http.server import Handler, Script, Seen, Server, answering, in_turn

PLAN = Plan("grid", (Request("post", "POST", "/posts", body={"text": "Hello"}),))
LOG_IN = Request("token", "POST", "/oauth", root=True, body={"client_secret": "s3cret-of-ours"})


def token(number: int) -> Script:
    return answering(200, {"access_token": f"token-{number}", "expires_in": 3600})


def only_for(number: int) -> Script:
    """Takes one token and refuses all others."""

    def script(handler: Handler, seen: Seen) -> None:
        good = seen.headers.get("authorization") == f"Bearer token-{number}"
        handler.answer(200 if good else 401)

    return script


@pytest.fixture
def executor(make: MakeExecutor) -> Executor:
    return make({"tokens": Tokens(None, "key")}, token=LOG_IN)


def outcome_of(executor: Executor) -> Outcome:
    return executor.run(PLAN, judge=judge_by_status).outcome


def targets(server: Server) -> list[str]:
    return [seen.target for seen in server.seen]


def test_a_token_is_fetched_and_used(server: Server, executor: Executor) -> None:
    """The log-in goes to the root, once; every request carries its token."""
    server.scripts |= {"/oauth": token(1), "/api/v2/posts": only_for(1)}
    assert [outcome_of(executor).verdict for _ in range(3)] == [Verdict.DONE] * 3
    assert targets(server) == ["/oauth", *["/api/v2/posts"] * 3]


def test_a_401_renews_once_and_repeats(server: Server, executor: Executor) -> None:
    """Given a token that was withdrawn, then the request goes out again with a new one."""
    server.scripts |= {"/oauth": in_turn(token(1), token(2)), "/api/v2/posts": only_for(2)}
    sent = executor.run(PLAN, judge=judge_by_status)
    assert sent.outcome.verdict is Verdict.DONE
    assert [exchange.status for exchange in sent.exchanges] == [401, 200]


def test_a_second_401_is_for_a_person(server: Server, executor: Executor) -> None:
    """A new token that is refused as well is no matter of tokens any more."""
    server.scripts |= {"/oauth": in_turn(token(1), token(2)), "/api/v2/posts": answering(401)}
    outcome = outcome_of(executor)
    assert (outcome.verdict, outcome.reason) == (Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN)
    assert targets(server) == ["/oauth", "/api/v2/posts"] * 2


def test_a_401_without_tokens_is_not_repeated(server: Server, make: MakeExecutor) -> None:
    """Static credentials do not get better by trying again."""
    server.scripts["/api/v2/posts"] = answering(401)
    assert outcome_of(make(headers={"authorization": "Basic xyz"})).verdict is Verdict.AUTH
    assert len(server.seen) == 1


def test_the_lease_is_checked_before_the_repeat_too(server: Server, executor: Executor) -> None:
    """Renewing takes time, so the second sending asks again; the log-in itself asks nobody."""
    server.scripts |= {"/oauth": in_turn(token(1), token(2)), "/api/v2/posts": only_for(2)}
    asked: list[int] = []
    executor.run(PLAN, judge=judge_by_status, before_send=lambda: asked.append(1))
    assert len(asked) == 2


def test_a_refused_log_in_sends_nothing_else(server: Server, executor: Executor) -> None:
    """Given a rotated secret, then the target is paused and readers hear the same."""
    server.scripts["/oauth"] = answering(400, {"error": "invalid_client"})
    assert outcome_of(executor).verdict is Verdict.AUTH
    with pytest.raises(AuthError):
        executor.get(Request("a", "GET", "/a"))
    assert targets(server) == ["/oauth", "/oauth"]


def test_a_log_in_whose_answer_is_lost_is_tried_again(server: Server, executor: Executor) -> None:
    """The connection broke during the log-in: of the write nothing was sent, so nothing is unknown."""
    server.scripts["/oauth"] = lambda handler, _: handler.reset()
    assert outcome_of(executor).verdict is Verdict.RETRY


def test_eight_threads_log_in_once(server: Server, executor: Executor) -> None:
    """Eight senders at once need one token."""
    server.scripts |= {"/oauth": token(1), "/api/v2/posts": only_for(1)}
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: outcome_of(executor), range(32)))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.DONE}
    assert targets(server).count("/oauth") == 1


def test_an_account_with_tokens_needs_someone_to_keep_them(make: MakeExecutor) -> None:
    """Said at the start, not at the first request."""
    with pytest.raises(ValueError, match="needs Tokens"):
        make(token=LOG_IN)
