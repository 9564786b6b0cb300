"""Samples of a server by its metrics."""

from actors import limits
from loadtest.soak.samples import SERIES, Samples, values_of
from server.telemetry.metrics import METRICS

PAGE = """\
# HELP xp_actors Actors on the event loop.
# TYPE xp_actors gauge
xp_actors{kind="thread"} 3.0
xp_actors{kind="user"} 4.0
# TYPE xp_connections gauge
xp_memory_bytes{part="files"} 5.0e+07
xp_memory_bytes{part="sqlite"} 3.0e+07
xp_memory_bytes{part="rest"} 1.5e+08
xp_file_bytes{file="wal"} 4096.0
xp_file_bytes{file="database"} 8192.0
"""


def test_a_page_of_metrics() -> None:
    found = values_of(PAGE)
    assert found == {
        "memory": 1.5e8, "SQLite": 3e7, "mapped": 5e7, "actors": 7.0, "connections": 0.0, "WAL": 4096.0,
        "database": 8192.0,
    }  # fmt: skip


def test_every_series_is_a_metric_of_the_server() -> None:
    names = {f"{metric.name}_total" if metric.kind == "counter" else metric.name for metric in METRICS}
    assert {metric.partition("{")[0] for metric, _ in SERIES.values()} <= names


def test_when_there_are_too_many_every_second_one_is_dropped() -> None:
    samples = Samples("http://127.0.0.1:1", 10.0)
    every = samples.every
    for number in range(limits.SOAK_SAMPLES + 1):
        samples.add(float(number), {"memory": float(number)})
    assert samples.every == every * 2
    assert samples.times == [float(number) for number in range(0, limits.SOAK_SAMPLES + 1, 2)]
    assert samples.values["memory"] == samples.times
    assert samples.values["files"] == [None] * len(samples.times)
