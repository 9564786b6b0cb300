"""One server for all sweeps: they leave each other's things alone, and a server for each of them would take minutes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.server.operations.sweep.people import Cast, cast_of
from tests.server.operations.sweep.requests import PASSWORD, Hosts, World, hosts_of, world_of
from tests.server.operations.sweep.worlds import SharedWorld, Worlds
from tests.serving import Client, Server, serving


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("sweep") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def alice(server: Server) -> Client:
    client = server.client("alice")
    assert (await client.post("/api/v1/auth/password", new_password=PASSWORD)).status == 200
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


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def hosts(server: Server, alice: Client, bob: Client, root: Client) -> Hosts:
    return await hosts_of(server, alice, bob, root)


@pytest.fixture(scope="package")
def shared(hosts: Hosts) -> SharedWorld:
    return SharedWorld(hosts)


@pytest_asyncio.fixture(loop_scope="package")
async def world(request: pytest.FixtureRequest, hosts: Hosts, shared: SharedWorld) -> AsyncIterator[World]:
    """A thread of alice's with a viewer and a message in it, and what its operation is about.

    For one test alone, unless that is marked as one that changes nothing: it only reads, or is refused.
    """
    async with AsyncExitStack() as opened:
        is_shared = request.node.get_closest_marker("changes_nothing") is not None
        world = await (shared.get(opened) if is_shared else world_of(hosts, opened))
        if "operation" in request.fixturenames:
            await world.prepare(request.getfixturevalue("operation"))
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def cast(server: Server, bob: Client) -> Cast:
    return await cast_of(server, bob)


@pytest_asyncio.fixture(loop_scope="package")
async def worlds(hosts: Hosts, cast: Cast) -> AsyncIterator[Worlds]:
    """As many as a test wants."""
    found = Worlds(hosts, cast)
    async with found.opened:
        yield found
