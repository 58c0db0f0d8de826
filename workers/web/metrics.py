"""Prometheus: what PostgreSQL and Redis say at the moment of the scrape (names: toolbox.md 3)."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from pipeline.store import depths
from pipeline.store.depths import Depths
from workers.bootstrap import World
from workers.web.status import broker_depths


class Counts:
    """What this process counts itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "casebridge_ingest_events",
            "Signals that came in, by what became of the request",
            ("source", "kind", "result"),
            registry=registry,
        )


def make_registry(world: World) -> CollectorRegistry:
    """A registry of its own: nothing that a library registers globally is shown."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(LedgerCollector(world))
    return registry


class LedgerCollector(Collector):
    """Reads the ledger once a scrape. Raises psycopg.Error when it cannot: a scrape without numbers is no scrape."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing ahead of time, so that registering needs no database."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        with self._world.connection() as conn:
            found = depths.read(conn)
        yield _build()
        yield from _queues(found)
        yield from _sources(found)
        yield from _targets(found)
        yield _dead_letters(found)
        yield _broker(broker_depths(self._world))


def _build() -> InfoMetricFamily:
    try:
        running = version("casebridge")
    except PackageNotFoundError:  # run from a checkout
        running = "unreleased"
    return InfoMetricFamily("casebridge_build", "The running version", {"version": running})


def _queues(found: Depths) -> Iterator[GaugeMetricFamily]:
    depth = GaugeMetricFamily(
        "casebridge_queue_depth", "Work that could be done right now, by PostgreSQL", labels=["queue"]
    )
    oldest = GaugeMetricFamily("casebridge_queue_oldest_age_seconds", "Age of the oldest of it", labels=["queue"])
    waiting = sum(source.waiting for source in found.sources)
    ages = [source.oldest_seconds for source in found.sources if source.oldest_seconds is not None]
    rows = [("ingest", waiting, max(ages, default=0.0))]
    rows.append(("transform", found.changes.waiting, found.changes.oldest_seconds or 0.0))
    rows += [(f"dispatch.{it.name}", it.waiting, it.oldest_seconds or 0.0) for it in found.targets]
    for queue, count, seconds in rows:
        depth.add_metric([queue], count)
        oldest.add_metric([queue], max(seconds, 0.0))
    yield depth
    yield oldest


def _sources(found: Depths) -> Iterator[GaugeMetricFamily]:
    lag = GaugeMetricFamily(
        "casebridge_source_lag_seconds", "Since the source's poll last came through", labels=["source"]
    )
    for source in found.sources:
        if source.polled_seconds_ago is not None:
            lag.add_metric([source.name], max(source.polled_seconds_ago, 0.0))
    yield lag


def _targets(found: Depths) -> Iterator[GaugeMetricFamily]:
    state = GaugeMetricFamily("casebridge_target_state", "1 for the target's present state", labels=["target", "state"])
    lanes = GaugeMetricFamily("casebridge_lanes", "Lanes with work, by what they wait for", labels=["target", "state"])
    for target in found.targets:
        for name in ("flowing", "blocked", "paused"):
            state.add_metric([target.name, name], float(target.state == name))
        for name, count in (("waiting", target.waiting), ("held", target.held), ("later", target.later)):
            lanes.add_metric([target.name, name], count)
    yield state
    yield lanes


def _dead_letters(found: Depths) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "casebridge_dead_letters", "Dead letters that wait for a person", labels=["target", "error_class"]
    )
    for letters in found.dead:
        family.add_metric([letters.queue, letters.reason], letters.count)
    return family


def _broker(found: dict[str, int] | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily("casebridge_broker_messages", "Messages that wait in Redis", labels=["queue"])
    for queue, count in (found or {}).items():
        family.add_metric([queue], count)
    return family
