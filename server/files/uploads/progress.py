"""How far an upload is, published while its bytes come: to its owner's devices, and to the thread where a message
waits for the file. Seldom: what a progress bar needs."""

import asyncio
import contextlib
import math

from actors import limits
from actors.auth.identity import Identity
from actors.errors import XpError
from actors.resources.files.queries import FindShowingThread
from actors.resources.files.uploads import FILE_PROGRESS, UPLOAD_PROGRESS, Upload, UploadProgress
from actors.resources.user_events import UserEphemeral
from actors.threads.inbox import TellEphemeral
from server.api.services import Services


class Progress:
    """Of one request. Nothing waits for it, and its failures are ignored."""

    def __init__(self, services: Services, identity: Identity, upload: Upload) -> None:
        self._services = services
        self._user_key = identity.user.key
        self._upload = upload
        self._step = max(1, (upload.length or 0) // limits.PROGRESS_STEPS) if upload.length else limits.PROGRESS_BYTES
        self._sent_at = -math.inf
        self._sent = 0
        self._telling: asyncio.Task[None] | None = None

    def reached(self, received: int) -> None:
        """Called with every piece. The end is not published: it is an event of the log."""
        if received - self._sent < self._step or received == self._upload.length:
            return
        now = asyncio.get_running_loop().time()
        if now - self._sent_at >= limits.PROGRESS_SECONDS:
            self._sent, self._sent_at = received, now
            self.publish(received)

    def publish(self, received: int) -> None:
        """Whenever it is called."""
        self._tell(UploadProgress(self._upload.id, self._upload.file_id, received, self._upload.length))

    def _tell(self, progress: UploadProgress) -> None:
        self._services.users.tell(self._user_key, UserEphemeral(UPLOAD_PROGRESS, progress))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell_thread(progress))

    async def _tell_thread(self, progress: UploadProgress) -> None:
        with contextlib.suppress(XpError):
            thread_id = await self._services.ask(FindShowingThread(progress.file_id))
            if thread_id is not None and self._services.directory.is_live(thread_id):
                self._services.directory.thread(thread_id).tell(TellEphemeral(FILE_PROGRESS, progress))
