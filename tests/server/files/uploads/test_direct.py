"""Direct uploads: a signed URL takes the bytes, this server's or an S3 store's; completing checks and keeps them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from actors import limits
from actors.identifiers import new_id
from server.files.keeper import Keeper
from tests.builders import until
from tests.server.files import hostile
from tests.server.files.uploading import CONTENT, blobs, sha256, staged
from tests.server.quiet import nothing_breaks
from tests.serving import Answer, Client, Server, serving
from tests.storage.blobs.conftest import moto, rclone
from tests.storage.blobs.s3_servers import KEYS, REGION, S3Server

__all__ = ["moto", "nothing_breaks", "rclone"]
FOLDER = "folder"


@pytest.fixture
def kind() -> str:
    return FOLDER


@pytest.fixture
async def server(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", **await settings_of(kind, request)) as running:
        yield running


async def settings_of(kind: str, request: pytest.FixtureRequest) -> dict[str, str]:
    if kind == FOLDER:
        return {}
    store: S3Server = request.getfixturevalue(kind)
    bucket = f"bucket-{new_id()}"
    store.make_bucket(bucket)
    url = f"s3://{bucket}/some/prefix?endpoint={store.url}&region={REGION}"
    keys = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
    return {"BLOB_URL": url, **keys}


@pytest.fixture
def alice(server: Server) -> Client:
    return server.client("alice")


async def begin(client: Client, file_id: str, size: int, **more: Any) -> Any:
    answer = await client.post(f"/api/v1/files/{file_id}/direct", size=size, **more)
    assert answer.status == 201, answer.raw
    return answer.data


async def send(server: Server, upload: Any, content: bytes) -> int:
    """As a browser does: with nothing but the URL."""
    url = upload["url"] if "://" in upload["url"] else server.url + upload["url"]
    async with server.session.put(url, data=content) as answer:
        return answer.status


async def complete(client: Client, upload: Any, content: bytes) -> Answer:
    path = f"/api/v1/files/{upload['file_id']}/complete"
    return await client.post(path, upload_id=upload["id"], sha256=sha256(content))


async def record(client: Client, **more: Any) -> str:
    return str((await client.post("/api/v1/files", name="a.bin", **more)).data["id"])


async def left(server: Server) -> list[str]:
    """Bytes that no version has."""
    store = server.services.files.blobs
    return [each.key async for each in store.list_incoming()] + staged(server.services.files.folder.parent)


@pytest.mark.parametrize("kind", [FOLDER, "moto", "rclone"])
async def test_bytes_that_are_sent_to_a_url_become_a_version(server: Server, alice: Client, kind: str) -> None:
    thread = await alice.thread()
    file = await record(alice, thread_id=thread["id"])
    upload = await begin(alice, file, len(CONTENT))
    assert upload["url"].startswith("http" if kind != FOLDER else "/api/v1/files/uploads/")
    assert (upload["file_id"], upload["size"]) == (file, len(CONTENT))
    assert await send(server, upload, CONTENT) in (200, 204)
    assert (await alice.get(f"/api/v1/files/{file}")).data["status"] == "pending"
    done = await complete(alice, upload, CONTENT)
    assert (done.status, done.data["status"], done.data["version"]) == (200, "ready", 1)
    assert (done.data["sha256"], done.data["size"]) == (sha256(CONTENT), len(CONTENT))
    assert "ETag" in done.headers
    assert (await alice.get(done.data["url"])).raw == CONTENT
    assert (await complete(alice, upload, CONTENT)).data == done.data
    assert await left(server) == []


@pytest.mark.parametrize("kind", [FOLDER, "moto", "rclone"])
async def test_other_bytes_than_announced_are_not_kept(server: Server, alice: Client, kind: str) -> None:
    upload = await begin(alice, await record(alice), 10)
    none = await complete(alice, upload, b"")
    assert (none.status, none.error["code"]) == (409, "no_bytes")
    await send(server, upload, b"0123456789")
    wrong = await complete(alice, upload, b"other")
    assert (wrong.status, list(wrong.error["errors"])) == (400, ["sha256"])
    assert await left(server) == []
    assert await send(server, upload, b"0123456789") in (200, 204)
    assert (await complete(alice, upload, b"0123456789")).status == 200
    assert await left(server) == []


@pytest.mark.parametrize("kind", [FOLDER, "rclone"])  # moto verifies nothing
async def test_the_url_takes_so_many_bytes_and_no_more(server: Server, alice: Client, kind: str) -> None:
    upload = await begin(alice, await record(alice), 10)
    for content in (b"01234567890", b"012345678"):
        assert await send(server, upload, content) >= 400
    assert (await complete(alice, upload, b"012345678")).status == 409
    assert await send(server, upload, b"0123456789") in (200, 204)
    assert (await complete(alice, upload, b"0123456789")).status == 200


async def test_a_size_that_is_wrong_all_the_same_is_found(server: Server, alice: Client) -> None:
    """As with a store that does not hold the signature to its word."""
    for size in (9, 11):
        upload = await begin(alice, await record(alice), 10)
        incoming = server.services.files.blobs.incoming_path(upload["id"])
        assert incoming is not None
        incoming.parent.mkdir(parents=True, exist_ok=True)
        incoming.write_bytes(bytes(size))
        wrong = await complete(alice, upload, bytes(size))
        assert (wrong.status, wrong.error["code"]) == (409, "wrong_length")
    assert await left(server) == []


async def test_a_store_that_signs_no_urls_has_the_bytes_come_here(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with S3 and a role."""
    monkeypatch.setattr(server.services.files.blobs, "incoming_path", lambda key: None)
    upload = await begin(alice, await record(alice), len(CONTENT))
    assert await send(server, upload, CONTENT) == 204
    assert (await complete(alice, upload, CONTENT)).data["sha256"] == sha256(CONTENT)
    assert await left(server) == []


async def test_a_server_that_ended_between_taking_and_keeping_completes_later(server: Server, alice: Client) -> None:
    upload = await begin(alice, await record(alice), len(CONTENT))
    await send(server, upload, CONTENT)
    library = server.services.files
    await library.blobs.adopt(upload["id"], library.folder / upload["id"], most=len(CONTENT))
    assert (await complete(alice, upload, CONTENT)).status == 200
    assert await left(server) == []


async def test_the_next_one_is_a_new_version(server: Server, alice: Client) -> None:
    file = await record(alice)
    for number, content in enumerate((b"one", b"two!"), 1):
        upload = await begin(alice, file, len(content))
        await send(server, upload, content)
        assert (await complete(alice, upload, content)).data["version"] == number


async def test_a_retry_with_its_key_is_the_same_upload(alice: Client) -> None:
    file, key = await record(alice), {"Idempotency-Key": "once"}
    one, other = [(await alice.post(f"/api/v1/files/{file}/direct", headers=key, size=3)).data for _ in range(2)]
    assert one["id"] == other["id"]


async def test_an_upload_past_its_time_is_gone(server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOAD_SECONDS", -1)
    upload = await begin(alice, await record(alice), 3)
    assert await send(server, upload, b"one") == 404
    assert (await complete(alice, upload, b"one")).status == 404
    monkeypatch.setattr(limits, "DIRECT_URL_SECONDS", -1)
    assert await send(server, await begin(alice, await record(alice), 3), b"one") == 403


async def test_rights_are_asked_again_when_it_is_completed(server: Server, alice: Client, tmp_path: Path) -> None:
    """Nothing is left of what came."""
    bob = server.client("bob")
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    upload = await begin(bob, await record(bob, thread_id=thread["id"]), 3)
    await send(server, upload, b"one")
    await alice.patch(f"/api/v1/threads/{thread['id']}/members/{bob_id}", role="VIEWER")
    assert (await complete(bob, upload, b"one")).status == 403
    other = await begin(alice, await record(alice, thread_id=thread["id"]), 3)
    assert (await complete(bob, other, b"one")).status == 404
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    assert await send(server, upload, b"one") == 404
    assert (await complete(bob, upload, b"one")).status == 404
    assert await left(server) == []
    await Keeper(server.services.files).collect(before=2**50)
    assert blobs(tmp_path / "data") == []


async def test_a_bomb_is_refused_and_ends_the_upload(server: Server, alice: Client, tmp_path: Path) -> None:
    bomb = hostile.overlapping_zip()
    upload = await begin(alice, await record(alice), len(bomb))
    await send(server, upload, bomb)
    refused = await complete(alice, upload, bomb)
    assert (refused.status, refused.error["code"]) == (415, "archive_bomb")
    assert await left(server) == blobs(tmp_path / "data") == []
    assert (await complete(alice, upload, bomb)).status == 404


async def test_quotas_hold_from_the_beginning(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", QUOTA_USER="1000") as server:
        alice = server.client("alice")
        file = await record(alice)
        answer = await alice.post(f"/api/v1/files/{file}/direct", size=1001)
        assert (answer.status, answer.error["code"]) == (413, "quota_exceeded")
        too_large = await alice.post(f"/api/v1/files/{file}/direct", size=limits.FILE_BYTES + 1)
        assert too_large.status == 413


async def test_bytes_that_come_while_it_is_completed_are_refused(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are of no use to anyone, and would lie there for two days."""
    store = server.services.files.blobs
    put, storing, goes_on = store.put, asyncio.Event(), asyncio.Event()

    async def put_late(path: Path, digest: str, size: int) -> None:
        storing.set()
        await goes_on.wait()
        await put(path, digest, size)

    monkeypatch.setattr(store, "put", put_late)
    upload = await begin(alice, await record(alice), 3)
    await send(server, upload, b"one")
    completing = asyncio.ensure_future(complete(alice, upload, b"one"))
    await storing.wait()
    again = asyncio.ensure_future(send(server, upload, b"two"))
    writer = server.services.files.locks._writers[upload["id"]]
    await until(lambda: writer.is_asked_to_go)
    goes_on.set()
    assert ((await completing).status, await again) == (200, 409)
    assert await left(server) == []


async def test_other_uploads_are_not_completed_by_it(server: Server, alice: Client) -> None:
    file = await record(alice)
    upload = await begin(alice, file, 3)
    elsewhere = {"id": upload["id"], "file_id": await record(alice)}
    assert (await complete(alice, elsewhere, b"one")).status == 404
    assert (await complete(alice, {"id": new_id(), "file_id": file}, b"one")).status == 404


async def test_bytes_of_uploads_that_have_ended_are_swept_up(server: Server, alice: Client) -> None:
    """A signed URL of S3 takes bytes until it expires, whatever has become of the upload."""
    incoming = server.services.files.blobs.incoming_path("late")
    assert incoming is not None
    incoming.parent.mkdir(parents=True, exist_ok=True)
    incoming.write_bytes(b"late")
    await Keeper(server.services.files).tidy()
    assert await left(server) == ["late"]
    past = time.time() - 3 * limits.UPLOAD_SECONDS
    os.utime(incoming, (past, past))
    await Keeper(server.services.files).tidy()
    assert await left(server) == []


async def test_a_clock_that_is_set_back_puts_off_no_sweep(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INCOMING_LOOK_SECONDS", 0.0)
    keeper, now = Keeper(server.services.files), time.time()
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: now + 24 * 3600)
        await keeper.tidy()
    incoming = server.services.files.blobs.incoming_path("late")
    assert incoming is not None
    incoming.parent.mkdir(parents=True, exist_ok=True)
    incoming.write_bytes(b"late")
    past = now - 3 * limits.UPLOAD_SECONDS
    os.utime(incoming, (past, past))
    await keeper.tidy()
    assert await left(server) == []


@pytest.mark.parametrize("kind", ["moto"])
async def test_downloads_are_redirected_to_the_store_where_an_operator_says_so(
    server: Server, alice: Client, kind: str
) -> None:
    """With the name and the type that the server would give."""
    server.services.files.redirect_seconds = 60
    file = await record(alice)
    await alice.patch(f"/api/v1/files/{file}", name="naïve.html")
    upload = await begin(alice, file, 10)
    await send(server, upload, b"<html>1234")
    url = (await complete(alice, upload, b"<html>1234")).data["url"]
    headers = {"Authorization": f"Bearer {alice.token}"}
    async with server.session.get(server.url + url, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
        place = answer.headers["Location"]
    async with server.session.get(URL(place, encoded=True), headers={"Range": "bytes=6-"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"1234")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await alice.request("HEAD", url)).status == 200
    assert (await server.client("bob").get(url)).status == 404


async def test_a_store_that_signs_nothing_has_downloads_come_from_here(server: Server, alice: Client) -> None:
    server.services.files.redirect_seconds = 60
    upload = await begin(alice, await record(alice), 3)
    await send(server, upload, b"one")
    assert (await alice.get((await complete(alice, upload, b"one")).data["url"])).raw == b"one"
