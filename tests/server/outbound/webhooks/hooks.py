"""Webhooks of the tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.server.outbound.webhooks.receiver import Receiver
from tests.serving import Client

WEBHOOKS = "/api/v1/webhooks"


async def hook(client: Client, receiver: Receiver | str, *events: str, **more: Any) -> Any:
    url = receiver if isinstance(receiver, str) else receiver.url
    answer = await client.post(WEBHOOKS, url=url, events=list(events) or ["message.created"], **more)
    assert answer.status == 201, answer.raw
    return answer.data


async def deliveries(client: Client, made: Any, **query: str) -> list[Any]:
    found: list[Any] = (await client.get(f"{WEBHOOKS}/{made['id']}/deliveries", **query)).data
    return found


async def in_state(client: Client, made: Any, state: str, count: int = 1, seconds: float = 30.0) -> list[Any]:
    """Once so many deliveries are in that state."""
    return await _once(lambda: deliveries(client, made, state=state), lambda found: len(found) >= count, seconds)


async def tried(client: Client, made: Any, attempts: int = 1, seconds: float = 30.0) -> Any:
    """The newest delivery, once it was tried so often."""

    def was_tried(found: list[Any]) -> bool:
        return bool(found) and found[0]["attempts"] >= attempts

    return (await _once(lambda: deliveries(client, made), was_tried, seconds))[0]


async def once_shown(client: Client, made: Any, holds: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    """The webhook, once something holds of it."""

    async def look() -> Any:
        return (await client.get(f"{WEBHOOKS}/{made['id']}")).data

    return await _once(look, holds, seconds)


async def _once(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], seconds: float) -> Any:
    """What is recorded beside the answer of a receiver is looked for again and again."""
    async with asyncio.timeout(seconds):
        while not holds(found := await look()):  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(0.02)
    return found
