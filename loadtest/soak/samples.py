"""Samples of the server while it is under load, by its `/metrics`."""

import asyncio
import re
from collections.abc import Mapping

import aiohttp

from actors import limits
from loadtest.marks import now
from loadtest.problems import LoadProblem

SERIES: Mapping[str, tuple[str, str]] = {
    "memory": ('xp_memory_bytes{part="rest"}', "B"),
    "SQLite": ('xp_memory_bytes{part="sqlite"}', "B"),
    "mapped": ('xp_memory_bytes{part="files"}', "B"),
    "files": ("xp_open_files", ""),
    "actors": ("xp_actors", ""),
    "inboxes": ("xp_actor_inbox_messages", ""),
    "connections": ("xp_connections", ""),
    "in flight": ("xp_journal_in_flight", ""),
    "outboxes": ("xp_outbox_bytes", "B"),
    "WAL": ('xp_file_bytes{file="wal"}', "B"),
    "database": ('xp_file_bytes{file="database"}', "B"),
    "CPU": ("xp_cpu_seconds_total", "s"),
}
"""Name → (metric, of which all label values are added up unless some are named; unit)."""
_TYPE = re.compile(r"^# TYPE (\w+) ", re.MULTILINE)
_LINE = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


class Samples:
    """`times` are seconds after the first sample; each series has a value, or None, for each of them."""

    def __init__(self, url: str, seconds: float, token: str | None = None) -> None:
        """`seconds` is the length of the run: a short one is looked at more often."""
        self.times: list[float] = []
        self.values: dict[str, list[float | None]] = {name: [] for name in SERIES}
        self.every = min(limits.SOAK_EVERY_SECONDS, max(limits.SOAK_EVERY_LEAST_SECONDS, seconds / 60))
        self.problem = ""
        """Why the newest sample could not be taken."""
        self._url = f"{url.rstrip('/')}/metrics"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def must_come(self) -> None:
        """Before hours of load that would be judged by none. Raises `LoadProblem`."""
        async with aiohttp.ClientSession(headers=self._headers) as session:
            if await self._scrape(session) is None:
                raise LoadProblem(
                    f"A soak takes samples, and {self.problem}. METRICS names the networks that may read them; "
                    "with METRICS_TOKEN set here and there, any may."
                )

    async def take(self) -> None:
        """Until it is cancelled."""
        async with aiohttp.ClientSession(headers=self._headers) as session:
            began = now()
            while True:
                text = await self._scrape(session)
                if text is not None:
                    self.add(now() - began, values_of(text))
                await asyncio.sleep(self.every)  # a sample now and then

    async def _scrape(self, session: aiohttp.ClientSession) -> str | None:
        try:
            async with session.get(self._url) as answer:
                if answer.status == 200:
                    return await answer.text()
                self.problem = f"{self._url} answers {answer.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.problem = f"{self._url}: {error}"
        return None

    def add(self, seconds: float, values: Mapping[str, float]) -> None:
        self.times.append(seconds)
        for name, series in self.values.items():
            series.append(values.get(name))
        if len(self.times) > limits.SOAK_SAMPLES:
            self.every *= 2
            del self.times[1::2]
            for series in self.values.values():
                del series[1::2]


def values_of(text: str) -> dict[str, float]:
    """Of a page in Prometheus's text format."""
    found = dict.fromkeys(_TYPE.findall(text), 0.0)  # a metric without a label value, such as of connections, is none
    for name, labels, value in _LINE.findall(text):
        found[name + labels] = float(value)
        if labels:
            found[name] = found.get(name, 0.0) + float(value)
    return {name: found[metric] for name, (metric, _) in SERIES.items() if metric in found}
