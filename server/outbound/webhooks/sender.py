"""One request to a receiver, and what came of it. Only the status of the answer is read."""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp.abc import AbstractResolver

from actors import limits
from actors.events import Event
from actors.resources.notifications import Notification
from actors.resources.user_events import UserEvent
from actors.resources.webhooks import TEST, Attempt, Outgoing
from server.api import events
from server.api.render import iso_time
from server.outbound.addresses import AddressRules
from server.outbound.posting import Poster
from server.outbound.webhooks import signing

if TYPE_CHECKING:
    from server.telemetry.tracing.tracer import SpanTracer


@dataclass(frozen=True, slots=True)
class Outcome:
    attempt: Attempt
    retry_after: float | None = None


class Sender:
    def __init__(
        self, rules: AddressRules, version: str,
        *, resolver: AbstractResolver | None = None, tracer: "SpanTracer | None" = None,
    ) -> None:  # fmt: skip
        self._poster = Poster(rules, resolver=resolver, tracer=tracer)
        self._tracer = tracer
        self._headers = {"Content-Type": "application/json", "User-Agent": f"experience-server/{version}"}

    async def close(self) -> None:
        await self._poster.close()

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Never raises, except when it is cancelled."""
        at, began = time.time_ns() // 1_000_000, time.monotonic()
        body = body_of(outgoing, at // 1000)
        headers = self._headers | signing.headers(outgoing.delivery_id, at // 1000, body, outgoing.secrets)
        cause = nullcontext() if self._tracer is None else self._tracer.caused_by(_cause(outgoing.event))
        with cause:
            answer = await self._poster.post(outgoing.url, body, headers, seconds=limits.WEBHOOK_SECONDS)
        taken = round((time.monotonic() - began) * 1000)
        return Outcome(Attempt(at, taken, answer.status, answer.error), answer.retry_after)


def _cause(event: Event | UserEvent | None) -> int | str | None:
    if isinstance(event, Event):
        return event.position
    return event.data.id if event is not None and isinstance(event.data, Notification) else None


def body_of(outgoing: Outgoing, at: int) -> bytes:
    """The event as everywhere else, as it is now."""
    if outgoing.event is None:
        assert outgoing.type == TEST
        test: dict[str, Any] = {"type": TEST, "time": iso_time(at * 1000), "data": {"webhook_id": outgoing.webhook_id}}
        return orjson.dumps(test)
    if isinstance(outgoing.event, Event):
        return events.event_json(outgoing.event)
    return events.user_event_json(outgoing.event)
