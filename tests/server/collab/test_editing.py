"""Documents over their WebSocket: edits, cursors, readers, versions, and what ends access."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pycrdt import Map, Text

from actors import limits
from actors.documents import wire
from actors.resources.documents import AppendEdit, GetEdited
from actors.runtime.future import LoopFuture
from tests.builders import until, until_asked
from tests.server.operations.test_artifacts import REPORT, create
from tests.serving import Client, Server, serving
from tests.yjs_client import PATIENCE, YjsClient


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Which cuts versions soon."""
    async with serving(tmp_path / "data", DOCUMENT_VERSION_SECONDS="0.05") as running:
        yield running


@pytest.fixture
def alice(server: Server) -> Client:
    return server.client("alice")


@pytest.fixture
def bob(server: Server) -> Client:
    return server.client("bob")


@pytest.fixture
async def artifact(alice: Client, thread: Any) -> Any:
    return await create(alice, f"/api/v1/threads/{thread['id']}/artifacts", "One.\n")


@pytest.fixture
def url(server: Server, artifact: Any) -> str:
    return f"{server.url}/api/v1/artifacts/{artifact['id']}"


async def version(client: Client, artifact: Any, number: int) -> Any:
    """The newest version, once it is this one."""

    async def there() -> Any:
        read = (await client.get(f"/api/v1/artifacts/{artifact['id']}")).data
        return read if read["version"] >= number else None

    return await until_asked(there)


async def test_two_edit_one_text_and_a_version_is_cut(
    server: Server, alice: Client, bob: Client, artifact: Any, url: str
) -> None:
    one, other = YjsClient(), YjsClient()
    async with one.connected(server.session, url, alice.token), other.connected(server.session, url, bob.token):
        assert str(one.text) == str(other.text) == "One.\n"
        await one.type("Two.\n")
        await other.until(lambda: "Two." in str(other.text))
        await other.type("Three.\n")
        await one.until(lambda: "Three." in str(one.text))
        cut = await version(alice, artifact, 2)
        assert cut["content"] in ("One.\nTwo.\n", "One.\nTwo.\nThree.\n")
    await until_asked(lambda: _content_is(alice, artifact, "One.\nTwo.\nThree.\n"))
    assert (await version(alice, artifact, 2))["updated_by"]["name"] == "Bob"
    await until_asked(lambda: _is_empty(server))


async def test_a_text_that_streams_in_beside_editors_loses_nothing(
    server: Server, alice: Client, bob: Client, artifact: Any, url: str
) -> None:
    """Pieces of an agent and lines of a person are each there once at the end, in the document and in the version."""
    path = f"/api/v1/artifacts/{artifact['id']}"
    editor = YjsClient()
    lines = [f"line {number}\n" for number in range(8)]
    async with editor.connected(server.session, url, alice.token):
        stream = f"{path}/streams/{(await bob.post(f'{path}/streams')).data['id']}"
        for number, line in enumerate(lines):
            await editor.type(line)
            if number == 3:
                await version(alice, artifact, 2)  # one is cut while the text streams
            if number < 6:
                assert (await bob.post(f"{stream}/append", text=f"piece {number}. ")).status == 200
            if number == 6:
                done = await bob.post(f"{stream}/complete")
                assert (done.status, done.data["status"]) == (200, "COMPLETE"), done.raw
        streamed = "".join(f"piece {number}. " for number in range(6))
        await editor.until(lambda: streamed in str(editor.text))
        whole = str(editor.text)
        for each in ("One.\n", streamed, *lines):
            assert whole.count(each) == 1, (each, whole)
        assert len(whole) == len("One.\n") + len(streamed) + sum(map(len, lines))
        await until_asked(lambda: _content_is(alice, artifact, whole))
    fresh = YjsClient()
    async with fresh.connected(server.session, url, bob.token):
        assert str(fresh.text) == whole


async def _content_is(client: Client, artifact: Any, content: str) -> bool:
    return bool((await client.get(f"/api/v1/artifacts/{artifact['id']}")).data["content"] == content)


async def _is_empty(server: Server) -> bool:
    return server.services.rooms.size == 0


async def test_what_was_edited_offline_converges(
    server: Server, alice: Client, bob: Client, artifact: Any, url: str
) -> None:
    one, other = YjsClient(), YjsClient()
    for client, who in ((one, alice), (other, bob)):
        async with client.connected(server.session, url, who.token):
            pass
    await one.type("by one\n")
    await other.edit(lambda client: client.text.insert(0, "by other\n"))
    async with one.connected(server.session, url, alice.token), other.connected(server.session, url, bob.token):
        for client in (one, other):
            await client.until(lambda client=client: str(client.text) == "by other\nOne.\nby one\n")
    await until_asked(lambda: _content_is(alice, artifact, "by other\nOne.\nby one\n"))


async def test_structure_is_edited_and_other_changes_come_in(
    server: Server, alice: Client, bob: Client, thread: Any
) -> None:
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    path = f"/api/v1/artifacts/{artifact['id']}"
    client = YjsClient()
    async with client.connected(server.session, server.url + path, alice.token):
        assert client.body.to_py()["abstract"] == REPORT["abstract"]
        section = client.body["sections"][0]
        await client.edit(lambda _: section["text"].insert(0, "New: "))
        patch = [{"op": "replace", "path": "/abstract", "value": "Sales fell."}]
        assert (await bob.patch(path, patch=patch)).status == 200
        await client.until(lambda: str(client.body["abstract"]) == "Sales fell.")
        await client.edit(lambda _: section["text"].insert(0, "Very "))

    async def both() -> bool:
        content = (await alice.get(path)).data["content"]
        return content["abstract"] == "Sales fell." and content["sections"][0]["text"].startswith("Very New: # Sales")

    await until_asked(both)
    content = (await alice.get(path)).data["content"]
    assert content["sections"][1] == REPORT["sections"][1], "numbers are as they were"


async def test_what_is_not_valid_stays_a_draft(server: Server, alice: Client, thread: Any) -> None:
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    path = f"/api/v1/artifacts/{artifact['id']}"
    document = f"{path}/document"
    assert (await alice.get(document)).data["status"] == "none"
    client = YjsClient()

    async def draft() -> Any:
        found = (await alice.get(document)).data
        return found if found["status"] == "draft" else None

    async with client.connected(server.session, server.url + path, alice.token):
        await client.edit(lambda _: client.body["sections"].append("no section"))
        found = await until_asked(draft)
        assert found["editors"] == 1
        assert [fault["field"] for fault in found["faults"]] == ["content.sections.2"]
        assert (await alice.get(path)).data["version"] == 1
        await client.edit(lambda _: client.body["sections"].pop(2))
        await client.edit(lambda _: client.body.update({"abstract": "Good again."}))
        assert (await version(alice, artifact, 2))["content"]["abstract"] == "Good again."
    await until_asked(lambda: _is_empty(server))
    assert (await alice.get(document)).data["status"] == "saved"


async def test_a_reader_reads_and_shows_a_cursor(
    server: Server, alice: Client, bob: Client, thread: Any, artifact: Any, url: str
) -> None:
    bob_id = (await bob.me())["id"]
    await alice.patch(f"/api/v1/threads/{thread['id']}/members/{bob_id}", role="VIEWER")
    writer, reader = YjsClient(), YjsClient()
    async with writer.connected(server.session, url, alice.token), reader.connected(server.session, url, bob.token):
        await reader.show(1, '{"at":3}')
        await writer.until(lambda: '{"at":3}' in writer.cursors.values())
        await reader.type("not allowed")
        await reader.until(lambda: reader.denied)
        await writer.type("Two.")
        await reader.until(lambda: "Two." in str(reader.text))
        assert "not allowed" not in str(writer.text)
        await alice.patch(f"/api/v1/threads/{thread['id']}/members/{bob_id}", role="MEMBER")
        await writer.until(lambda: "not allowed" in str(writer.text))
        await reader.type("!")
        await writer.until(lambda: "!" in str(writer.text))
    late = YjsClient()
    async with late.connected(server.session, url, bob.token):
        assert late.cursors == {}, "who has left shows nothing"


async def test_who_loses_access_is_cut_off(server: Server, alice: Client, bob: Client, thread: Any, url: str) -> None:
    root, client = server.client("root", role="ADMIN"), YjsClient()
    bob_id = (await bob.me())["id"]
    loop = asyncio.get_running_loop()
    async with client.connected(server.session, url, bob.token):
        began = loop.time()
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
        await client.until(lambda: client.closed)
        assert (client.closed, loop.time() - began < PATIENCE / 2) == (4403, True)
    assert (await _refusal(server, url, bob.token)) == 404
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=bob_id)
    async with client.connected(server.session, url, bob.token):
        await root.patch(f"/api/v1/users/{bob_id}", status="DEACTIVATED")
        await client.until(lambda: client.closed)
        assert client.closed == 4401
    assert (await _refusal(server, url, bob.token)) == 401


async def _refusal(server: Server, url: str, token: str | None) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await server.session.ws_connect(f"{url}/edit", params={"token": token} if token else {})
    return refused.value.status


async def test_who_may_connect(server: Server, alice: Client, url: str) -> None:
    assert await _refusal(server, url, None) == 401
    assert await _refusal(server, url, "x") == 401
    assert await _refusal(server, url, server.client("carol").token) == 404
    assert (await alice.get(f"{url.removeprefix(server.url)}/edit")).status == 400
    bearer = {"Authorization": f"Bearer {alice.token}"}
    for headers in (bearer, {"Cookie": f"rpotential_auth={alice.token}", "Origin": server.url}):
        async with server.session.ws_connect(f"{url}/edit", headers=headers) as socket:
            assert (await socket.receive_bytes())[:2] == b"\x00\x00", "it asks what the client has"
    async with server.session.ws_connect(f"{url}/edit", headers=bearer) as socket:
        await socket.send_str("{}")
        await _ends(socket, 4400)


async def _ends(socket: aiohttp.ClientWebSocketResponse, code: int) -> None:
    async for _ in socket:
        pass
    assert socket.close_code == code


@pytest.mark.parametrize("frame", [b"", b"\x07", b"\x00\x05", b"\x00\x02\xff\xff\xff\x0f", b"\x00\x02\x03\x01\x02\x03",
                                   b"\x00\x00\x03\xff\xff\xff", b"\x01\x01\x09"])  # fmt: skip
async def test_what_is_malformed_ends_the_connection(server: Server, alice: Client, url: str, frame: bytes) -> None:
    async with server.session.ws_connect(f"{url}/edit", params={"token": alice.token}) as socket:
        await socket.send_bytes(frame)
        await _ends(socket, 4400)


async def test_one_that_asks_and_asks_is_disconnected(server: Server, alice: Client, url: str) -> None:
    """Each answer may be all of the document: others would wait for as long as it asks."""
    for frame in (wire.ask(b"\x00"), b"\x03"):
        async with server.session.ws_connect(f"{url}/edit", params={"token": alice.token}) as socket:
            for _ in range(3 * limits.EDITOR_QUESTIONS):
                await socket.send_bytes(frame)
            answers = [message async for message in socket]
            assert socket.close_code == 3013
            assert limits.EDITOR_QUESTIONS <= len(answers) <= limits.EDITOR_QUESTIONS + 2


async def test_frames_of_an_editor_count_as_those_of_every_websocket(
    server: Server, alice: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INTAKE_ITEMS", 50)
    monkeypatch.setattr(server.services, "rate_limits", True)
    client = YjsClient()
    async with client.connected(server.session, url, alice.token):
        for number in range(60):
            await client.show(number, "{}")
        await client.until(lambda: client.closed)
        assert client.closed == 3013


async def test_bounds(server: Server, alice: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("EDIT_BYTES", 20), ("DOCUMENT_BYTES", 30), ("DOCUMENT_TYPES", -1)):
        with monkeypatch.context() as patched:
            patched.setattr(limits, name, value)
            client = YjsClient()
            async with client.connected(server.session, url, alice.token):
                await client.type("many words " * 5)
                await client.until(lambda client=client: client.closed)
                assert client.closed == 4400
    monkeypatch.setattr(limits, "EDITORS_PER_DOCUMENT", 1)
    first = YjsClient()
    async with (
        first.connected(server.session, url, alice.token),
        server.session.ws_connect(f"{url}/edit", params={"token": alice.token}) as socket,
    ):
        await _ends(socket, 4400)


async def test_edits_are_folded_and_read_again(
    server: Server, alice: Client, artifact: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EDITS_FOLDED", 5)
    client, other = YjsClient(), YjsClient()
    async with client.connected(server.session, url, alice.token), other.connected(server.session, url, alice.token):
        for number in range(13):
            await client.type(f"{number} ")
            await other.until(lambda number=number: f"{number} " in str(other.text))
    await until_asked(lambda: _is_empty(server))
    again = YjsClient()
    async with again.connected(server.session, url, alice.token):
        assert str(again.text) == str(client.text)


async def test_they_go_with_their_artifact(server: Server, alice: Client, artifact: Any, url: str) -> None:
    client = YjsClient()
    async with client.connected(server.session, url, alice.token):
        await client.type("secret")
        await alice.delete(f"/api/v1/artifacts/{artifact['id']}")
        await client.until(lambda: client.closed)
        assert client.closed == 4403
    await until_asked(lambda: _is_empty(server))


async def test_silence_is_answered_by_pings(server: Server, alice: Client, url: str) -> None:
    async with server.session.ws_connect(f"{url}/edit", params={"token": alice.token}) as socket:
        await socket.receive_bytes()
        (client,) = server.services.hub.clients
        assert client.ping() is not None
        await socket.send_bytes(wire.ask(b"\x00"))
        await socket.receive_bytes()
        assert client.ping() is not None, "it has spoken"
        assert client.channels == (f"artifact:{url.rpartition('/')[2]}",)


async def test_a_document_that_is_open_for_long_is_as_large_as_it_is(
    server: Server, alice: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edits that came may be many times its size."""
    monkeypatch.setattr(limits, "EDITS_FOLDED", 10)
    monkeypatch.setattr(limits, "DOCUMENT_BYTES", 1_000)
    client, other = YjsClient(), YjsClient()
    async with client.connected(server.session, url, alice.token), other.connected(server.session, url, alice.token):
        for number in range(100):
            await client.type("x")
            await other.until(lambda number=number: str(other.text).count("x") > number or client.closed)
        assert client.closed is None
        assert str(other.text).count("x") == 100


async def test_shared_types_that_were_deleted_count_no_more(
    server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EDITS_FOLDED", 10)
    monkeypatch.setattr(limits, "DOCUMENT_TYPES", 40)
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    url = f"{server.url}/api/v1/artifacts/{artifact['id']}"
    client, other = YjsClient(), YjsClient()
    async with client.connected(server.session, url, alice.token), other.connected(server.session, url, alice.token):
        for number in range(40):
            section = Map({"type": "markdown", "text": Text(str(number))})
            await client.edit(lambda _, section=section: client.body["sections"].append(section))
            await until(lambda: len(other.body["sections"]) == 3 or client.closed)
            await client.edit(lambda _: client.body["sections"].pop(2))
            await until(lambda: len(other.body["sections"]) == 2 or client.closed)
        assert client.closed is None


async def test_an_edit_of_who_leaves_at_once_is_in_a_version(
    server: Server, alice: Client, artifact: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on its way to the disk while the last editor is gone."""
    journal = server.services.directory.journal
    append, held = journal.append, []

    def append_late(command: Any, *rest: Any) -> Any:
        reply = append(command, *rest)
        if not isinstance(command, AppendEdit):
            return reply
        late: LoopFuture[Any] = LoopFuture()
        held.append(lambda: reply.when_done(lambda done: late.set(done.result())))
        return late

    monkeypatch.setattr(journal, "append", append_late)
    client = YjsClient()
    async with client.connected(server.session, url, alice.token):
        await client.type("Two.\n")
        await until(lambda: held != [])
    await until(lambda: server.services.hub.size == 0)
    for _ in range(100):  # whatever happens when the last one leaves, but for what the disk answers
        await asyncio.sleep(0)
    held.pop()()
    assert (await version(alice, artifact, 2))["content"] == "One.\nTwo.\n"


async def test_an_editor_whose_edits_are_refused_goes_on_to_be_heard(
    server: Server, alice: Client, bob: Client, thread: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where so many of them waited that no more was read."""
    monkeypatch.setattr(limits, "DOCUMENT_LOOK_SECONDS", 3600)
    monkeypatch.setattr(limits, "EDITS_WAITING_BYTES", 10)
    one, other = YjsClient(), YjsClient()
    membership = f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}"
    async with one.connected(server.session, url, alice.token), other.connected(server.session, url, bob.token):
        assert (await alice.patch(membership, role="VIEWER")).status == 200
        for _ in range(5):
            await other.type("a line of more than ten bytes\n")
        await other.until(lambda: other.denied)
        await other.show(1, '{"at":3}')
        await one.until(lambda: '{"at":3}' in one.cursors.values())
        await alice.patch(membership, role="MEMBER")
        (room,) = server.services.rooms._rooms.values()
        await room._look()
        await one.until(lambda: str(one.text).count("a line") == 5)


async def test_who_loses_access_takes_nothing_from_the_others(
    server: Server, alice: Client, bob: Client, thread: Any, artifact: Any, url: str
) -> None:
    """The document goes on to follow the artifact, and what was edited comes into a version."""
    one, other = YjsClient(), YjsClient()
    bob_id = (await bob.me())["id"]
    server.services.rooms.rest_seconds = 3600
    async with one.connected(server.session, url, alice.token), other.connected(server.session, url, bob.token):
        await other.type("Two.\n")
        await one.until(lambda: "Two." in str(one.text))
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
        await other.until(lambda: other.closed)
        assert (await alice.put(f"/api/v1/artifacts/{artifact['id']}", content="Zero.\nOne.\n")).status == 200
        await one.until(lambda: str(one.text) == "Zero.\nOne.\nTwo.\n")
        (room,) = server.services.rooms._rooms.values()
        await room.cut()
        cut = (await alice.get(f"/api/v1/artifacts/{artifact['id']}")).data
        assert (cut["content"], cut["updated_by"]["name"]) == ("Zero.\nOne.\nTwo.\n", "Bob"), "they were his words"


async def test_who_is_gone_before_it_has_entered_is_no_editor(server: Server, alice: Client, url: str) -> None:
    client = YjsClient()
    async with client.connected(server.session, url, alice.token):
        (room,) = server.services.rooms._rooms.values()
        (editor,) = room._editors
        gone = copy.copy(editor)
        entering = asyncio.ensure_future(room.enter(gone))
        await asyncio.sleep(0)
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        assert room.editors == 1
    await until_asked(lambda: _is_empty(server))


async def test_a_key_that_is_revoked_while_an_editor_connects_lets_nobody_in(
    server: Server, alice: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (await alice.post("/api/v1/auth/api-keys", name="k")).data
    ask, asked, goes_on = server.services.reads.ask, asyncio.Event(), asyncio.Event()

    async def ask_late(query: Any) -> Any:
        if isinstance(query, GetEdited) and not asked.is_set():
            asked.set()
            await goes_on.wait()
        return await ask(query)

    monkeypatch.setattr(server.services.reads, "ask", ask_late)
    connecting = asyncio.ensure_future(server.session.ws_connect(f"{url}/edit", params={"token": key["key"]}))
    await asked.wait()
    assert (await alice.delete(f"/api/v1/auth/api-keys/{key['id']}")).status == 200
    goes_on.set()
    async with asyncio.timeout(PATIENCE), await connecting as socket:
        await _ends(socket, 4401)
