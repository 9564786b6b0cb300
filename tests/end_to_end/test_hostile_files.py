"""While hostile files arrive at a running server: messages are answered, its memory stays, workers that die are
replaced, and the scanner waits for nobody."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from PIL import Image

from actors import limits
from tests.server.files import hostile
from tests.server.previews import corpus
from tests.serving import Client, ServerProcess

FILES = "/api/v1/files"
CONVERTER = """
import os, pathlib, signal, sys, time, zipfile

asked = zipfile.ZipFile(sys.argv[1]).read("word/document.xml")
marks = pathlib.Path(sys.argv[3])
if b"do-shoot" in asked:
    marks.joinpath(f"shot-{os.getppid()}").touch()
    os.kill(os.getppid(), signal.SIGSEGV)
if b"do-hang" in asked:
    marks.joinpath(f"hangs-{os.getpid()}").touch()
    time.sleep(600)
"""
PATIENCE = 120.0


def document(asked: str) -> bytes:
    words = f'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>do-{asked}</w:t></w:r></w:p></w:body></w:document>'
    return hostile.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": words.encode()})


def picture(color: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (300, 200), color).save(made, "PNG")
    return made.getvalue()


class Marks:
    """Ids of processes that converters have written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    async def pids(self, kind: str, count: int) -> list[int]:
        """So many of them, once they are there."""
        async with asyncio.timeout(PATIENCE):
            while len(found := list(self.folder.glob(f"{kind}-*"))) < count:  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.05)
        return [int(path.name.partition("-")[2]) for path in found]


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path / "marks")


@pytest.fixture
async def process(tmp_path: Path, marks: Marks) -> AsyncIterator[ServerProcess]:
    script, scanner = tmp_path / "convert.py", tmp_path / "scan"
    script.write_text(CONVERTER)
    scanner.write_text("#!/bin/sh\nexit 0\n")
    scanner.chmod(0o700)
    process = ServerProcess(
        tmp_path / "data", PREVIEWS="on", PREVIEW_WORKERS="2", SCAN_URL=f"exec:{scanner}",
        OFFICE_COMMAND=f"{sys.executable} {script} {{input}} {{output_dir}} {marks.folder}",
    )  # fmt: skip
    await process.start()
    yield process
    await process.stop()


async def send(client: Client, content: bytes, name: str) -> Any:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename=name)
    return await client.request("POST", FILES, data=form)


async def until_file(client: Client, file_id: str, holds: Callable[[Any], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds((await client.get(f"{FILES}/{file_id}")).data):  # noqa: ASYNC110 - by HTTP
            await asyncio.sleep(0.05)


async def shown(client: Client, color: str) -> None:
    """A harmless picture goes up, and has its preview."""
    file = (await send(client, picture(color), f"{color}.png")).data
    await until_file(client, file["id"], lambda found: found["previews"])


async def talk(client: Client, thread: Any, until: asyncio.Future[Any]) -> int:
    """Messages, one after another, each answered; answers how many."""
    count = 0
    while not until.done():
        await client.say(thread, f"message {count}")
        count += 1
    return count


async def send_corpus(client: Client) -> None:
    bombs = hostile.overlapping_zip(), hostile.nested_zip(6, width=3), hostile.claiming_zip(0xFFFFFFF0)
    for answer in await asyncio.gather(*(send(client, bomb, "bomb.zip") for bomb in bombs)):
        assert (answer.status, answer.error["code"]) == (415, "archive_bomb")
    files = [each for each in corpus.files() if len(each.data) < limits.MIB]
    for answer in await asyncio.gather(*(send(client, each.data, "file.bin") for each in files)):
        assert answer.status in (201, 415), answer
    await shown(client, "green")


async def test_the_server_is_unmoved(process: ServerProcess, alice: Client, marks: Marks) -> None:
    thread = await alice.thread()
    await shown(alice, "red")
    memory = rss(process)
    sending = asyncio.ensure_future(send_corpus(alice))
    count = await talk(alice, thread, sending)
    await sending
    assert count > 10
    assert rss(process) - memory < 64 * limits.MIB
    await a_worker_that_dies_is_replaced(alice, marks)
    await documents_that_hang_do_not_hold_up_the_scanner(alice, marks)


def rss(process: ServerProcess) -> int:
    assert process.process is not None
    return int(psutil.Process(process.process.pid).memory_info().rss)


async def a_worker_that_dies_is_replaced(alice: Client, marks: Marks) -> None:
    assert (await send(alice, document("shoot"), "shoot.docx")).status == 201
    (pid,) = await marks.pids("shot", 1)
    async with asyncio.timeout(PATIENCE):
        while psutil.pid_exists(pid):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    await shown(alice, "blue")


async def documents_that_hang_do_not_hold_up_the_scanner(alice: Client, marks: Marks) -> None:
    for _ in range(5):
        assert (await send(alice, document("hang"), "hang.docx")).status == 201
    running = await marks.pids("hangs", 2)
    file = (await send(alice, b"harmless", "harmless.txt")).data
    await until_file(alice, file["id"], lambda found: found["status"] == "ready")
    assert all(psutil.pid_exists(pid) for pid in running), "while both workers still wait for their converters"
