"""Counters and histograms that all processes of the service add to, kept in Redis.

One hash holds them all, so that no process needs a port of its own and a scrape of any API process
shows the totals. A field is a JSON list of the metric's name and its labels; a histogram's also of
the bucket that the value fell into, or "sum".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from redis.client import Pipeline

METRICS_KEY = "goodmany:metrics"
BUCKETS_S = (
    "0.1",
    "0.25",
    "0.5",
    "1.0",
    "2.5",
    "5.0",
    "10.0",
    "30.0",
    "60.0",
    "120.0",
    "300.0",
    "600.0",
    "1800.0",
)
ABOVE = "+Inf"
SUM = "sum"

Values = Mapping[tuple[str, ...], float]
"""The numbers by name, labels and, of a histogram, bucket."""


def read_values(raw: Mapping[bytes, bytes]) -> Values:
    """The hash as Redis returns it, read."""
    return {tuple(json.loads(field)): float(number) for field, number in raw.items()}


def field_of(*parts: str) -> str:
    """The hash's field for these parts, as Redis's own JSON encoder writes it too."""
    return json.dumps(parts, separators=(",", ":"))


@dataclass(frozen=True)
class SharedCounter:
    """Only ever grows; its name is without `_total`, which the scrape adds.

    Attributes:
        name: what Prometheus calls it.
        description: one sentence.
        labels: their names.
        from_zero: label values that are shown before anything is counted: of a number that is
            there only from its first event on, Prometheus does not see that it grew.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    from_zero: tuple[tuple[str, ...], ...] = ()

    def count(self, pipeline: Pipeline, *labels: str, by: int = 1) -> None:
        """Adds `by` when the pipeline is executed."""
        pipeline.hincrby(METRICS_KEY, field_of(self.name, *labels), by)

    def family(self, values: Values) -> CounterMetricFamily:
        """The counter as a scrape shows it."""
        family = CounterMetricFamily(self.name, self.description, labels=self.labels)
        known = {parts[1:] for parts in values if parts[0] == self.name}
        for labels in sorted(known.union(self.from_zero)):
            family.add_metric(labels, values.get((self.name, *labels), 0.0))
        return family


@dataclass(frozen=True)
class SharedHistogram:
    """Durations in seconds; its name ends in `_seconds`."""

    name: str
    description: str
    labels: tuple[str, ...]

    def observe(self, pipeline: Pipeline, *labels: str, seconds: float) -> None:
        """Adds one duration when the pipeline is executed."""
        bucket = next((bound for bound in BUCKETS_S if seconds <= float(bound)), ABOVE)
        pipeline.hincrby(METRICS_KEY, field_of(self.name, *labels, bucket), 1)
        pipeline.hincrbyfloat(METRICS_KEY, field_of(self.name, *labels, SUM), seconds)

    def family(self, values: Values) -> HistogramMetricFamily:
        """The histogram as a scrape shows it: each bucket counts those below, too."""
        family = HistogramMetricFamily(self.name, self.description, labels=self.labels)
        known = {parts[1:-1] for parts in values if parts[0] == self.name}
        for labels in sorted(known):
            count, buckets = 0.0, []
            for bound in (*BUCKETS_S, ABOVE):
                count += values.get((self.name, *labels, bound), 0.0)
                buckets.append((bound, count))
            total_s = values.get((self.name, *labels, SUM), 0.0)
            family.add_metric(labels, buckets, sum_value=total_s)
        return family
