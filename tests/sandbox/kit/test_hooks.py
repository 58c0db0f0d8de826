"""Webhooks keep their order until a switch disturbs it."""

from collections.abc import Iterator

import pytest

from sandbox.kit.app import Kit
from sandbox.kit.hooks import Hooks
from tests.sandbox.kit.receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver."""
    with running_receiver() as receiver:
        yield receiver


def hooks_to(receiver: Receiver) -> Hooks:
    """Hooks of a fresh kit."""
    return Kit.create("echo", hooks_to=receiver.url).hooks


def sent(hooks: Hooks, count: int, obj: str = "1") -> None:
    """Send numbered hooks about one object and wait for them."""
    for number in range(count):
        hooks.send("/hooks/echo", {"X-Signature": "abcdef"}, str(number).encode(), obj=obj)
    assert hooks.settled(10)


def test_hooks_about_one_object_keep_their_order(receiver: Receiver) -> None:
    """Given twenty hooks about one object, when they are sent, then they come in that order, once each."""
    hooks = hooks_to(receiver)
    sent(hooks, 20)
    assert receiver.bodies == [str(number).encode() for number in range(20)]
    assert {entry["status"] for entry in hooks.deliveries()} == {202}


def test_reorder_swaps_pairs_and_delivers_a_single_one_late(receiver: Receiver) -> None:
    """Given the switch, when three hooks are sent, then the first two are swapped and the third still comes."""
    hooks = hooks_to(receiver)
    hooks.set(reorder=True)
    sent(hooks, 3)
    assert receiver.bodies == [b"1", b"0", b"2"]


def test_duplicate_and_drop(receiver: Receiver) -> None:
    """Given full rates, when hooks are sent, then each comes twice, or none comes and the log says so."""
    hooks = hooks_to(receiver)
    hooks.set(duplicate=1.0)
    sent(hooks, 2)
    assert sorted(receiver.bodies) == [b"0", b"0", b"1", b"1"]
    hooks.set(duplicate=0.0, drop=1.0)
    sent(hooks, 2)
    assert len(receiver.bodies) == 4
    assert [entry["note"] for entry in hooks.deliveries()[-2:]] == ["dropped", "dropped"]


def test_a_bad_signature_is_of_the_same_form(receiver: Receiver) -> None:
    """Given the switch, when a hook is sent, then its signature has the right length and the wrong content."""
    hooks = hooks_to(receiver)
    hooks.set(bad_signature=1.0)
    sent(hooks, 1)
    signature = receiver.headers[0]["x-signature"]
    assert len(signature) == len("abcdef")
    assert signature != "abcdef"


def test_an_old_timestamp_is_stamped_days_ago(receiver: Receiver) -> None:
    """Given the switch, when headers are made, then the stamp that is to be signed is days old."""
    kit = Kit.create("echo", hooks_to=receiver.url)
    kit.clock.set(rate=0)
    kit.hooks.set(old_timestamp=True)
    assert (kit.clock.now() - kit.hooks.stamp()).days == 3


def test_a_retry_is_the_systems_own_and_asks_for_headers_anew(receiver: Receiver) -> None:
    """Given a schedule of two retries, when the receiver fails, then three attempts come, each freshly signed."""
    receiver.status = 500
    hooks = hooks_to(receiver)
    made: list[str] = []

    def headers() -> dict[str, str]:
        made.append(f"attempt {len(made) + 1}")
        return {"X-Attempt": made[-1]}

    seen: list[int | None] = []

    def schedule(attempts: int, status: int | None, answered: object) -> float | None:
        seen.append(status)
        return 0.01 if attempts < 3 else None

    hooks.send("/hooks/echo", headers, b"x", obj="1", retry=schedule)
    assert hooks.settled(10)
    assert [headers["x-attempt"] for headers in receiver.headers] == ["attempt 1", "attempt 2", "attempt 3"]
    assert seen == [500, 500, 500]


def test_a_receiver_that_is_not_there_is_an_answer_too() -> None:
    """Given nobody who listens, when a hook is sent, then the delivery has no status and the schedule hears of it."""
    hooks = Kit.create("echo", hooks_to="http://127.0.0.1:1").hooks
    sent(hooks, 1)
    assert [entry["status"] for entry in hooks.deliveries()] == [None]


def test_an_unknown_switch_is_refused() -> None:
    """Given a switch that does not exist, when set, then it is named."""
    with pytest.raises(ValueError, match="shuffle"):
        Kit.create("echo").hooks.set(shuffle=True)
