"""What people see: plain text where it is piped, ages in words."""

import pytest

from workers.cli.output import Output, age, print_table


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.4, "0 s"), (89, "89 s"), (600, "10 min"), (9_000, "2.5 h"), (200_000, "2.3 d")],
)
def test_ages_are_told_in_the_unit_that_fits(seconds: float | None, words: str) -> None:
    """Nobody reads 200,000 seconds."""
    assert age(seconds) == words


def test_a_piped_table_is_plain_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """No colours, no cut cells, no markup taken for commands."""
    print_table(("a", "b"), [("[red]x[/red]", "y" * 90), (None, 3)])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "y" * 90 in shown
    assert "\x1b" not in shown


def test_progress_is_silent_where_nobody_sees_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file holds no bars."""
    with Output(as_json=False).progress("requeueing") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")
