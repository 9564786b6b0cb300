"""In Chromium: a service worker gets what the server has pushed, and shows it once though it comes twice.

The server encrypts the push for a browser and sends it to a push service of the test, which decrypts it (by an
implementation that is not ours) and hands the content to Chromium's service worker by the DevTools protocol. So this
shows what a page makes of a push; it does not show Google's push service, nor that Chromium itself decrypts it.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.end_to_end.test_upload_page import CHROMIUM, Page, page
from tests.server.outbound.push.browser import Browser
from tests.server.outbound.webhooks.receiver import receiving
from tests.serving import free_port, serving

__all__ = ["page"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)")
HTML = """<!doctype html><title>Push</title><script>
navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready)
  .then(registration => { window.registration = registration })
</script>"""
WORKER = """
self.addEventListener("install", () => self.skipWaiting())
self.addEventListener("activate", event => event.waitUntil(clients.claim()))
let pushes = 0
self.addEventListener("push", event => {
  const {data, unread} = event.data.json()
  pushes += 1
  event.waitUntil(registration.showNotification(
    data.actor.name, {body: data.excerpt, tag: data.id, data: {unread, pushes}}))
})
"""
SHOWN = """registration.getNotifications().then(found =>
  found.map(one => [one.title, one.body, one.tag, one.data.unread, one.data.pushes]))"""


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async def show(_: web.Request) -> web.Response:
        return web.Response(text=HTML, content_type="text/html")

    async def work(_: web.Request) -> web.Response:
        return web.Response(text=WORKER, content_type="text/javascript")

    application = web.Application()
    application.router.add_get("/", show)
    application.router.add_get("/worker.js", work)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def pushed(folder: Path) -> Any:
    """What a push service got of a mention, decrypted."""
    async with (
        serving(folder / "data", WEBHOOK_NETWORKS="127.0.0.1", PUSH_CONTACT="mailto:ops@example.com") as server,
        receiving() as service,
    ):
        alice, bob = server.client("alice"), server.client("bob")
        thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
        await bob.post("/api/v1/notifications/read-all")
        browser = Browser(service.url)
        await browser.subscribe(bob)
        await bob.patch("/api/v1/users/me/preferences", deliver=["web_push"])
        await alice.say(thread, "@bob, schau: 見て")
        (got,) = await service.until(1, seconds=60)
        return browser.read(got)


async def test_a_push_is_shown_once_by_its_service_worker(page: Page, origin: str, tmp_path: Path) -> None:
    body = await pushed(tmp_path)
    await page.do("Browser.grantPermissions", origin=origin, permissions=["notifications"])
    await page.do("ServiceWorker.enable")
    await page.do("Page.navigate", url=f"{origin}/")
    await page.until("!!window.registration && !!navigator.serviceWorker.controller")
    (registration,) = await page.told("ServiceWorker.workerRegistrationUpdated", "registrations")
    await page.until("registration.active.state === 'activated'")
    shown: list[list[Any]] = []
    async with asyncio.timeout(90):
        while not shown or shown[0][-1] < 2:  # one that comes while the worker starts may be lost by the protocol
            await page.do(
                "ServiceWorker.deliverPushMessage", origin=origin, registrationId=registration["registrationId"],
                data=orjson.dumps(body).decode(),
            )  # fmt: skip
            await asyncio.sleep(0.2)  # the browser is another process
            shown = await page.run(SHOWN)
    assert [one[:-1] for one in shown] == [["Alice", "@bob, schau: 見て", body["data"]["id"], 1]]
