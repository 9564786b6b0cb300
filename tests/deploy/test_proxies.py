"""nginx, Caddy and HAProxy as `deploy/proxies/` configures them: what a client does directly, it does through them."""

import asyncio
import base64
import io
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.deploy.proxies import PROXIES, proxied
from tests.serving import Client, free_port, serving

CLIENT = "127.0.0.7"
MIB = 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(params=sorted(PROXIES))
async def alice(request: Any, tmp_path: Path) -> AsyncIterator[Client]:
    name = request.param
    if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        pytest.skip(f"{name} is not installed (apt-get install {name})")
    port = free_port()
    folder = tmp_path / name
    folder.mkdir()
    url = f"https://127.0.0.1:{port}"
    async with (
        serving(tmp_path / "data", TRUSTED_PROXIES="127.0.0.1", PUBLIC_URL=url) as server,
        proxied(name, folder, port, int(server.url.rpartition(":")[2]), address=CLIENT) as session,
    ):
        yield Client(session, url, "alice", role="ADMIN")


async def within(waiting: Any) -> Any:
    """What is buffered somewhere would not come at all: its stream goes on."""
    async with asyncio.timeout(20):
        return await waiting


async def connected(alice: Client, thread: Any) -> aiohttp.ClientWebSocketResponse:
    socket = await alice.session.ws_connect(f"{alice.url}/connection/websocket")
    await socket.send_str(json.dumps({"id": 1, "connect": {"token": alice.token}}))
    await socket.send_str(json.dumps({"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}}))
    while '"id":2' not in await within(socket.receive_str()):
        pass
    return socket


async def test_live_events_come_at_once(alice: Client) -> None:
    thread = await alice.thread()
    socket = await connected(alice, thread)
    stream = await alice.session.get(
        f"{alice.url}/api/v1/threads/{thread['id']}/events", headers={"Authorization": f"Bearer {alice.token}"}
    )
    await alice.say(thread, "through the proxy")
    while "through the proxy" not in await within(socket.receive_str()):
        pass
    while b"through the proxy" not in await within(stream.content.readline()):
        pass
    stream.close()
    await socket.close()


async def test_an_answer_is_read_while_its_body_is_sent(alice: Client) -> None:
    thread = await alice.thread()
    socket = await connected(alice, thread)
    may_end = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"text": "the first piece"}\n'
        await may_end.wait()
        yield b'{"complete": {}}\n'

    path = f"/api/v1/threads/{thread['id']}/messages:stream"
    sending = asyncio.ensure_future(
        alice.request("POST", path, data=pieces(), headers={"Content-Type": "application/x-ndjson"})
    )
    while "the first piece" not in await within(socket.receive_str()):
        pass
    may_end.set()
    assert (await within(sending)).status == 201
    await socket.close()


async def test_files_are_larger_than_other_bodies(alice: Client) -> None:
    content = secrets.token_bytes(3 * MIB)
    metadata = f"filename {base64.b64encode(b'large.bin').decode()}"
    described = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    created = await alice.request("POST", "/api/v1/files/uploads", headers=described)
    place = created.headers["Location"]
    for start in range(0, len(content), 2 * MIB):
        sent = await alice.request(
            "PATCH", place, data=io.BytesIO(content[start : start + 2 * MIB]),
            headers={**TUS, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"},
        )  # fmt: skip
        assert sent.status == 204, sent.raw
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename="form.bin", content_type="application/octet-stream")
    by_form = await alice.request("POST", "/api/v1/files", data=form)
    assert by_form.status == 201, by_form.raw
    listed = (await alice.get("/api/v1/files")).data
    assert {file["name"] for file in listed} == {"large.bin", "form.bin"}
    for file in listed:
        part = await alice.get(f"/api/v1/files/{file['id']}/content", headers={"Range": f"bytes={MIB}-"})
        assert (part.status, part.raw) == (206, content[MIB:])


async def test_the_client_is_known_by_its_own_address(alice: Client) -> None:
    """Also when it claims another one; and metrics are not for it."""
    thread = await alice.thread()
    socket = await alice.session.ws_connect(
        f"{alice.url}/connection/websocket", headers={"X-Forwarded-For": "192.0.2.66"}
    )
    await socket.send_str(json.dumps({"id": 1, "connect": {"token": alice.token}}))
    assert '"id":1' in await within(socket.receive_str())
    (listed,) = (await alice.get("/api/v1/admin/connections")).data
    assert listed["address"] == CLIENT
    assert (await alice.get("/metrics")).status == 404
    await socket.close()
    assert thread
