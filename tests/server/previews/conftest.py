from collections.abc import AsyncIterator

import pytest

from server.previews.limits import WorkerLimits
from server.previews.previewer import Previewer

MISBEHAVING = "tests.server.previews.misbehaving"
LIMITS = WorkerLimits(seconds=100.0, cpu_seconds=1, memory=384 * 1024 * 1024)


@pytest.fixture
async def previewer() -> AsyncIterator[Previewer]:
    previewer = Previewer(workers=1)
    yield previewer
    await previewer.close()


@pytest.fixture
async def misbehaving() -> AsyncIterator[Previewer]:
    previewer = Previewer(workers=1, module=MISBEHAVING, limits=LIMITS)
    yield previewer
    await previewer.close()
