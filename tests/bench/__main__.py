"""What an event costs: 2,000 partner posts that become a Zendesk and a Gemini comment each; and a big backlog's claim.

Run by `make bench`: prints medians of three rounds. Nothing in here asserts on time.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.bench.claim import measure_claim
from tests.bench.posts import Round, measure_posts
from workers.embedded import open_services
from workers.instance import purge, stop_instance


def main() -> None:
    """All rounds, one line each, then the medians."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--lanes", type=int, default=1_000_000)
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="casebridge-bench-"))
    try:
        with open_services(home, {}, print) as services:
            rounds = [measure_posts(home, services, asked.posts, asked.cases) for _ in range(asked.rounds)]
            for one in rounds:
                print(one)
            print("median:", _median(rounds))
            print(measure_claim(services, asked.lanes))
    finally:
        stop_instance(home, say=print)
        purge(home, say=print)


def _median(rounds: list[Round]) -> Round:
    names = Round.__dataclass_fields__
    return Round(**{name: statistics.median(getattr(one, name) for one in rounds) for name in names})


main()
