"""One server for all sweeps: they leave each other's things alone, and a server for each of them would take minutes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from actors.identifiers import new_id
from tests.server.operations.sweep.requests import World
from tests.serving import Client, Server, serving


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("sweep") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def alice(server: Server) -> Client:
    client = server.client("alice")
    await client.me()
    return client


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def bob(server: Server) -> Client:
    client = server.client("bob")
    await client.me()
    return client


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def root(server: Server) -> Client:
    client = server.client("root", role="ADMIN")
    await client.me()
    return client


@pytest_asyncio.fixture(loop_scope="package")
async def world(server: Server, alice: Client, bob: Client, root: Client) -> World:
    """A thread of alice's with a viewer and a message in it, for one test alone."""
    viewer = server.client(f"viewer-{new_id()}")
    viewer_id = (await viewer.me())["id"]
    thread = await alice.thread(members=[{"user_id": viewer_id, "role": "VIEWER"}])
    message = await alice.say(thread)
    return World(alice, bob, viewer, root, viewer_id, (await bob.me())["id"], thread["id"], message["id"])
