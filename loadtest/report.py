"""The report of a run, as JSON that scripts read; the page in HTML and the terminal show the same."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from loadtest.actions import MEASURE_THEMSELVES
from loadtest.histogram import Histogram
from loadtest.run import Outcome
from loadtest.soak.samples import SERIES
from loadtest.soak.slopes import judge

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
Report = dict[str, Any]
OUTSIDE_GOALS = {*MEASURE_THEMSELVES, "download", "reconnect"}
"""Actions whose duration is that of their size, or of a crowd that comes back at once."""


def report_of(outcome: Outcome) -> Report:
    """Durations are in milliseconds, moments in seconds after the first arrival."""
    figures = outcome.figures
    done, failed = figures.counts
    made: Report = {
        "title": outcome.scenario.title,
        "server": outcome.url,
        "run": outcome.run,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(outcome.began)),
        "seconds": round(outcome.seconds, 3),
        "interrupted": outcome.interrupted,
        "scenario": outcome.scenario.model_dump(mode="json"),
        "requests": {"done": done, "failed": failed, "share_failed": failed / (done + failed) if failed else 0.0},
        "actions": {name: _durations(found, outcome.seconds) for name, found in sorted(figures.latency.items())},
        "errors": [
            {"action": action, "code": code, "count": count} for (action, code), count in figures.errors.most_common()
        ],
        "delivery": _durations(figures.delivery, outcome.seconds),
        "first_words": _durations(figures.first_words, outcome.seconds),
        "subscribers": _subscribers(outcome),
        "generator": {"late": _durations(figures.lateness, outcome.seconds), "cores": round(outcome.cpu, 3)},
        "threads_left": outcome.left,
        "timeline": _timeline(outcome),
        "soak": _soak(outcome),
    }
    made["verdicts"] = list(_verdicts(outcome, made))
    made["passed"] = all(verdict["passed"] for verdict in made["verdicts"])
    return made


def _durations(found: Histogram, seconds: float) -> dict[str, Any]:
    return {
        "count": found.count,
        "per_second": round(found.count / seconds, 3) if seconds else 0.0,
        "mean": _ms(found.mean),
        **{name: _ms(found.percentile(share)) for name, share in PERCENTILES.items()},
        "max": _ms(found.longest if found.count else None),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _subscribers(outcome: Outcome) -> dict[str, int]:
    return {
        "count": outcome.scenario.population.users, "reconnects": outcome.reconnects, "missed": outcome.missed,
        "doubled": outcome.doubled, "unrecovered": outcome.unrecovered, "behind": outcome.behind,
    }  # fmt: skip


def _timeline(outcome: Outcome) -> dict[str, Any]:
    timeline = outcome.figures.timeline
    return {
        "width": timeline.width,
        "slots": [
            {
                "done": slot.done, "failed": slot.failed, "delivered": slot.delivered,
                **{name: _ms(slot.latency.percentile(PERCENTILES[name])) for name in ("p50", "p95", "p99")},
            }
            for slot in timeline.slots
        ],
    }  # fmt: skip


def _soak(outcome: Outcome) -> Report | None:
    samples = outcome.samples
    if samples is None:
        return None
    return {
        "times": [round(at, 2) for at in samples.times],
        "series": {name: {"unit": SERIES[name][1], "values": values} for name, values in samples.values.items()},
        "problem": samples.problem,
        "verdicts": [asdict(verdict) for verdict in judge(samples.times, samples.values)],
    }


def _verdicts(outcome: Outcome, made: Report) -> Iterator[Report]:
    """What has to hold always, the goals of the scenario, and the trends of a soak."""
    subscribers = made["subscribers"]
    for name in ("missed", "doubled", "behind"):
        yield _at_most(f"events {name}" if name != "behind" else "subscribers behind", subscribers[name], 0)
    goals = outcome.scenario.goals
    for goal, key in (("p95_ms", "p95"), ("p99_ms", "p99")):
        limit = getattr(goals, goal)
        if limit is not None:
            for action in sorted((made["actions"].keys() | _unanswered(outcome, made)) - OUTSIDE_GOALS):
                value = made["actions"].get(action, {}).get(key)
                yield _at_most(f"{action} {key} in ms", value, limit)
    if goals.delivery_p99_ms is not None and made["delivery"]["count"]:
        yield _at_most("delivery p99 in ms", made["delivery"]["p99"], goals.delivery_p99_ms)
    if goals.errors is not None:
        yield _at_most("share of failures", made["requests"]["share_failed"], goals.errors)
    for verdict in (made["soak"] or {}).get("verdicts", ()):
        yield {
            "what": f"growth of {verdict['name']}", "value": verdict["growth"], "at_most": verdict["allowed"],
            "passed": verdict["is_flat"] is not False, "judged": verdict["is_flat"] is not None,
        }  # fmt: skip


def _unanswered(outcome: Outcome, made: Report) -> set[str]:
    """Actions that failed each time: there is no duration to hold against a goal."""
    failed = {each["action"] for each in made["errors"]}
    return {name for name in outcome.scenario.mix if name in failed and name not in made["actions"]}


def _at_most(what: str, value: float | None, limit: float) -> Report:
    """`value`: None where nothing was measured, which reaches no goal."""
    passed = value is not None and value <= limit
    return {"what": what, "value": value, "at_most": limit, "passed": passed, "judged": True}
