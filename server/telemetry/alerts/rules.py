"""Rules of alerts: `database for 30s` is about a part of the server that fails, `p95 > 200ms for 10m` about a figure.

Parts and figures are those of the status of the server. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from actors import limits
from server.telemetry.status.figures import READINGS
from server.telemetry.status.samples import Sample

PARTS: Final = ("database", "server", "files", "backups")
"""Those of `server.telemetry.status.sampling.findings`."""
DEFAULT: Final = (
    "database for 30s, files for 2m, backups for 1m, errors > 0.1% for 5m, p95 > 200ms for 10m, lag_p95 > 100ms for 5m"
)
_RULE: Final = re.compile(r"([a-z0-9_]+)(?:\s*>\s*([0-9]+(?:\.[0-9]+)?)\s*(%|ms|s|[KMG]iB)?)?\s+for\s+([0-9]+)([smh])")
_SCALE: Final = {"%": 1.0, "s": 1.0, "ms": 1e-3, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "": 1.0}
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS: Final = {"s": ("s", "ms"), "%": ("%",), "B": ("KiB", "MiB", "GiB"), "B/s": ("KiB", "MiB", "GiB")}
"""Unit of a figure → what a bound of it is written in; the others are plain numbers."""


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    """As the operator wrote it; it names the alert."""
    about: str
    """A part, or a figure."""
    bound: float | None
    """Of a figure, in its unit; None: a part fails."""
    seconds: float
    """For so long it has to be so."""


def parse(text: str) -> tuple[Rule, ...]:
    """Raises `ValueError` with what was expected."""
    rules = tuple(_parsed(" ".join(each.split())) for each in text.split(",") if each.strip())
    if len(rules) > limits.ALERT_RULES:
        raise ValueError(f"expected at most {limits.ALERT_RULES} rules; got {len(rules)}")
    if len({rule.text for rule in rules}) < len(rules):
        raise ValueError("expected each rule once")
    return rules


def _parsed(text: str) -> Rule:
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"expected rules such as `database for 30s` and `p95 > 200ms for 10m`; got {text!r}")
    about, bound, unit, count, span = found.groups()
    if (about in PARTS) is not (bound is None) or (about not in PARTS and about not in READINGS):
        raise ValueError(
            f"expected one of {', '.join(PARTS)}, or one of {', '.join(READINGS)} with a bound; got {text!r}"
        )
    seconds = int(count) * _SECONDS[span]
    if bound is None:
        return Rule(text, about, None, seconds)
    wanted = _UNITS.get(READINGS[about].unit, ("",))
    if (unit or "") not in wanted:
        expected = " or ".join(each or "a plain number" for each in wanted)
        raise ValueError(f"expected a bound of {about} in {expected}; got {text!r}")
    return Rule(text, about, float(bound) * _SCALE[unit or ""], seconds)


def figure(rule: Rule, samples: Sequence[Sample]) -> float | None:
    """What the rule is about, over the last minute; None: nothing happened by which to tell."""
    if len(samples) < 2:
        return None
    last = samples[-1]
    before = next(
        (each for each in reversed(samples) if last.at - each.at >= limits.ALERT_WINDOW_SECONDS), samples[0]
    )  # fmt: skip
    return READINGS[rule.about].read(before, last)
