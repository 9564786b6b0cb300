"""In Chromium: `examples/upload.html`, where a file goes up, pauses, goes on after a reload, and is what it was; and a
form that is sent again while its line is cut at twenty places."""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import os
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from tests.builders import until
from tests.end_to_end.proxy import proxy_to
from tests.server.files.uploading import blobs, staged
from tests.serving import Client, ServerProcess, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = Path(__file__).parents[2] / "examples" / "upload.html"
FORM = """<!doctype html><title>A form</title><form id="form"><input type="file" id="files" name="file"></form>
<script>
async function send(url, token) {
  const headers = {Authorization: `Bearer ${token}`, "Idempotency-Key": "a form of a browser"}
  for (;;) {
    try {
      const answer = await fetch(url, {method: "POST", headers, body: new FormData(document.querySelector("#form"))})
      if (answer.status != 423) return await answer.json()
    } catch (lineLost) {}
    await new Promise(again => setTimeout(again, 20))
  }
}
</script>"""
CUTS = 20
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)")


class Page:
    """One page, by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._events: list[Any] = []

    async def do(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = await self._socket.receive_json()
            if said.get("id") == number:
                assert "error" not in said, said
                return said["result"]
            self._events.append(said)

    async def told(self, method: str, name: str) -> Any:
        """What the newest event of a kind says by that name, where it says anything."""
        async with asyncio.timeout(60):
            while True:
                for said in reversed(self._events):
                    if said.get("method") == method and said["params"][name]:
                        return said["params"][name]
                self._events.append(await self._socket.receive_json())

    async def run(self, script: str) -> Any:
        said = await self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, script: str) -> None:
        async with asyncio.timeout(60):
            while not await self.run(script):  # noqa: ASYNC110 - the page is another process
                await asyncio.sleep(0.05)

    async def limit_uploads(self, speed: int) -> None:
        """To bytes a second; -1 is without a limit. This machine to itself would be too fast for a pause."""
        await self.do(
            "Network.emulateNetworkConditions",
            offline=False, latency=0, downloadThroughput=-1, uploadThroughput=speed,
        )  # fmt: skip

    async def choose(self, path: Path) -> None:
        root = await self.do("DOM.getDocument")
        found = await self.do("DOM.querySelector", nodeId=root["root"]["nodeId"], selector="#files")
        await self.do("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(path)])

    async def picture(self) -> bytes:
        return base64.b64decode((await self.do("Page.captureScreenshot"))["data"])


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    assert CHROMIUM is not None
    port = free_port()
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}",
        f"--remote-debugging-port={port}", "--window-size=900,700", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            url = await _page_of(session, port)
            async with session.ws_connect(url, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        with contextlib.suppress(ProcessLookupError):
            browser.kill()
        await browser.wait()


async def _page_of(session: aiohttp.ClientSession, port: int) -> str:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    for found in await answer.json():
                        if found["type"] == "page":
                            return str(found["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async def show(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE)

    async def show_form(_: web.Request) -> web.Response:
        return web.Response(text=FORM, content_type="text/html")

    application = web.Application()
    application.router.add_get("/upload.html", show)
    application.router.add_get("/form.html", show_form)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_a_file_goes_up_with_a_pause_and_a_reload(page: Page, origin: str, tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "data", ALLOWED_ORIGINS=origin, PREVIEWS="on")
    await process.start()
    try:
        async with aiohttp.ClientSession() as session:
            await _upload(page, origin, Client(session, process.url, "alice"), tmp_path)
    finally:
        await process.stop()


async def _upload(page: Page, origin: str, alice: Client, tmp_path: Path) -> None:
    large, picture = tmp_path / "large.bin", tmp_path / "picture.png"
    large.write_bytes(os.urandom(24_000_000))
    Image.radial_gradient("L").save(picture)
    await page.do("Page.enable")
    await page.do("Network.enable")
    await page.do("Page.navigate", url=f"{origin}/upload.html")
    await page.until("document.readyState == 'complete' && location.protocol == 'http:' && !!window.sessionStorage")
    await page.run(f"sessionStorage.server = '{alice.url}'; sessionStorage.token = '{alice.token}'")
    await page.do("Page.reload")
    await page.until(f"document.querySelector('#token')?.value == '{alice.token}' && document.readyState == 'complete'")
    await page.limit_uploads(4_000_000)
    await page.choose(large)
    await page.until("document.querySelector('li progress')?.value > 0.1")
    await page.run("document.querySelector('li button').click()")
    await page.until("document.querySelector('li .state').textContent.includes('paused')")
    await page.limit_uploads(-1)
    await page.do("Page.reload")
    await page.until("document.querySelector('li .state')?.textContent.includes('unfinished')")
    await page.choose(large)
    await page.until("document.querySelector('li .state')?.textContent.startsWith('ready')")
    await page.choose(picture)
    await page.until("document.querySelector('li .thumb')?.style.backgroundImage.startsWith('url')")
    await page.run("document.querySelector('#form').click()")
    await page.choose(picture)
    await page.until(
        "[...document.querySelectorAll('.state')].filter(s => s.textContent.startsWith('ready')).length == 3"
    )
    if "SCREENSHOT" in os.environ:
        Path(os.environ["SCREENSHOT"]).write_bytes(await page.picture())  # noqa: ASYNC240 - for eyes
    files = (await alice.get("/api/v1/files")).data
    assert sorted(file["name"] for file in files) == ["large.bin", "picture.png", "picture.png"]
    (found,) = [file for file in files if file["name"] == "large.bin"]
    assert found["sha256"] == hashlib.sha256(large.read_bytes()).hexdigest()


async def test_a_form_of_a_browser_over_a_line_that_is_cut_at_twenty_places(
    page: Page, origin: str, tmp_path: Path
) -> None:
    large, chance = tmp_path / "large.bin", random.Random(21)
    large.write_bytes(os.urandom(3_000_000))
    process = ServerProcess(tmp_path / "data", ALLOWED_ORIGINS=origin)
    await process.start()
    try:
        async with aiohttp.ClientSession() as session, proxy_to(process.port) as proxy:
            alice = Client(session, process.url, "alice")
            await alice.me()
            await page.do("Page.navigate", url=f"{origin}/form.html")
            await page.until("document.readyState == 'complete' && !!document.querySelector('#files') && !!window.send")
            await page.choose(large)
            proxy.cut_sent_after = [chance.randrange(2_000, 3_000_000) for _ in range(CUTS)]
            answer = await page.run(f"send('http://127.0.0.1:{proxy.port}/api/v1/files', '{alice.token}')")
            assert proxy.cut_sent_after == []
            (file,) = (await alice.get("/api/v1/files")).data
            assert (file["id"], file["version"]) == (answer["data"]["id"], 1)
            assert file["sha256"] == hashlib.sha256(large.read_bytes()).hexdigest()
            await until(lambda: staged(process.data_dir) == [], "that nothing is staged", 30.0)
            assert blobs(process.data_dir) == [file["sha256"]]
    finally:
        await process.stop()
