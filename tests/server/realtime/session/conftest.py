from collections.abc import AsyncIterator

import pytest

from actors.runtime.loop_actor import Stage
from tests.server.realtime.session.client import Behind, Client


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    made.stop_all()


@pytest.fixture
async def behind(stage: Stage) -> AsyncIterator[Behind]:
    made = Behind(stage)
    yield made
    made.live_channels.stop()
    if made.hub._timer is not None:
        made.hub._timer.cancel()


@pytest.fixture
async def client(stage: Stage, behind: Behind) -> Client:
    """Connected."""
    return await Client(stage, behind).connect()


@pytest.fixture
async def stranger(stage: Stage, behind: Behind) -> Client:
    return Client(stage, behind)
