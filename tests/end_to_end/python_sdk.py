"""The official SDK for Python, unchanged, and handlers that write down what it tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import centrifuge
import orjson

from tests.tokens import token

PATIENCE = 30.0


class Follower(centrifuge.SubscriptionEventHandler):
    """Writes down what a subscription tells."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.subscribed: list[centrifuge.SubscribedContext] = []
        self.unsubscribed: list[int] = []
        self.joined: list[centrifuge.ClientInfo] = []
        self.left: list[centrifuge.ClientInfo] = []
        self._news = asyncio.Event()

    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        if ctx.pub.offset:  # else it is in no log
            self.offsets.append(ctx.pub.offset)
        self.events.append(plain(ctx.pub.data))
        self._news.set()

    async def on_subscribed(self, ctx: centrifuge.SubscribedContext) -> None:
        self.subscribed.append(ctx)
        self._news.set()

    async def on_unsubscribed(self, ctx: centrifuge.UnsubscribedContext) -> None:
        self.unsubscribed.append(ctx.code)
        self._news.set()

    async def on_join(self, ctx: centrifuge.JoinContext) -> None:
        self.joined.append(ctx.info)
        self._news.set()

    async def on_leave(self, ctx: centrifuge.LeaveContext) -> None:
        self.left.append(ctx.info)
        self._news.set()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def reaches(self, offset: int) -> None:
        await self.until(lambda: bool(self.offsets) and self.offsets[-1] >= offset)


def plain(data: Any) -> Any:
    """An application's data is JSON, which the SDK leaves to the application in Protobuf."""
    return orjson.loads(data) if isinstance(data, bytes) else data


@asynccontextmanager
async def connected(
    url: str, name: str = "alice", own: centrifuge.ClientEventHandler | None = None, *, protobuf: bool = False
) -> AsyncIterator[centrifuge.Client]:
    """An SDK client; `own` hears of its own channel."""

    async def fresh_token(*_: Any) -> str:
        return token(name)

    client = centrifuge.Client(
        url, token=token(name), get_token=fresh_token, events=own, min_reconnect_delay=0.01, max_reconnect_delay=0.2,
        use_protobuf=protobuf,
    )  # fmt: skip
    await client.connect()
    await client.ready(timeout=PATIENCE)
    try:
        yield client
    finally:
        await client.disconnect()


async def subscribed(client: centrifuge.Client, channel: str, **options: Any) -> tuple[Any, Follower]:
    follower = Follower()
    subscription = client.new_subscription(channel, follower, min_resubscribe_delay=0.01, **options)
    await subscription.subscribe()
    await subscription.ready(timeout=PATIENCE)
    return subscription, follower


@asynccontextmanager
async def following(
    url: str, thread_id: str, name: str = "alice", *, protobuf: bool = False
) -> AsyncIterator[tuple[centrifuge.Client, Any, Follower]]:
    """An SDK client that is subscribed to a thread."""
    async with connected(url, name, protobuf=protobuf) as client:
        subscription, follower = await subscribed(client, f"thread:{thread_id}")
        yield client, subscription, follower
