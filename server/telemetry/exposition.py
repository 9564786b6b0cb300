"""Metrics as text: Prometheus's format or OpenMetrics, by `Accept`. Imported at the first scrape: it loads slowly."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import exposition
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)

from actors.measures import Histogram
from server.telemetry.metrics import Metric, Sample

Collected = Sequence[tuple[Metric, Sequence[Sample]]]


class _Registry:
    """What `prometheus_client` writes: only these families, without those of its own."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def text(collected: Collected, accept: str) -> tuple[bytes, str]:
    """The body, and its Content-Type."""
    write, content_type = exposition.choose_encoder(accept)
    body = write(_Registry(map(_family, collected)))
    return body, content_type


def _family(collected: tuple[Metric, Sequence[Sample]]) -> Family:
    metric, samples = collected
    if metric.kind == "histogram":
        return _histograms(metric, samples)
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        assert not isinstance(value, Histogram)
        family.add_metric(labels, value)
    return family


def _histograms(metric: Metric, samples: Sequence[Sample]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        assert isinstance(value, Histogram)
        family.add_metric(labels, buckets=_buckets(value), sum_value=value.sum)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus has them."""
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))
