"""Looks at what the rules are about, again and again, and lets receivers hear of it."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from actors import limits
from server.telemetry.alerts.alert import Alert, Look, Notice
from server.telemetry.alerts.receivers import Line, Receiver
from server.telemetry.alerts.rules import Rule, figure
from server.telemetry.alerts.wording import sentence
from server.telemetry.status.history import History

logger = logging.getLogger("server.alerts")


class Alerter:
    """Without receivers alerts are in the log and on the status page. Confined to the event loop."""

    def __init__(
        self, rules: Sequence[Rule], history: History, receivers: Sequence[Receiver],
        *, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.alerts = [Alert(rule) for rule in rules]
        self._history = history
        self._lines = [Line(receiver) for receiver in receivers]
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        for line in self._lines:
            line.start()
        self._look()

    def _look(self) -> None:
        self.look()
        self._timer = asyncio.get_running_loop().call_later(limits.ALERT_LOOK_SECONDS, self._look)

    def look(self) -> None:
        self._history.refresh()
        for alert in self.alerts:
            notice = alert.look(self._clock(), self._found(alert.rule))
            if notice is not None:
                self._tell(notice)

    def _found(self, rule: Rule) -> Look:
        if rule.bound is not None:
            return Look(value=figure(rule, self._history.samples))
        part = self._history.parts.get(rule.about)
        return Look(reason=part.finding.reason if part else None)

    def _tell(self, notice: Notice) -> None:
        logger.warning("alert %s: %s", notice.state, sentence(notice))
        for line in self._lines:
            line.add(notice)

    async def stop(self) -> None:
        """What is not sent by now is not."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for line in self._lines:
            await line.stop()
