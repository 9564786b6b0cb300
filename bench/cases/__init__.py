"""The cases: each measures one or some targets, and its yardstick in turn."""

from collections.abc import Awaitable, Callable, Mapping

from bench.cases import fanout, growth, idle, latency, writing
from bench.results import Outcome

Case = Callable[[bool], Awaitable[Outcome]]
"""Called with whether it should be quick."""

CASES: Mapping[str, tuple[str, Case]] = {
    "1": ("fan-out to 100 subscribers", fanout.to_100),
    "2": ("fan-out to 1,000 subscribers", fanout.to_1000),
    "3": ("create message: REST and rpc", writing.create),
    "5": ("latency of a delivery", latency.delivery),
    "6": ("1,000 threads at one message a second", latency.many_threads),
    "7": ("10,000 idle connections", idle.connections),
    "8": ("growth, and start with a large database", growth.growth),
    "9": ("commit latency under fan-out", latency.commit),
    "14": ("drain of 5,000 connections", idle.drain),
}
"""The number of its first target → (what it does, the case)."""
