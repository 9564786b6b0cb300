"""Bodies on their way to the disk: what ends them, and what is kept then."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from actors import limits
from actors.errors import Forbidden, UploadBusy, XpError
from actors.identifiers import new_id
from server.files.uploads.disk_pace import DiskPace
from server.files.uploads.receiving import Appender, Body, Turns, receive
from server.files.uploads.staging import Staging
from server.files.uploads.upload_locks import UploadLocks
from tests.builders import until

Allowed = Callable[[], Awaitable[object]]


async def yes() -> None:
    pass


class Receiver:
    """A server that takes one upload, and answers how it ended."""

    def __init__(self, folder: Path, allowed: Allowed) -> None:
        self.staging = Staging(folder, DiskPace(lambda: 0))
        self.upload_id = new_id()
        self.ended: XpError | None = None
        self._allowed = allowed

    async def handle(self, request: web.Request) -> web.Response:
        file = await self.staging.open(self.upload_id)
        body = Body(request, self._allowed, Turns(), draining=lambda: False)
        try:
            await receive(body.pieces(), Appender(self.staging, file, 10_000_000))
        except XpError as error:
            self.ended = error
        await self.staging.close_file(self.upload_id, file)
        return web.Response(text=str(file.size))


async def send(receiver: Receiver, content: AsyncIterator[bytes]) -> str:
    application = web.Application()
    application.router.add_post("/", receiver.handle)
    async with (
        TestServer(application) as server,
        ClientSession() as session,
        session.post(server.make_url("/"), data=content) as answer,
    ):
        return await answer.text()


async def hanging(first: bytes) -> AsyncIterator[bytes]:
    yield first
    await asyncio.sleep(5)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRANSFER_LOOK_SECONDS", 0.01)


async def test_a_body_whose_right_ends_is_ended_and_what_came_is_kept(tmp_path: Path, impatient: None) -> None:
    async def no() -> None:
        if receiver.staging.path(receiver.upload_id).stat().st_size:
            raise Forbidden("no longer")

    receiver = Receiver(tmp_path, no)
    assert await send(receiver, hanging(b"x" * 1000)) == "1000"
    assert isinstance(receiver.ended, Forbidden)
    receiver.staging.close()


async def test_a_body_that_hardly_comes_is_ended(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRANSFER_STEP_SECONDS", 0.1)
    receiver = Receiver(tmp_path, yes)
    assert await send(receiver, hanging(b"x")) == "1"
    assert receiver.ended is not None
    assert receiver.ended.code == "malformed"
    receiver.staging.close()


async def test_the_newest_writer_has_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    locks, told, order = UploadLocks(), asyncio.Event(), list[str]()

    async def first() -> None:
        async with locks.hold("u") as writer:
            writer.may_be_cut_by(lambda reason: told.set())
            await told.wait()
            order.append("first ends")

    async def second() -> None:
        async with locks.hold("u"):
            order.append("second has it")

    holding = asyncio.ensure_future(first())
    await until(lambda: len(locks) == 1)
    await asyncio.gather(second(), holding)
    assert order == ["first ends", "second has it"]
    assert len(locks) == 0


async def test_a_writer_that_does_not_end_keeps_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOAD_TAKEOVER_SECONDS", 0.01)
    locks = UploadLocks()
    async with locks.hold("u"):
        with pytest.raises(UploadBusy):
            async with locks.hold("u"):
                pytest.fail("two write at once")
        async with locks.hold("other"):
            assert len(locks) == 2


async def test_a_request_that_is_slow_to_ask_does_not_end_the_one_that_arrived_after_it() -> None:
    locks = UploadLocks()
    older, newer = locks.arrive(), locks.arrive()
    async with locks.hold("u", newer) as writer:
        writer.may_be_cut_by(lambda reason: pytest.fail(reason.detail))
        with pytest.raises(UploadBusy, match="newer"):
            async with locks.hold("u", older):
                pytest.fail("two write at once")


async def test_each_round_of_the_event_loop_takes_one_piece_of_one_upload() -> None:
    turns, order = Turns(), list[str]()

    async def upload(name: str) -> None:
        for _ in range(3):
            await turns.next()
            order.append(name)

    async def other() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
            order.append("round")

    await asyncio.gather(upload("a"), upload("b"), upload("c"), other())
    taken = [name for name in order if name != "round"]
    assert [sorted(taken[index : index + 3]) for index in (0, 3, 6)] == [["a", "b", "c"]] * 3
    assert not any(a != "round" != b for a, b in itertools.pairwise(order))


async def test_small_pieces_are_gathered_and_are_on_the_disk_soon(tmp_path: Path) -> None:
    staging, upload_id = Staging(tmp_path, DiskPace(lambda: 0)), new_id()
    file = await staging.open(upload_id)
    appender = Appender(staging, file, 10_000)
    for _ in range(5):
        await appender.add(b"piece")
    assert file.size == 0
    await until(lambda: file.size == 25)
    await appender.end()
    await staging.close_file(upload_id, file)
    staging.close()
