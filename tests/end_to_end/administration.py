"""The `xp` command beside a running server."""

import os

from tests import forking
from tests.serving import ServerProcess


async def xp(process: ServerProcess, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """In a process of its own; answers what it printed."""
    code, said = await forking.run(arguments, {**os.environ, **process.settings})
    assert code in codes, (arguments, said)
    return said
