"""One request to a receiver, and what came of it. Only the status of the answer is read."""

import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp.abc import AbstractResolver

from actors import limits
from actors.events import Event
from actors.resources.webhooks import TEST, Attempt, Outgoing
from server.api import events
from server.api.render import iso_time
from server.outbound.addresses import AddressRules
from server.outbound.posting import Poster
from server.outbound.webhooks import signing


@dataclass(frozen=True, slots=True)
class Outcome:
    attempt: Attempt
    retry_after: float | None = None


class Sender:
    def __init__(self, rules: AddressRules, version: str, *, resolver: AbstractResolver | None = None) -> None:
        self._poster = Poster(rules, resolver=resolver)
        self._headers = {"Content-Type": "application/json", "User-Agent": f"experience-server/{version}"}

    async def close(self) -> None:
        await self._poster.close()

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Never raises, except when it is cancelled."""
        at, began = time.time_ns() // 1_000_000, time.monotonic()
        body = body_of(outgoing, at // 1000)
        headers = self._headers | signing.headers(outgoing.delivery_id, at // 1000, body, outgoing.secrets)
        answer = await self._poster.post(outgoing.url, body, headers, seconds=limits.WEBHOOK_SECONDS)
        taken = round((time.monotonic() - began) * 1000)
        return Outcome(Attempt(at, taken, answer.status, answer.error), answer.retry_after)


def body_of(outgoing: Outgoing, at: int) -> bytes:
    """The event as everywhere else, as it is now."""
    if outgoing.event is None:
        assert outgoing.type == TEST
        test: dict[str, Any] = {"type": TEST, "time": iso_time(at * 1000), "data": {"webhook_id": outgoing.webhook_id}}
        return orjson.dumps(test)
    if isinstance(outgoing.event, Event):
        return events.event_json(outgoing.event)
    return events.user_event_json(outgoing.event)
