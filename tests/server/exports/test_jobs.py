"""Exports as jobs: begun, followed, fetched with the rights of now, gone after a day; what a restart leaves of them."""

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from actors.resources.exports import Export
from server.exports.exported import Exported
from server.exports.jobs import INTERRUPTED, ExportJobs
from server.exports.store import ExportStore
from tests.realtime_client import raw_client
from tests.server.artifacts.test_exports import create
from tests.server.exports.reading import pages_of
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server, serving

__all__ = ["nothing_breaks"]

BARS: dict[str, Any] = {"mark": "bar", "data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}}
REPORT: Any = {"sections": [{"type": "chart", "spec": BARS}, {"type": "markdown", "text": "Some *text*."}]}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def over(client: Client, export: Any) -> Any:
    """The export once it is made, or has failed."""
    async with asyncio.timeout(60):
        while True:
            found = (await client.get(f"/api/v1/exports/{export['id']}")).data
            if found["status"] in ("DONE", "FAILED"):
                return found
            await asyncio.sleep(0.01)


async def test_a_report_as_a_job_with_its_progress(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    url = await create(alice, thread, REPORT)
    async with raw_client(server.session, server.websocket_url) as device:
        await device.connect(bob.token)
        begun = await bob.post(f"{url}/exports", format="pdf")
        assert (begun.status, begun.data["status"]) == (202, "PENDING")
        assert begun.headers["Location"] == f"/api/v1/exports/{begun.data['id']}"
        seen: list[Any] = []
        async with asyncio.timeout(60):
            while not seen or seen[-1]["status"] != "DONE":
                push = await device.push()
                data = push.get("pub", {}).get("data", {})
                if data.get("type") == "export.progress":
                    seen.append(data["data"])
    assert [(each["status"], each["done"], each["steps"]) for each in seen] == [
        ("RUNNING", 0, 2), ("RUNNING", 1, 2), ("DONE", 2, 2),
    ]  # fmt: skip
    done = (await bob.get(f"/api/v1/exports/{begun.data['id']}")).data
    assert done == seen[-1]
    assert (done["name"], done["pages"], done["media_type"]) == ("Sales <b>.pdf", 1, "application/pdf")
    made = await bob.get(done["url"])
    assert (made.headers["Content-Type"], len(made.raw)) == ("application/pdf", done["size"])
    assert "Some text." in pages_of(made.raw)[0]
    part = await bob.get(done["url"], headers={"Range": "bytes=0-4"})
    assert (part.status, part.raw) == (206, b"%PDF-")
    assert (await bob.get("/api/v1/exports")).data == [done]
    assert (await alice.get("/api/v1/exports")).data == []
    assert (await alice.get(done["url"])).status == 404, "an export is its user's"
    assert (await bob.delete(f"/api/v1/exports/{done['id']}")).data["deleted"]
    assert (await bob.get(done["url"])).status == 404


async def test_rights_are_asked_when_it_is_fetched(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    hidden = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    origin = (await create(alice, hidden, "Origin.")).rpartition("/")[2]
    url = await create(alice, thread, {"artifact_id": origin}, type="PDF")
    exports = [
        await over(bob, (await bob.post(f"{url}/exports", format="md")).data),
        await over(bob, (await bob.post(f"/api/v1/threads/{thread['id']}/exports", format="md")).data),
    ]
    assert [(await bob.get(each["url"])).status for each in exports] == [200, 200]
    await alice.delete(f"/api/v1/threads/{hidden['id']}/members/{(await bob.me())['id']}")
    assert [(await bob.get(each["url"])).status for each in exports] == [404, 200], "what it was generated from"
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}")
    assert [(await bob.get(each["url"])).status for each in exports] == [404, 404]
    assert (await server.client("eve").post(f"{url}/exports", format="md")).status == 404


async def test_what_fails_says_why(alice: Client, thread: Any) -> None:
    url = await create(alice, thread, "No charts.")
    failed = await over(alice, (await alice.post(f"{url}/exports", format="svg")).data)
    assert (failed["status"], failed["code"], failed["url"]) == ("FAILED", "nothing_to_export", None)
    assert "no chart" in failed["error"]
    refused = await alice.get(f"/api/v1/exports/{failed['id']}/content")
    assert (refused.status, refused.error["code"]) == (409, "export_failed")


async def test_a_retry_with_the_same_key_is_the_same_export(alice: Client, thread: Any) -> None:
    url = f"{await create(alice, thread, 'Text.')}/exports"
    key = {"Idempotency-Key": "once"}
    first = await alice.post(url, headers=key, format="md")
    assert (await alice.post(url, headers=key, format="md")).data["id"] == first.data["id"]
    assert (await alice.post(url, headers=key, format="json")).status == 422
    assert (await alice.post(url, format="md")).data["id"] != first.data["id"]


async def test_how_many_there_may_be(
    server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.EXPORTS_KEPT", 2)
    url = f"/api/v1/threads/{thread['id']}/exports"
    made = [await over(alice, (await alice.post(url, format="json")).data) for _ in range(4)]
    assert [each["id"] for each in (await alice.get("/api/v1/exports")).data] == [made[3]["id"], made[2]["id"]]
    assert not server.services.export_jobs._store.path(made[0]["id"]).exists()
    monkeypatch.setattr("actors.limits.EXPORTS_AT_ONCE", 0)
    full = await alice.post(url, format="json")
    assert (full.status, full.headers["Retry-After"]) == (429, "10")


async def test_after_a_day_it_is_gone(server: Server, alice: Client, thread: Any) -> None:
    jobs = server.services.export_jobs
    export = await over(alice, (await alice.post(f"/api/v1/threads/{thread['id']}/exports", format="json")).data)
    path = jobs._store.path(export["id"])
    assert path.exists()
    day, clock = 24 * 3600 + 1, jobs.clock
    jobs.clock = lambda: clock() + day
    assert (await alice.get(f"/api/v1/exports/{export['id']}")).status == 404
    await jobs.purge()
    assert not path.exists()
    assert names(path.parent) == []


async def test_a_restart_keeps_what_is_made(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        alice = server.client("alice")
        thread = await alice.thread()
        await alice.say(thread, "Hello")
        export = await over(alice, (await alice.post(f"/api/v1/threads/{thread['id']}/exports", format="md")).data)
        body = (await alice.get(export["url"])).raw
    async with serving(tmp_path / "data") as server:
        alice = server.client("alice")
        assert (await alice.get("/api/v1/exports")).data == [export]
        assert (await alice.get(export["url"])).raw == body


async def test_what_a_restart_interrupts_has_failed(tmp_path: Path) -> None:
    export = Export("c" * 25, "c" * 25, 1, "thread", "c" * 25, "md", None, None, "RUNNING", 0, 10**15)
    store = ExportStore(tmp_path)
    store.write(export)
    for left in ("torn.json", "half.made.part", f"{'d' * 25}.made"):
        (tmp_path / left).write_bytes(b"{")
    jobs = ExportJobs(tmp_path, lambda: 1.0)
    await jobs.start()
    try:
        (found,) = jobs.of_user(export.user_id)
        assert (found.status, found.error) == ("FAILED", INTERRUPTED)
        assert names(tmp_path) == [f"{export.id}.json"]
    finally:
        await jobs.stop()


async def test_one_is_removed_while_it_is_made(tmp_path: Path) -> None:
    jobs = ExportJobs(tmp_path, lambda: 1.0)
    await jobs.start()
    waits = asyncio.Event()

    async def make(tell: Any) -> Any:
        tell(0, 3)
        waits.set()
        await asyncio.Event().wait()

    export = Export("c" * 25, "c" * 25, 1, "thread", "c" * 25, "md", None, None, "PENDING", 0, 10**15)
    begun = await jobs.begin(export, make)
    async with asyncio.timeout(20):
        await waits.wait()
    await jobs.remove(jobs.one(begun.user_id, begun.id))
    assert jobs.of_user(begun.user_id) == []
    assert names(tmp_path) == []
    await jobs.stop()


async def test_one_is_removed_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an OS thread still writes is not left behind, where the next start would find it again."""
    jobs, writes, goes_on = ExportJobs(tmp_path, lambda: 1.0), asyncio.Event(), threading.Event()
    await jobs.start()
    loop, write = asyncio.get_running_loop(), jobs._store.write

    def write_late(export: Export, body: bytes | None = None) -> None:
        if body is not None:
            loop.call_soon_threadsafe(writes.set)
            goes_on.wait(20)
        write(export, body)

    monkeypatch.setattr(jobs._store, "write", write_late)
    begun = await jobs.begin(one(), nothing)
    await writes.wait()
    removing = asyncio.ensure_future(jobs.remove(begun))
    loop.call_later(0.1, goes_on.set)
    await removing
    await jobs.stop()
    await loop.shutdown_default_executor()
    assert names(tmp_path) == []


def one(number: int = 0) -> Export:
    return Export(f"c{number:024}", "c" * 25, 1, "thread", "c" * 25, "md", None, None, "PENDING", 0, 10**15)


async def nothing(tell: Any) -> Any:
    return Exported("a.md", "text/markdown", b"x")


async def test_one_whose_request_is_gone_before_it_is_on_disk_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would never be made, and count among those that are made at once."""
    jobs, writes, goes_on = ExportJobs(tmp_path, lambda: 1.0), asyncio.Event(), threading.Event()
    await jobs.start()
    loop, write = asyncio.get_running_loop(), jobs._store.write

    def write_late(export: Export, body: bytes | None = None) -> None:
        loop.call_soon_threadsafe(writes.set)
        goes_on.wait(20)
        write(export, body)

    monkeypatch.setattr(jobs._store, "write", write_late)
    beginning = asyncio.ensure_future(jobs.begin(one(), nothing))
    await writes.wait()
    beginning.cancel()
    goes_on.set()
    await asyncio.gather(beginning, return_exceptions=True)
    assert jobs.of_user(one().user_id) == []
    assert names(tmp_path) == []
    await jobs.stop()


async def test_one_that_a_full_disk_does_not_take_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, told = ExportJobs(tmp_path, lambda: 1.0), asyncio.Event()
    await jobs.start()
    write = jobs._store.write

    def write_first(export: Export, body: bytes | None = None) -> None:
        if export.status != "PENDING":
            raise OSError(errno.ENOSPC, "no space left")
        write(export, body)

    monkeypatch.setattr(jobs._store, "write", write_first)
    jobs.tell = lambda export: told.set() if export.is_over else None
    await jobs.begin(one(), nothing)
    async with asyncio.timeout(20):
        await told.wait()
    assert jobs.one(one().user_id, one().id).status == "FAILED"
    await jobs.stop()


@pytest.mark.parametrize("may_go_on", [True, False])
async def test_a_download_ends_with_the_right_to_it(
    server: Server, alice: Client, bob: Client, thread: Any, may_go_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.TRANSFER_LOOK_SECONDS", 0.02)
    url = f"/api/v1/threads/{thread['id']}/exports"
    export = await over(bob, (await bob.post(url, format="json")).data)
    size = 2**24 if may_go_on else 2**33  # without blocks on the disk; it is never read whole
    os.truncate(server.services.export_jobs._store.path(export["id"]), size)
    headers = {"Authorization": f"Bearer {bob.token}"}
    async with server.session.get(f"{server.url}{export['url']}", headers=headers) as response:
        assert response.status == 200
        read = len(await response.content.readany())
        if may_go_on:
            assert read + len(await response.content.read()) == size
            return
        assert (await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}")).status == 200
        with pytest.raises(aiohttp.ClientError):
            await drained(response.content)


async def test_a_download_ends_with_its_credential(
    server: Server, bob: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.TRANSFER_LOOK_SECONDS", 0.02)
    export = await over(bob, (await bob.post(f"/api/v1/threads/{thread['id']}/exports", format="json")).data)
    os.truncate(server.services.export_jobs._store.path(export["id"]), 2**33)
    key = (await bob.post("/api/v1/auth/api-keys", name="k")).data
    headers = {"Authorization": f"Bearer {key['key']}"}
    async with server.session.get(f"{server.url}{export['url']}", headers=headers) as response:
        await response.content.readany()
        assert (await bob.delete(f"/api/v1/auth/api-keys/{key['id']}")).status == 200
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(limits.TRANSFER_STEP_SECONDS / 2):  # then it would end for want of bytes
                await drained(response.content)


async def drained(content: aiohttp.StreamReader) -> None:
    while await content.readany():
        pass
