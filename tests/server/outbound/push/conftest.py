from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.outbound.push.browser import Browser
from tests.server.outbound.webhooks.receiver import Receiver, receiving
from tests.serving import Client, Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", WEBHOOK_NETWORKS="127.0.0.1", PUSH_CONTACT="mailto:ops@example.com") as it:
        yield it


@pytest.fixture
async def service() -> AsyncIterator[Receiver]:
    """A push service."""
    async with receiving() as made:
        yield made


@pytest.fixture
def browser(service: Receiver) -> Browser:
    return Browser(f"{service.url}/1")


@pytest.fixture
async def bob(server: Server) -> Client:
    """Wants to be reached by Web Push."""
    client = server.client("bob")
    assert (await client.patch("/api/v1/users/me/preferences", deliver=["web_push"])).status == 200
    return client


@pytest.fixture
async def thread(alice: Client, bob: Client) -> str:
    """Whose news bob has seen."""
    made = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    await bob.post("/api/v1/notifications/read-all")
    return str(made["id"])
