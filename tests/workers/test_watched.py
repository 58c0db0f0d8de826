"""The pauses between restarts."""

from workers.watched import Backoff


def test_pauses_double_up_to_half_a_minute() -> None:
    """A child that ends at once waits 1, 2, 4, 8, 16, 30, 30 s."""
    backoff = Backoff()
    assert [backoff.delay(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_minute_of_running_forgives() -> None:
    """After a run of 60 s the pauses begin again; 59.9 s are not enough."""
    backoff = Backoff()
    assert [backoff.delay(ran) for ran in (0, 0, 59.9, 60.0, 0)] == [1, 2, 4, 1, 2]
