"""tus 1.0.0 against the whole server: creation, pieces, checksums, expiration, termination."""

import asyncio
import base64
import hashlib
import shutil
from pathlib import Path

import aiohttp
import pytest

from actors import limits
from actors.identifiers import new_id
from server.files.uploads.tus import EXTENSIONS
from tests.builders import until
from tests.server.files.uploading import (
    CONTENT,
    PIECE,
    TUS,
    UPLOADS,
    append,
    blobs,
    create,
    metadata,
    offset,
    sha256,
    staged,
    upload,
)  # fmt: skip
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server, serving

__all__ = ["nothing_breaks"]


async def test_what_is_spoken_is_said_to_anyone(server: Server) -> None:
    async with server.session.options(server.url + UPLOADS) as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == EXTENSIONS
        assert answer.headers["Tus-Max-Size"] == str(limits.FILE_BYTES)
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,md5"


async def test_an_upload_in_pieces_becomes_a_file(alice: Client, tmp_path: Path) -> None:
    created = await create(alice, len(CONTENT), filetype="application/octet-stream")
    path = created.headers["Location"]
    assert (created.status, created.headers["Upload-Offset"]) == (201, "0")
    assert created.headers["Upload-Expires"].endswith("GMT")
    assert "X-File-Id" not in created.headers
    for start in range(0, len(CONTENT), 250_000):
        answer = await append(alice, path, start, CONTENT[start : start + 250_000])
        assert answer.status == 204, answer.raw
        assert answer.headers["Upload-Offset"] == str(min(start + 250_000, len(CONTENT)))
    file = (await alice.get(f"/api/v1/files/{answer.headers['X-File-Id']}")).data
    assert (file["status"], file["size"], file["sha256"]) == ("ready", len(CONTENT), sha256(CONTENT))
    assert (await alice.get(f"{answer.headers['Content-Location']}/content")).raw == CONTENT
    assert staged(tmp_path / "data") == []
    assert await offset(alice, path) == len(CONTENT)


async def test_head_says_how_far_it_is_and_nobody_keeps_that(alice: Client) -> None:
    path = (await create(alice, 10, filename="naïve.txt", filetype="text/plain")).headers["Location"]
    await append(alice, path, 0, b"0123")
    answer = await alice.request("HEAD", path, headers=TUS)
    assert answer.headers["Upload-Offset"] == "4"
    assert answer.headers["Upload-Length"] == "10"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Upload-Metadata"] == metadata(filename="naïve.txt", filetype="text/plain")


async def test_an_upload_may_be_created_with_its_first_bytes_or_with_all(alice: Client) -> None:
    for sent in (CONTENT[:1000], CONTENT):
        headers = {**PIECE, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(filename="a.bin")}
        created = await alice.request("POST", UPLOADS, headers=headers, data=sent)
        assert created.status == 201, created.raw
        assert created.headers["Upload-Offset"] == str(len(sent))
        assert ("X-File-Id" in created.headers) == (sent == CONTENT)


async def test_an_empty_file_is_complete_when_it_is_created(alice: Client) -> None:
    file = await upload(alice, b"")
    assert (file["status"], file["size"], file["version"]) == ("ready", 0, 1)


async def test_an_upload_into_a_thread_is_seen_there(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    file = await upload(alice, thread_id=thread["id"], metadata='{"a":1}')
    assert (file["thread_id"], file["metadata"]) == (thread["id"], {"a": 1})
    assert (await bob.get(f"/api/v1/files/{file['id']}/content")).raw == CONTENT


async def test_an_upload_may_be_a_new_version(alice: Client) -> None:
    file = await upload(alice, b"one")
    created = await create(alice, 3, file_id=file["id"], filename="")
    answer = await append(alice, created.headers["Location"], 0, b"two")
    assert answer.headers["X-File-Id"] == file["id"]
    newest = (await alice.get(f"/api/v1/files/{file['id']}")).data
    assert (newest["version"], newest["name"]) == (2, file["name"])
    assert (await alice.get(f"/api/v1/files/{file['id']}/versions/1/content")).raw == b"one"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_damaged_piece_is_undone(alice: Client, tmp_path: Path, algorithm: str) -> None:
    path = (await create(alice, 12)).headers["Location"]
    await append(alice, path, 0, b"good ")
    digest = base64.b64encode(hashlib.new(algorithm, b"piece!!").digest()).decode()
    broken = await append(alice, path, 5, b"pieceXX", Upload_Checksum=f"{algorithm} {digest}")
    assert (broken.status, broken.error["code"]) == (460, "checksum_mismatch")
    assert broken.headers["Tus-Resumable"] == "1.0.0"
    assert await offset(alice, path) == 5
    answer = await append(alice, path, 5, b"piece!!", Upload_Checksum=f"{algorithm} {digest}")
    assert answer.status == 204, answer.raw
    assert (await alice.get(f"{answer.headers['Content-Location']}/content")).raw == b"good piece!!"
    assert staged(tmp_path / "data") == []


async def test_the_length_may_be_said_later(alice: Client, tmp_path: Path) -> None:
    headers = {**TUS, "Upload-Defer-Length": "1", "Upload-Metadata": metadata(filename="a.bin")}
    path = (await alice.request("POST", UPLOADS, headers=headers)).headers["Location"]
    assert (await append(alice, path, 0, CONTENT[:1000])).status == 204
    head = await alice.request("HEAD", path, headers=TUS)
    assert (head.headers["Upload-Defer-Length"], "Upload-Length" in head.headers) == ("1", False)
    assert (await append(alice, path, 1000, b"", Upload_Length="999")).status == 400
    assert (await append(alice, path, 1000, CONTENT[1000:2000], Upload_Length=str(len(CONTENT)))).status == 204
    assert (await alice.request("HEAD", path, headers=TUS)).headers["Upload-Length"] == str(len(CONTENT))
    assert (await append(alice, path, 2000, b"x", Upload_Length="2001")).status == 400
    done = await append(alice, path, 2000, CONTENT[2000:], Upload_Length=str(len(CONTENT)))
    file = (await alice.get(done.headers["Content-Location"])).data
    assert file["sha256"] == sha256(CONTENT)
    assert staged(tmp_path / "data") == []


async def test_it_may_be_said_last_of_all(alice: Client) -> None:
    headers = {**PIECE, "Upload-Defer-Length": "1", "Upload-Metadata": metadata(filename="a.bin")}
    created = await alice.request("POST", UPLOADS, headers=headers, data=b"0123")
    assert created.headers["Upload-Offset"] == "4"
    assert "X-File-Id" in (await append(alice, created.headers["Location"], 4, b"", Upload_Length="4")).headers


async def test_room_is_asked_for_when_the_length_is_known(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", QUOTA_USER="1000") as server:
        alice = server.client("alice")
        headers = {**TUS, "Upload-Defer-Length": "1", "Upload-Metadata": metadata(filename="a.bin")}
        path = (await alice.request("POST", UPLOADS, headers=headers)).headers["Location"]
        refused = await append(alice, path, 0, b"0123", Upload_Length="1001")
        assert (refused.status, refused.error["code"]) == (413, "quota_exceeded")
        assert (await append(alice, path, 0, b"0123", Upload_Length="4")).status == 204


async def test_answers_say_how_much_room_is_left(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", QUOTA_USER="1000", QUOTA_THREAD="500") as server:
        alice = server.client("alice")
        thread = await alice.thread()
        assert (await create(alice, 100)).headers["X-Storage-Left"] == "900"
        created = await create(alice, 100, thread_id=thread["id"])
        assert created.headers["X-Storage-Left"] == "400"
        assert (await append(alice, created.headers["Location"], 0, bytes(100))).headers["X-Storage-Left"] == "400"
        file = (await alice.post("/api/v1/files", name="a")).data
        path = f"/api/v1/files/{file['id']}/content"
        assert (await alice.request("PUT", path, data=bytes(10))).headers["X-Storage-Left"] == "790"
        form = aiohttp.FormData()
        form.add_field("file", b"0123456789", filename="a")
        assert (await alice.request("POST", "/api/v1/files", data=form)).headers["X-Storage-Left"] == "780"


async def test_a_terminated_upload_leaves_nothing(alice: Client, tmp_path: Path) -> None:
    path = (await create(alice, 10)).headers["Location"]
    await append(alice, path, 0, b"0123")
    assert len(staged(tmp_path / "data")) == 1
    assert (await alice.request("DELETE", path, headers=TUS)).status == 204
    assert staged(tmp_path / "data") == blobs(tmp_path / "data") == []
    assert (await alice.request("HEAD", path, headers=TUS)).status == 404


async def test_methods_may_come_in_a_header(alice: Client) -> None:
    path = (await create(alice, 4)).headers["Location"]
    patch = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert (await alice.request("POST", path, headers=patch, data=b"01")).status == 204
    assert await offset(alice, path) == 2
    delete = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    assert (await alice.request("POST", path, headers=delete)).status == 204
    assert (await alice.request("POST", path, headers=TUS)).status == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": "3"}, 409),
        ({"Upload-Offset": "x"}, 400),
        ({"Upload-Checksum": "crc32 AAAA"}, 400),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
async def test_a_piece_that_does_not_fit_is_refused(alice: Client, headers: dict[str, str], status: int) -> None:
    path = (await create(alice, 10)).headers["Location"]
    answer = await alice.request("PATCH", path, headers={**PIECE, "Upload-Offset": "0", **headers}, data=b"01")
    assert answer.status == status, answer.raw
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert await offset(alice, path) == 0


async def test_more_than_the_length_is_refused(alice: Client) -> None:
    async def without_length():  # type: ignore[no-untyped-def]
        yield b"012345"
        yield b"678901"

    path = (await create(alice, 10)).headers["Location"]
    assert (await append(alice, path, 0, b"x" * 11)).status == 413
    assert await offset(alice, path) == 0
    assert (await append(alice, path, 0, without_length())).status == 413
    assert await offset(alice, path) in (0, 6)


async def test_what_is_too_large_is_refused_before_it_comes(alice: Client) -> None:
    answer = await create(alice, limits.FILE_BYTES + 1)
    assert (answer.status, answer.error["code"]) == (413, "too_large")


async def test_an_upload_is_its_makers_alone(alice: Client, bob: Client) -> None:
    path = (await create(alice, 10)).headers["Location"]
    for method, headers in (("HEAD", TUS), ("PATCH", {**PIECE, "Upload-Offset": "0"}), ("DELETE", TUS)):
        assert (await bob.request(method, path, headers=headers)).status == 404
        assert (await bob.request(method, f"{UPLOADS}/{new_id()}", headers=headers)).status == 404


async def test_who_may_not_write_in_a_thread_uploads_nothing_there(alice: Client, bob: Client) -> None:
    viewer = {"user_id": (await bob.me())["id"], "role": "VIEWER"}
    thread = await alice.thread(members=[viewer])
    assert (await create(bob, 10, thread_id=thread["id"])).status == 403
    assert (await create(bob, 10, thread_id=(await alice.thread())["id"])).status == 404


async def test_a_newer_request_takes_over_from_one_that_hangs(alice: Client, tmp_path: Path) -> None:
    path = (await create(alice, len(CONTENT))).headers["Location"]
    there, on_disk = 100_000, tmp_path / "data" / "uploads" / path.rpartition("/")[2]

    async def hanging():  # type: ignore[no-untyped-def]
        yield CONTENT[:there]
        await asyncio.Event().wait()

    first = asyncio.ensure_future(append(alice, path, 0, hanging()))
    await until(lambda: on_disk.exists() and on_disk.stat().st_size == there)
    assert await offset(alice, path) == there
    assert (await first).status == 423
    answer = await append(alice, path, there, CONTENT[there:])
    assert answer.status == 204
    assert (await alice.get(f"{answer.headers['Content-Location']}/content")).raw == CONTENT


async def test_one_whose_last_byte_came_before_a_crash_is_completed_when_it_is_asked_for(
    alice: Client, server: Server, tmp_path: Path
) -> None:
    path = (await create(alice, len(CONTENT))).headers["Location"]
    (tmp_path / "all").write_bytes(CONTENT)
    shutil.move(tmp_path / "all", tmp_path / "data" / "uploads" / path.rpartition("/")[2])
    answer = await alice.request("HEAD", path, headers=TUS)
    assert answer.headers["Upload-Offset"] == str(len(CONTENT))
    assert (await alice.get(f"{answer.headers['Content-Location']}/content")).raw == CONTENT


async def test_a_retry_of_the_creation_with_its_key_is_the_same_upload(alice: Client) -> None:
    key = {"Idempotency-Key": "once"}
    first, second = await create(alice, 10, key), await create(alice, 10, key)
    assert first.headers["Location"] == second.headers["Location"]
    assert (await create(alice, 11, key)).status == 422
    assert (await append(alice, first.headers["Location"], 0, b"01234")).status == 204
    assert (await create(alice, 10, key)).headers["Upload-Offset"] == "5"
    assert (await append(alice, first.headers["Location"], 5, b"56789")).status == 204
    again = await create(alice, 10, key)
    assert (again.status, again.headers["Upload-Offset"], "X-File-Id" in again.headers) == (201, "10", True)


async def test_access_that_ends_ends_the_upload(alice: Client, bob: Client) -> None:
    bobs = await bob.me()
    thread = await alice.thread(members=[{"user_id": bobs["id"]}])
    path = (await create(bob, len(CONTENT), thread_id=thread["id"])).headers["Location"]

    async def slowly():  # type: ignore[no-untyped-def]
        yield CONTENT[:1000]
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bobs['id']}")
        await asyncio.Event().wait()

    async with asyncio.timeout(3):
        assert (await append(bob, path, 0, slowly())).status in (403, 404)


async def test_an_upload_of_an_admin_ends_with_that_role(server: Server, alice: Client) -> None:
    root, second = server.client("root", role="ADMIN"), server.client("second", role="ADMIN")
    file, me = await upload(alice, b"hers"), await second.me()
    scopes = ["read", "write", "admin"]
    second.token = (await second.post("/api/v1/auth/api-keys", name="k", scopes=scopes)).data["key"]
    path = (await create(second, len(CONTENT), file_id=file["id"])).headers["Location"]

    async def slowly():  # type: ignore[no-untyped-def]
        yield CONTENT[:1000]
        assert (await root.patch(f"/api/v1/users/{me['id']}", role="USER")).status == 200
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        assert (await append(second, path, 0, slowly())).status in (403, 404, 503)


async def test_who_asks_while_it_is_completed_hears_that_it_is(
    alice: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line broke behind the last byte: HEAD comes before the request is at its end."""
    path = (await create(alice, len(CONTENT))).headers["Location"]
    library = server.services.files
    put, goes_on, reached = library.blobs.put, asyncio.Event(), asyncio.Event()

    async def wait_and_put(path: Path, digest: str, size: int) -> None:
        reached.set()
        await goes_on.wait()
        await put(path, digest, size)

    monkeypatch.setattr(library.blobs, "put", wait_and_put)
    last = asyncio.ensure_future(append(alice, path, 0, CONTENT))
    await reached.wait()
    asked = asyncio.ensure_future(alice.request("HEAD", path, headers=TUS))
    await until(lambda: any(writer.is_asked_to_go for writer in library.locks._writers.values()))
    goes_on.set()
    assert (await last).status == 204
    answer = await asked
    assert (answer.status, answer.headers["Upload-Offset"]) == (200, str(len(CONTENT)))
    assert "X-File-Id" in answer.headers


async def test_the_retry_of_a_creation_with_bytes_says_where_to_go_on(alice: Client) -> None:
    """The answer to the first may be lost, and with it where the upload is."""
    described = {"Upload-Length": "12", "Upload-Metadata": metadata(filename="a")}
    headers = {**PIECE, **described, "Idempotency-Key": "once"}
    made = [await alice.request("POST", UPLOADS, headers=headers, data=b"four") for _ in range(2)]
    assert [answer.status for answer in made] == [201, 201], made[1].raw
    (path,) = {answer.headers["Location"] for answer in made}
    assert [answer.headers["Upload-Offset"] for answer in made] == ["4", "4"]
    assert "X-File-Id" in (await append(alice, path, 4, b"and more")).headers


async def test_the_retry_of_a_creation_for_a_new_version_is_the_same_upload(alice: Client) -> None:
    file = await upload(alice, b"before")
    made = [await create(alice, 4, {"Idempotency-Key": "once"}, file_id=file["id"]) for _ in range(2)]
    assert made[0].headers["Location"] == made[1].headers["Location"]
