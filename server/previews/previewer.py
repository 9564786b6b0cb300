"""Previews of files, made in a bounded number of worker processes; the event loop only waits."""

import asyncio
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.previews import wire
from server.previews.job import Job, Tools
from server.previews.kinds import can_preview, missing_extra
from server.previews.limits import JOBS_WAITING, WORKERS, WorkerLimits
from server.previews.preview import Preview, PreviewFailed
from server.previews.process import WorkerProcess

logger = logging.getLogger("server.previews")

WORKER = "server.previews.worker"


class Previewer:
    """Workers start with the first job, end when there is none for a while, and are replaced when they die."""

    def __init__(
        self,
        *,
        workers: int = WORKERS,
        waiting: int = JOBS_WAITING,
        limits: WorkerLimits | None = None,
        convert: Sequence[str] = (),
        module: str = WORKER,
        outputs: Mapping[str, str] = wire.MEDIA_TYPES,
    ) -> None:
        """`convert`: the command that makes a PDF of an office document, with `{input}` and `{output_dir}`. `outputs`:
        extension → media type of what the workers of `module` make."""
        self._limits = limits or WorkerLimits()
        self._tools = Tools(tuple(convert), shutil.which("ffmpeg"), shutil.which("ffprobe"))
        self._module = module
        self._outputs = outputs
        self._turns = asyncio.Semaphore(workers)
        self._waiting = 0
        self._most_waiting = waiting
        self._idle: list[WorkerProcess] = []
        self._jobs: set[asyncio.Task[Preview]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self) -> None:
        """Says in the log what there will be no previews of."""
        missing = missing_extra()
        if missing is not None:
            logger.warning(missing)

    def can_preview(self, media_type: str) -> bool:
        """Whether a file of this type is worth a job."""
        return can_preview(media_type, converter=bool(self._tools.convert))

    async def preview(self, path: Path, media_type: str, into: Path) -> Preview:
        """Small files in `into`, which must be empty or not there yet, and what is known of the file.

        Raises `PreviewFailed`; then, and when it is cancelled, nothing is left of `into`.
        """
        self._must_take()
        job = Job(path, media_type, into, self._tools)
        task = asyncio.get_running_loop().create_task(self._in_turn(job))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        try:
            return await task
        except asyncio.CancelledError:
            if not self._closed or _is_cancelled():
                raise
            raise PreviewFailed("the server is closing", retryable=True) from None

    async def close(self) -> None:
        """Ends what runs; callers that wait for a preview get `PreviewFailed`. No process is left."""
        self._closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        for job in self._jobs:
            job.cancel()
        if self._jobs:
            await asyncio.wait(self._jobs)
        await self._retire()
        if self._retiring:
            await asyncio.wait(self._retiring)

    def _must_take(self) -> None:
        if self._closed:
            raise PreviewFailed("the server is closing", retryable=True)
        if self._waiting >= self._most_waiting:
            raise PreviewFailed(f"more than {self._most_waiting} files wait for a preview", retryable=True)

    async def _in_turn(self, job: Job) -> Preview:
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._make(job)
        finally:
            self._turns.release()

    async def _make(self, job: Job) -> Preview:
        worker = await self._worker()
        try:
            await asyncio.to_thread(job.into.mkdir, parents=True, exist_ok=True)
            return await worker.preview(job)
        except BaseException:
            if not worker.fit:
                await worker.kill()
            await asyncio.to_thread(shutil.rmtree, job.into, ignore_errors=True)
            raise
        finally:
            await self._put_back(worker)

    async def _worker(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.fit:
                return worker
            await worker.kill()
        return await WorkerProcess.start(self._module, self._limits, self._outputs)

    async def _put_back(self, worker: WorkerProcess) -> None:
        if self._closed or not worker.fit:
            await worker.kill()
            return
        self._idle.append(worker)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(self._limits.idle_seconds, self._retire_soon)

    def _retire_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self._retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self) -> None:
        while self._idle:
            await self._idle.pop().kill()


def _is_cancelled() -> bool:
    """The caller that waits, not only the job."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
