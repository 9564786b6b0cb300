"""Ways to upload a file by requests that break off: what each sends next, and how it learns where it goes on."""

import asyncio
import contextlib
import os
import random
from abc import ABC, abstractmethod

from tests.end_to_end.cut_requests import Reply, Whole, send, send_until
from tests.server.files.uploading import create
from tests.serving import Client, ServerProcess

SIZE = 3_000_000
FILES = "/api/v1/files"
BOUNDARY = "----a-browsers-boundary"
BUSY = 423


class Way(ABC):
    """One upload of one file by one client."""

    goes_on = True
    """Whether it sends only what the server does not have."""

    def __init__(self, process: ServerProcess, alice: Client, seed: int) -> None:
        self.process = process
        self.alice = alice
        self.content = os.urandom(SIZE)
        self.there = 0
        self._chance = random.Random(seed)

    @abstractmethod
    async def begin(self) -> None: ...

    @abstractmethod
    def request(self) -> Whole:
        """What is to be sent now: all that is left."""

    async def look(self) -> None:
        """After a request that broke off, and before the next one: how much is there."""
        return

    @abstractmethod
    def file_of(self, reply: Reply) -> str:
        """The id of the file that is complete now."""

    async def send_until_cut(self) -> None:
        request = self.request()
        await send_until(
            self.process.port, request, self._chance.randrange(len(request.body) // (8 if self.goes_on else 1))
        )

    async def send(self, request: Whole) -> Reply:
        """As a client does that tries again: after `Retry-After`, and where a refusal came while it still sent, so that
        its line broke before it could read why."""
        while True:
            with contextlib.suppress(ConnectionError):
                reply = await send(self.process.port, request)
                if reply.status != BUSY:
                    return reply
            await asyncio.sleep(1.0)  # as `Retry-After` says

    async def end(self) -> str:
        reply = await self.send(self.request())
        assert reply.status in (200, 201, 204), reply
        return self.file_of(reply)


class Form(Way):
    """As a browser sends it; as a program does, with a key for retries."""

    goes_on = False

    def __init__(self, process: ServerProcess, alice: Client, seed: int, *, key: str = "") -> None:
        super().__init__(process, alice, seed)
        self._headers = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        self._headers += f"Idempotency-Key: {key}\r\n" if key else ""

    async def begin(self) -> None:
        return

    def request(self) -> Whole:
        disposition = 'Content-Disposition: form-data; name="file"; filename="naïve.bin"'
        before = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        body = before + self.content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return Whole("POST", FILES, self.alice.token, body, self._headers)

    def file_of(self, reply: Reply) -> str:
        return str(reply.data["id"])


class Put(Way):
    """Whole again each time."""

    goes_on = False

    async def begin(self) -> None:
        self.file_id = str((await self.alice.post(FILES, name="a.bin")).data["id"])

    def request(self) -> Whole:
        return self._put("", self.content)

    def _put(self, headers: str, body: bytes) -> Whole:
        return Whole("PUT", f"{FILES}/{self.file_id}/content", self.alice.token, body, headers)

    def file_of(self, reply: Reply) -> str:
        return str(reply.data["id"])


class PutRange(Put):
    """With `Content-Range` from where the bytes end that are there."""

    goes_on = True

    def request(self) -> Whole:
        return self._from(self.there)

    def _from(self, first: int) -> Whole:
        return self._put(f"Content-Range: bytes {first}-{SIZE - 1}/{SIZE}\r\n", self.content[first:])

    async def look(self) -> None:
        """A part that cannot be the next one is answered with the offset."""
        reply = await self.send(self._from(SIZE - 1))
        assert reply.status == 409, reply
        self.there = int(reply.headers["upload-offset"])


class Tus(Way):
    async def begin(self) -> None:
        self._path = (await create(self.alice, SIZE)).headers["Location"]

    def request(self) -> Whole:
        headers = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
        headers += f"Upload-Offset: {self.there}\r\n"
        return Whole("PATCH", self._path, self.alice.token, self.content[self.there :], headers)

    async def look(self) -> None:
        """Again while it is refused: the request that broke off may reach the server after this one."""
        reply = await self.send(Whole("HEAD", self._path, self.alice.token, b"", "Tus-Resumable: 1.0.0\r\n"))
        assert reply.status == 200, reply
        self.there = int(reply.headers["upload-offset"])

    def file_of(self, reply: Reply) -> str:
        return reply.headers["x-file-id"]
