"""The black-box checker: reads the systems' effect logs alone, never the ledger's opinion."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]
TOKEN = re.compile(r"token-(\w+)-(\d+)")  # what stories write into every text: token-<case>-<number>
OURS = ("api:casebridge", "api:9001", "client:casebridge")


@dataclass
class Verdict:
    """What the logs show; empty lists are the promise kept."""

    expected: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order)

    def __str__(self) -> str:
        return (
            f"{self.expected} expected, {len(self.lost)} lost {self.lost[:5]}, {len(self.doubled)} doubled"
            f" {self.doubled[:5]}, {len(self.out_of_order)} out of order {self.out_of_order[:5]}"
        )


def said_by_people(entries: Iterable[Entry], effect: str) -> dict[str, list[int]]:
    """case -> numbers of the tokens that people wrote, in the order of the source's log."""
    found: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        if entry["effect"] == effect and entry["by"] not in OURS:
            for case, number in TOKEN.findall(str(entry.get("body", ""))):
                found[case].append(int(number))
    return found


def said_by_us(entries: Iterable[Entry], *effects: str) -> dict[str, list[int]]:
    """case -> numbers of the tokens that casebridge wrote, in the order of the target's log."""
    found: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        if entry["effect"] in effects and entry["by"] in OURS:
            for case, number in TOKEN.findall(str(entry.get("body", ""))):
                found[case].append(int(number))
    return found


def compare(said: dict[str, list[int]], arrived: dict[str, list[int]], cases: Iterable[str]) -> Verdict:
    """Whether all that was said in these cases arrived once each, in the source's order."""
    verdict = Verdict()
    for case in cases:
        wanted = said.get(case, [])
        got = [number for number in arrived.get(case, []) if number in wanted]
        verdict.expected += len(wanted)
        verdict.lost += [f"{case}-{number}" for number in wanted if number not in got]
        verdict.doubled += [f"{case}-{number}" for number, times in Counter(got).items() if times > 1]
        firsts = list(dict.fromkeys(got))
        if firsts != [number for number in wanted if number in firsts]:
            verdict.out_of_order.append(f"{case}: {firsts}")
    return verdict


def once_each(entries: Iterable[Entry], effect: str, key: str) -> list[str]:
    """Values of `key` that more than one creation by us carries."""
    values = [str(entry.get(key)) for entry in entries if entry["effect"] == effect and entry["by"] in OURS]
    return [value for value, times in Counter(values).items() if times > 1]
