"""Content by a signed URL: for pictures in pages and for CDNs, without a token."""

import time
from pathlib import Path
from typing import Any

import pytest

from server.files.downloads.url_keys import UrlKeyFiles, rotate
from tests.server.files.uploading import upload
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]


async def fetch(server: Server, path: str, method: str = "GET") -> tuple[int, bytes, Any]:
    """Without a token."""
    async with server.session.request(method, server.url + path, data=b"x" if method == "PUT" else None) as answer:
        return answer.status, await answer.read(), answer.headers


def sign(data_dir: Path, path: str, user: Any, seconds: int = 60, method: str = "GET", **parameters: str) -> str:
    keys = UrlKeyFiles(data_dir).keys
    return keys.sign(method, path, user["id"], int(time.time()) + seconds, **parameters)


async def test_a_signed_url_needs_no_token_and_embeds(server: Server, alice: Client, tmp_path: Path) -> None:
    file = await upload(alice, b"picture")
    url = sign(tmp_path / "data", file["url"], await alice.me(), version="1", disposition="inline")
    status, content, headers = await fetch(server, url)
    assert (status, content) == (200, b"picture")
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (headers["Cache-Control"], headers.get("Vary")) == ("public, no-cache", None), "a CDN asks each time"
    assert (await fetch(server, url, "HEAD"))[0] == 200
    assert (await fetch(server, url.replace("version=1", "version=2")))[0] == 403
    assert (await fetch(server, file["url"]))[0] == 401


@pytest.mark.parametrize("more", ["version=2", "user=c000000000000000000000000", "expires=1", "disposition=inline"])
async def test_nothing_is_added_to_it(server: Server, alice: Client, tmp_path: Path, more: str) -> None:
    """A parameter that it has already does not count either."""
    url = sign(tmp_path / "data", (await upload(alice, b"x"))["url"], await alice.me(), version="1")
    assert (await fetch(server, f"{url}&{more}"))[0] in (400, 403)
    beside_the_token = f"{url.partition('?')[0]}?version=1&version=1"
    assert (await alice.get(beside_the_token)).status == 400


async def test_its_time_ends(server: Server, alice: Client, tmp_path: Path) -> None:
    file = await upload(alice, b"x")
    assert (await fetch(server, sign(tmp_path / "data", file["url"], await alice.me(), -1)))[0] == 403


async def test_who_leaves_the_thread_takes_their_urls_along(
    server: Server, alice: Client, bob: Client, tmp_path: Path
) -> None:
    bobs = await bob.me()
    thread = await alice.thread(members=[{"user_id": bobs["id"]}])
    file = await upload(alice, b"x", thread_id=thread["id"])
    url = sign(tmp_path / "data", file["url"], bobs)
    assert (await fetch(server, url))[0] == 200
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bobs['id']}")
    assert (await fetch(server, url))[0] == 404


async def test_a_user_who_is_deactivated_has_none(server: Server, alice: Client, root: Client, tmp_path: Path) -> None:
    me = await alice.me()
    file = await upload(alice, b"x")
    url = sign(tmp_path / "data", file["url"], me)
    await root.patch(f"/api/v1/users/{me['id']}", status="DEACTIVATED")
    assert (await fetch(server, url))[0] == 403


async def test_a_key_that_was_rotated_away_ends_all(server: Server, alice: Client, tmp_path: Path) -> None:
    file = await upload(alice, b"x")
    url = sign(tmp_path / "data", file["url"], await alice.me())
    rotate(tmp_path / "data")
    assert (await fetch(server, url))[0] == 200
    rotate(tmp_path / "data")
    assert (await fetch(server, url))[0] == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_it_reads_and_nothing_else(server: Server, alice: Client, tmp_path: Path, method: str) -> None:
    file = await upload(alice, b"x")
    url = sign(tmp_path / "data", file["url"], await alice.me())
    assert (await fetch(server, url, method))[0] in (401, 405)


async def test_signing_by_an_operation(server: Server, alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    file = await upload(alice, b"x", thread_id=thread["id"])
    signed = (await bob.post(f"/api/v1/files/{file['id']}/sign", seconds=60, disposition="attachment")).data
    assert (await fetch(server, signed["url"]))[:2] == (200, b"x")
    assert (await fetch(server, signed["url"].replace("attachment", "inline")))[0] == 403
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    assert (await bob.post(f"/api/v1/files/{file['id']}/sign")).status == 404
    assert (await fetch(server, signed["url"]))[0] == 404


async def test_what_an_api_key_has_signed_ends_with_it(server: Server, alice: Client) -> None:
    """A key that leaked is revoked: a year of links to what it could read does not outlive it."""
    made = (await alice.post("/api/v1/auth/api-keys", name="k", scopes=["read", "write"])).data
    program = server.client("program")
    program.token = made["key"]
    thread = await alice.thread()
    file = await upload(alice, b"bytes", thread_id=thread["id"])
    given: Any = {"type": "REPORT", "title": "t", "content": "x"}
    artifact = (await alice.post(f"/api/v1/threads/{thread['id']}/artifacts", **given)).data
    direct = (await program.post(f"/api/v1/files/{file['id']}/direct", size=1)).data["url"]
    signed = (await program.post(f"/api/v1/files/{file['id']}/sign")).data["url"]
    link = (await program.post(f"/api/v1/artifacts/{artifact['id']}/shares")).data["url"]
    others = (await alice.post(f"/api/v1/artifacts/{artifact['id']}/shares")).data["url"]
    assert [(await fetch(server, url))[0] for url in (signed, link, others)] == [200] * 3
    assert (await fetch(server, direct, "PUT"))[0] == 204
    await alice.delete(f"/api/v1/auth/api-keys/{made['id']}")
    for url, method in ((signed, "GET"), (link, "GET"), (direct, "PUT")):
        status, body, _ = await fetch(server, url, method)
        assert (status, b"This API key was revoked" in body) == (403, True)
    assert (await fetch(server, others))[0] == 200


async def test_what_a_key_without_admin_has_signed_has_no_rights_of_an_admin(
    server: Server, alice: Client, root: Client
) -> None:
    thread = await alice.thread(members=[{"user_id": (await root.me())["id"]}])
    file = await upload(alice, b"bytes", thread_id=thread["id"])
    program = server.client("program")
    program.token = (await root.post("/api/v1/auth/api-keys", name="k", scopes=["read"])).data["key"]
    by_key, by_admin = [(await one.post(f"/api/v1/files/{file['id']}/sign")).data["url"] for one in (program, root)]
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await root.me())['id']}")
    assert [(await fetch(server, url))[0] for url in (by_key, by_admin)] == [404, 200]
