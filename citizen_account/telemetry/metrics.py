"""Count what an operator watches, for Prometheus: one scrape answers for all processes of `serve`.

Each process counts for itself. Where several run, prometheus_client keeps the counts in a folder
that they share (PROMETHEUS_MULTIPROC_DIR, set by `serve`), and whichever is asked adds them up.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Anybody may send any word as a method: each would be a series of its own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the database says, the same whichever process asks."""

    outbox: Mapping[str, int]
    """How many errands are in each state."""
    overdue_seconds: float
    """For how long the oldest errand has been due."""
    connectors: Mapping[str, str]
    """Which gate is set for each connector."""
    gates: Sequence[str]


class Metrics:
    """What one process counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "citizen_request_seconds",
            "How long requests took, by their route and answer",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._hashes = Gauge(
            "citizen_hashes_under_way",
            "Passwords that are hashed or wait for it",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._connections = Gauge(
            "citizen_database_connections_in_use",
            "Connections that are taken out of the pool",
            ["pool"],
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in METHODS else "other"
        self._requests.labels(known, route or "none", str(status)).observe(seconds)

    def note_load(self, hashes: int, connections: Mapping[str, int]) -> None:
        """Remember what this process is busy with just now."""
        self._hashes.set(hashes)
        for pool, count in connections.items():
            self._connections.labels(pool).set(count)

    def render(self, facts: DatabaseFacts | None) -> bytes:
        """Return the text of a scrape; without facts the database is away."""
        folder = os.environ.get(FOLDER)
        registry = CollectorRegistry() if folder else self._registry
        if folder:
            _forget_ended_processes(Path(folder))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # theirs
        asked = CollectorRegistry()
        asked.register(_Asked(facts))
        return generate_latest(registry) + generate_latest(asked)


@contextmanager
def counted_together(processes: int) -> Iterator[None]:
    """Let processes that are begun meanwhile share a folder for what they count."""
    if processes == 1 or FOLDER in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="citizen-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


class _Asked(Collector):
    def __init__(self, facts: DatabaseFacts | None) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield GaugeMetricFamily(
            "citizen_database_up", "Whether the database answers", value=float(facts is not None)
        )
        if facts is None:
            return
        outbox = GaugeMetricFamily("citizen_outbox", "Errands in each state", labels=["state"])
        for state, count in facts.outbox.items():
            outbox.add_metric([state], count)
        yield outbox
        yield GaugeMetricFamily(
            "citizen_outbox_overdue_seconds",
            "For how long the oldest errand has been due",
            value=facts.overdue_seconds,
        )
        gates = GaugeMetricFamily(
            "citizen_connector_gate", "1 for the gate that is set", labels=["connector", "gate"]
        )
        for connector, chosen in facts.connectors.items():
            for gate in facts.gates:
                gates.add_metric([connector, gate], float(gate == chosen))
        yield gates


def _forget_ended_processes(folder: Path) -> None:
    """Drop what processes that have ended were busy with; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # theirs
        except PermissionError:
            continue
