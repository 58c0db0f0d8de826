"""`casebridge demo`: the flows played on the sandbox by the same processes that production runs."""

import os
import sys
from collections.abc import Callable

import click

from workers.cli.attach import home_of
from workers.cli.launch.start import Places, Wish, up
from workers.cli.output import Output, print_table, reports
from workers.cli.refusal import Refusal
from workers.demo.people import People
from workers.demo.stories import Played, play


@click.command()
@click.option("--once", is_flag=True, help="Stop everything after the last flow; exit 0 only if all arrived.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web process.")
@click.option("--verbose", is_flag=True, help="Show what the processes say, too.")
@reports
def command(out: Output, port: int | None, *, once: bool, verbose: bool) -> None:
    """Play the flows and show what arrived where, read back from the systems' own logs.

    Without --once everything keeps running afterwards, with the addresses to look at.

    \b
    casebridge demo                 play, then look around
    casebridge demo --once --json   play, print, stop
    """
    stage = _Stage(out, once=once, verbose=verbose)
    up(home_of(os.environ), os.environ, Wish(sandbox=True, port=port), stage.say, stage.perform)
    if not stage.finished:
        raise Refusal("The demo was stopped before its last flow.", "Run `casebridge demo --once` again.")
    if not stage.all_arrived:
        raise Refusal("Not everything arrived.", "Look at what is missing above, then at `casebridge demo --verbose`.")


class _Stage:
    """Where the stories are played and told."""

    def __init__(self, out: Output, *, once: bool, verbose: bool) -> None:
        self._out, self._once, self._verbose = out, once, verbose
        self.played: list[Played] = []
        self.finished = False

    @property
    def all_arrived(self) -> bool:
        return bool(self.played) and all(one.arrived for one in self.played)

    def say(self, line: str) -> None:
        """Lines of the processes (`web | ...`) only for who asked for them."""
        if self._verbose or " | " not in line:
            self._out.say(line)

    def perform(self, places: Places, end: Callable[[], None]) -> None:
        """Play all flows; then end, or leave everything running."""
        try:
            people = People(places.systems)
            for one in play(people):
                self.played.append(one)
                self._tell(one)
            self.finished = True
            self._report(places)
        except OSError as error:
            self._out.say(f"the sandbox does not answer: {error}")
            self._once = True
        finally:
            sys.stdout.flush()
            if self._once:
                end()

    def _tell(self, one: Played) -> None:
        self._out.say(f"\n{one.flow}  {one.title}\n    {one.trigger}")
        for effect in one.effects:
            self._out.say(f"      -> {effect}")
        for effect in one.missing:
            self._out.say(f"      !! did not arrive: {effect}")

    def _report(self, places: Places) -> None:
        if self._out.as_json:
            self._out.data({"flows": [one.as_json() for one in self.played]})
        else:
            rows = [
                (one.flow, one.trigger, "; ".join(one.effects) or "nothing", f"{one.seconds:.1f} s", _mark(one))
                for one in self.played
            ]
            print_table(("flow", "trigger", "what arrived where", "took", ""), rows)
        self._out.say("\nall arrived" if self.all_arrived else "\nNOT ALL ARRIVED")
        if not self._once:
            for name, address in places.addresses.items():
                self._out.say(f"  {name:<22} {address}")
            self._out.say("Everything keeps running: act on the sandbox's pages and watch. Stop with Ctrl-C.")


def _mark(one: Played) -> str:
    return "arrived" if one.arrived else "MISSING"
