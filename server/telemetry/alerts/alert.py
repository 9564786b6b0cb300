"""One alert: quiet, waiting, firing. Pure: the time is an argument.

It fires when its rule has been broken for as long as the rule says, and ends only when all has been well for a while:
what comes and goes is one alert.
"""

from dataclasses import dataclass
from typing import Literal

from actors import limits
from server.telemetry.alerts.rules import Rule

State = Literal["ok", "waiting", "firing"]
"""waiting: the rule is broken, but not yet for long enough."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule is about, as it is now."""

    reason: str | None = None
    """Why a part fails."""
    value: float | None = None
    """Of a figure."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What receivers hear."""

    rule: Rule
    state: Literal["firing", "resolved"]
    since: float
    """Seconds since 1970: when the rule was first broken."""
    at: float
    look: Look
    """As it was when the notice was made."""


class Alert:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.state: State = "ok"
        self.since = 0.0
        """When the rule was first broken; 0 while all is well."""
        self.look_now = Look()
        self._well_since: float | None = None
        self._noticed_at = 0.0
        self._looked_at = 0.0

    def look(self, now: float, found: Look) -> Notice | None:
        """Answers a notice where receivers are to hear something."""
        self.look_now = found
        if now < self._looked_at:
            self._set_back(self._looked_at - now)
        self._looked_at = now
        if self._is_broken(found):
            return self._broken(now)
        return self._well(now)

    def _set_back(self, seconds: float) -> None:
        """The clock was: for how long something has been so is what counts."""
        self.since -= seconds
        self._noticed_at -= seconds
        if self._well_since is not None:
            self._well_since -= seconds

    def _is_broken(self, found: Look) -> bool:
        bound = self.rule.bound
        if bound is None:
            return found.reason is not None
        share = limits.ALERT_CLEAR_SHARE if self.state == "firing" else 1.0
        return found.value is not None and found.value > bound * share

    def _broken(self, now: float) -> Notice | None:
        self._well_since = None
        if self.state == "ok":
            self.state, self.since = "waiting", now
        if self.state == "waiting" and now - self.since < self.rule.seconds:
            return None
        if self.state == "firing" and now - self._noticed_at < limits.ALERT_AGAIN_SECONDS:
            return None
        self.state, self._noticed_at = "firing", now
        return self._notice("firing", now)

    def _well(self, now: float) -> Notice | None:
        if self.state == "firing":
            self._well_since = now if self._well_since is None else self._well_since
            if now - self._well_since < limits.ALERT_CLEAR_SECONDS:
                return None
            notice = self._notice("resolved", now)
            self.state, self.since = "ok", 0.0
            return notice
        self.state, self.since = "ok", 0.0
        return None

    def _notice(self, state: Literal["firing", "resolved"], now: float) -> Notice:
        return Notice(self.rule, state, self.since, now, self.look_now)
