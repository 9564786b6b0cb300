"""Archives are looked into before they are kept, in a worker process: a hostile one costs this one neither memory nor
time."""

import asyncio
from pathlib import Path
from typing import Final

from actors import limits
from actors.errors import Unavailable, UnsupportedMedia
from server.files.archives.bombs import archive_kind
from server.files.scratch_folder import scratch_folder
from server.previews.limits import MIB, WorkerLimits
from server.previews.preview import PreviewFailed
from server.previews.previewer import Previewer

WORKER: Final = "server.previews.archive_worker"
WORKER_LIMITS: Final = WorkerLimits(memory=512 * MIB, cpu_seconds=10, file_bytes=MIB)
"""The dictionary of an xz stream takes up to 128 MiB; a look takes two seconds where its own limits are reached."""


class ArchiveInspector:
    """Its worker starts with the first archive, and ends when none has come for a while."""

    def __init__(self) -> None:
        self._workers = Previewer(workers=1, waiting=limits.ARCHIVE_LOOKS_WAITING, limits=WORKER_LIMITS, module=WORKER)

    async def must_be_harmless(self, path: Path) -> None:
        """Raises `UnsupportedMedia` for a bomb, and `Unavailable` where none can look now."""
        archive = await asyncio.to_thread(_archive, path)
        if archive is None:
            return
        bomb = await self._bomb(archive)
        if bomb is not None:
            raise UnsupportedMedia(f"This archive would do harm where it is unpacked: {bomb}.", code="archive_bomb")

    async def _bomb(self, path: Path) -> str | None:
        with scratch_folder("xp-archive-") as folder:
            try:
                seen = await self._workers.preview(path, "archive", folder)
            except PreviewFailed as failure:
                if failure.retryable:
                    raise Unavailable("Archives cannot be looked into right now; retry.") from failure
                return f"looking into it failed: {failure.reason}"
        bomb = seen.metadata.get("bomb")
        return None if bomb is None else str(bomb)

    async def close(self) -> None:
        await self._workers.close()


def _archive(path: Path) -> Path | None:
    """Its absolute path, where it is one: a worker has another folder."""
    with path.open("rb") as file:
        return None if archive_kind(file) is None else path.absolute()
