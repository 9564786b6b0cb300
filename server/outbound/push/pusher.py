"""Sends notifications to the browsers of a user by way of their push services (RFC 8030)."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import orjson

from actors import limits
from actors.ports import Write
from actors.queries import Reads
from actors.resources.notifications import DeliveryState
from actors.resources.outbox import DueRows, OutboxError, RecordFailed, RecordSent, WithdrawRows
from actors.resources.push import LoadPush, Pushed, PushSubscription, RecordPush
from server.outbound.posting import Answer, Poster
from server.outbound.push.encryption import encrypt
from server.outbound.push.payload import URGENCY, Urgency, payload, topic
from server.outbound.push.vapid import Vapid

if TYPE_CHECKING:
    from server.telemetry.tracing.tracer import SpanTracer

GONE: Final = (404, 410)
"""The subscription has ended (RFC 8030 7.3)."""
PASSING: Final = (408, 425, 429)
"""Statuses of clients' faults that another attempt may not have."""


class Pusher:
    """The way `web_push` of the outbox."""

    gathered = 0

    def __init__(
        self, reads: Reads, write: Write, poster: Poster, vapid: Vapid, tracer: "SpanTracer | None" = None
    ) -> None:  # fmt: skip
        self._tracer = tracer
        self._reads = reads
        self._write = write
        self._poster = poster
        self.vapid = vapid

    async def close(self) -> None:
        await self._poster.close()

    async def send(self, due: DueRows) -> Sequence[str]:
        """What came of each row: a `DeliveryState`; `read` where it was read in between, or is gone."""
        return [await self._send_one(key) for key in due.keys]

    async def _send_one(self, key: int) -> str:
        pushed = await self._reads.ask(LoadPush(key))
        if pushed is None:
            await self._write(WithdrawRows((key,)))
            return "read"
        if not pushed.subscriptions:
            return await self._end(key, pushed, [], [])
        body, name = payload(pushed), topic(pushed.notification)
        urgency = URGENCY[pushed.notification.kind]
        sending = (self.push(each, body, topic=name, urgency=urgency) for each in pushed.subscriptions)
        with nullcontext() if self._tracer is None else self._tracer.caused_by(pushed.notification.id):
            answers = await asyncio.gather(*sending)
        await self._remember(pushed.subscriptions, answers)
        return await self._end(key, pushed, [*pushed.subscriptions], answers)

    async def push(
        self, to: PushSubscription, body: bytes, *, topic: str | None = None, urgency: Urgency = "normal"
    ) -> Answer:  # fmt: skip
        """`body` in the clear, at most `limits.PUSH_PAYLOAD_BYTES`."""
        headers = {
            "Authorization": self.vapid.authorization(to.endpoint), "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream", "TTL": str(limits.PUSH_TTL_SECONDS), "Urgency": urgency,
        }  # fmt: skip
        if topic is not None:
            headers["Topic"] = topic
        encrypted = encrypt(body, to.p256dh, to.auth)
        return await self._poster.post(to.endpoint, encrypted, headers, seconds=limits.PUSH_SECONDS)

    async def test(self, to: PushSubscription) -> Answer:
        """One push that says that it is a test, now, whatever the preferences of the user are."""
        answer = await self.push(to, orjson.dumps({"type": "push.test", "data": {"id": to.id}}), urgency="high")
        await self._remember([to], [answer])
        return answer

    async def _remember(self, subscriptions: Sequence[PushSubscription], answers: Sequence[Answer]) -> None:
        found: dict[str, list[int]] = {"sent": [], "failed": [], "gone": []}
        for each, answer in zip(subscriptions, answers, strict=True):
            found[_outcome(answer)].append(each.key)
        await self._write(RecordPush(**{name: tuple(keys) for name, keys in found.items()}))

    async def _end(
        self, key: int, pushed: Pushed, to: Sequence[PushSubscription], answers: Sequence[Answer]
    ) -> DeliveryState:  # fmt: skip
        reached = [each.key for each, answer in zip(to, answers, strict=True) if _outcome(answer) == "sent"]
        passing = [answer for answer in answers if _may_pass(answer)]
        if (reached or pushed.had_some) and not passing:
            await self._write(RecordSent((key,)))
            return "sent"
        failed = RecordFailed(
            (key,), _why(answers), retry=bool(passing), chance=random.random(),  # noqa: S311 - spreads retries
            retry_after=max((answer.retry_after or 0.0 for answer in passing), default=None),
            reached=tuple(reached),
        )  # fmt: skip
        return (await self._write(failed)).result


def _outcome(answer: Answer) -> str:
    if answer.error is None:
        return "sent"
    return "gone" if answer.status in GONE else "failed"


def _may_pass(answer: Answer) -> bool:
    """Whether the push service may take it at another time: it was not there, or had a fault of its own."""
    if answer.error is None or answer.error == "address_refused":
        return False
    return answer.status is None or answer.status >= 500 or answer.status in PASSING


def _why(answers: Sequence[Answer]) -> OutboxError:
    left = [answer for answer in answers if _outcome(answer) == "failed"]
    if not left:
        return "no_recipient"
    return "unreachable" if any(map(_may_pass, left)) else "refused"
