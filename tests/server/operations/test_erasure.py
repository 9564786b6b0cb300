"""People who leave: who may not come in any more, what others see of them afterwards, and what is left in the file."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.journal.housekeeper import Housekeeper
from actors.resources.messages import DeleteMessage
from actors.resources.users import EraseContent
from storage.journal import scrubbing
from tests.builders import until
from tests.realtime_client import event_stream, raw_client
from tests.server.operations.signing_in import PASSWORD, Device, nobody, sign_in
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Client, Server, serving

PERSONAL = {
    "name": "Zebedee Quux", "email": "zebedee.quux@rpotential.ai", "sub": "sub-zebedee",
    "avatar": "https://example.com/zebedee-avatar.png", "metadata": "zebedee-metadata", "key": "zebedee-laptop",
    "agent": "ZebedeeBrowser/1.0",
}  # fmt: skip
WRITTEN = {
    "content": "aardvarkwords are what he wrote", "before": "kangaroowords before the edit",
    "block": "platypuswords in a block", "metadata": "wallabywords of a message",
    "streamed": "quokkawords piece by piece",
}  # fmt: skip
WORDS = [text.split()[0] for text in WRITTEN.values()]


@dataclass
class House:
    server: Server
    root: Client
    alice: Client
    zebedee: Client
    him: str
    device: Device
    key: str
    thread: str
    hers: str
    """A message of alice's, to which he reacted."""
    his: str
    reply: str
    """Of alice's, to what he wrote."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Zebedee has been everywhere."""
    async with serving(tmp_path / "data") as server:
        yield await settled(server)


async def settled(server: Server) -> House:
    root, alice = server.client("root", role="ADMIN"), server.client("alice")
    claims = {name: PERSONAL[name] for name in ("name", "email", "sub")}
    zebedee = server.client("zebedee", **claims)
    him = (await zebedee.me())["id"]
    await zebedee.patch("/api/v1/users/me", avatar_url=PERSONAL["avatar"], metadata={"a": PERSONAL["metadata"]})
    await root.me()
    link = (await root.post(f"/api/v1/admin/users/{him}/sign-in-link")).data["link"]
    headers = {"User-Agent": PERSONAL["agent"]}
    signed_in = (await nobody(server).post("/api/v1/auth/login", headers, link=link, new_password=PASSWORD)).data
    client = server.client("device")
    client.token = signed_in["access_token"]
    device = Device(client, signed_in["session_id"], signed_in["refresh_token"])
    await root.post(f"/api/v1/admin/users/{him}/sign-in-link")
    key = (await zebedee.post("/api/v1/auth/api-keys", name=PERSONAL["key"])).data["key"]
    await zebedee.patch("/api/v1/users/me/preferences", time_zone="Europe/Paris")
    thread = (await alice.thread("Together", members=[{"user_id": him}]))["id"]
    hers = (await alice.say(thread, "Hello @[Zebedee](user:" + him + ")"))["id"]
    block = [{"type": "markdown", "text": WRITTEN["block"]}]
    his = await zebedee.say(
        thread, WRITTEN["before"], blocks=block, metadata={"a": WRITTEN["metadata"]}, parent_id=hers
    )
    await zebedee.patch(f"/api/v1/messages/{his['id']}", content=WRITTEN["content"])
    await zebedee.say(thread, WRITTEN["streamed"], status="STREAMING")
    await zebedee.put(f"/api/v1/messages/{hers}/reactions/👍")
    reply = (await alice.say(thread, "An answer", parent_id=his["id"]))["id"]
    await alice.put(f"/api/v1/threads/{thread}/memory", memory={"pins": [his["id"]]})
    return House(server, root, alice, zebedee, him, device, key, thread, hers, his["id"], reply)


async def delete(house: House, content: str) -> None:
    """And all that the housekeeper does afterwards."""
    answer = await house.root.request("DELETE", f"/api/v1/users/{house.him}", params={"content": content})
    assert (answer.data["id"], answer.data["deleted"]) == (house.him, True)
    await Housekeeper(house.server.services.directory.journal).tidy()


async def nobody_comes_in(house: House) -> None:
    by_key = Client(house.server.session, house.server.url, "bot")
    by_key.token = house.key
    again = house.server.client("zebedee", **{name: PERSONAL[name] for name in ("name", "email", "sub")})
    for client in (house.zebedee, house.device.client, by_key, again):
        check_problem(await client.get("/api/v1/auth/me"), 401)
        async with raw_client(house.server.session, house.server.websocket_url) as socket:
            await socket.send(socket.command("connect", token=client.token))
            assert (await socket.closed()).code == 3500
    check_problem(await house.device.refresh(), 401)
    login = await nobody(house.server).post("/api/v1/auth/login", email=PERSONAL["email"], password=PASSWORD)
    check_problem(login, 401)


async def deactivate(house: House) -> None:
    assert (await house.root.patch(f"/api/v1/users/{house.him}", status="DEACTIVATED")).status == 200


async def anonymise(house: House) -> None:
    await delete(house, "anonymise")


async def remove(house: House) -> None:
    await delete(house, "remove")


@pytest.mark.parametrize("leaving", [deactivate, anonymise, remove])
async def test_everything_that_is_open_is_closed_and_nothing_opens(leaving: Any, house: House) -> None:
    async with AsyncExitStack() as stack:
        sockets, streams = [], []
        for token in (house.zebedee.token, house.device.client.token, house.key):
            opened = raw_client(house.server.session, house.server.websocket_url, token)
            sockets.append(await stack.enter_async_context(opened))
            for path in ("/api/v1/events", "/api/v1/users/me/events", f"/api/v1/threads/{house.thread}/events"):
                stream = event_stream(house.server.session, house.server.url + path, token)
                streams.append(await stack.enter_async_context(stream))
        for found in streams:
            await found.begun()
        await leaving(house)
        assert {(await socket.closed()).code for socket in sockets} == {3500}, "an SDK does not come back by itself"
        for found in streams:
            await found.ended()
    await nobody_comes_in(house)


async def test_whoever_was_only_out_comes_back_to_everything_but_their_sessions(house: House) -> None:
    await deactivate(house)
    shown = (await house.alice.get(f"/api/v1/messages/{house.his}")).data
    assert (shown["author"]["name"], shown["content"]) == (PERSONAL["name"], WRITTEN["content"])
    await house.root.patch(f"/api/v1/users/{house.him}", status="ACTIVE")
    assert (await house.zebedee.get(f"/api/v1/threads/{house.thread}")).status == 200
    assert await house.device.status() == 401
    assert (await house.zebedee.get("/api/v1/auth/me", {"Authorization": f"Bearer {house.key}"})).status == 200


async def seen(house: House) -> dict[str, bytes]:
    """Everything that alice and an administrator can see."""
    thread, message = f"/api/v1/threads/{house.thread}", f"/api/v1/messages/{house.his}"
    paths = (
        "/api/v1/users", f"/api/v1/users/{house.him}", "/api/v1/threads", thread, f"{thread}/members",
        f"{thread}/messages", f"{thread}/log", f"{thread}/memory", f"{thread}/context?max_tokens=4000",
        f"{thread}/presence", f"{thread}/readers?message_id={house.hers}", message, f"{message}/history",
        f"{message}/reactions", f"/api/v1/messages/{house.hers}/reactions", f"/api/v1/messages/{house.reply}",
        "/api/v1/notifications", "/api/v1/search?q=aardvarkwords", "/api/v1/search?q=quokkaw*",
        "/api/v1/search?q=answer", "/api/v1/users/me/log",
    )  # fmt: skip
    admins = (f"/api/v1/admin/users/{house.him}/trace", f"/api/v1/users/{house.him}/export",
              f"/api/v1/users/{house.him}/export/messages", "/api/v1/admin/sessions",
              f"/api/v1/auth/api-keys?user_id={house.him}", f"/api/v1/admin/threads/{house.thread}/trace")  # fmt: skip
    found = {}
    for client, asked in ((house.alice, paths), (house.root, (*paths, *admins))):
        for path in asked:
            answer = await client.get(path)
            assert answer.status in (200, 404), (path, answer.raw)
            found[f"{client.name} {path}"] = answer.raw
    return found


def holding(found: dict[str, bytes], texts: Any) -> dict[str, str]:
    return {where: text for where, raw in found.items() for text in texts if text.encode() in raw}


async def test_everybody_saw_them_before(house: House) -> None:
    """Or what is not seen afterwards would prove nothing."""
    found = await seen(house)
    assert len(holding(found, [PERSONAL["name"]])) > 20
    for text in (*WORDS, PERSONAL["avatar"], PERSONAL["email"], PERSONAL["key"], PERSONAL["agent"]):
        assert holding(found, [text]), text


async def test_what_they_wrote_stays_without_them(house: House) -> None:
    await anonymise(house)
    found = await seen(house)
    assert holding(found, PERSONAL.values()) == {}
    assert holding(found, ["kangaroowords"]).keys() == {f"{who} /api/v1/messages/{house.his}/history"
                                                       for who in ("alice", "root")}  # fmt: skip
    shown = (await house.alice.get(f"/api/v1/messages/{house.his}")).data
    assert (shown["content"], shown["author"]["id"]) == (WRITTEN["content"], house.him)
    assert (shown["author"]["name"], shown["author"]["avatar_url"]) == ("Deleted user", None)
    hit = (await house.alice.get("/api/v1/search", q="aardvarkwords")).data[0]
    assert b"Deleted user" in str(hit).encode()
    (reaction,) = (await house.alice.get(f"/api/v1/messages/{house.hers}/reactions")).data
    assert reaction["user"]["name"] == "Deleted user"
    assert [member["user"]["name"] for member in (await house.alice.get(f"/api/v1/threads/{house.thread}/members")).data
            ] == ["Alice"]  # fmt: skip
    told = {entry["actor"]["name"] for entry in (await house.alice.get(f"/api/v1/threads/{house.thread}/log")).data}
    assert told == {"Alice", "Deleted user", "Root"}, "the past is told with who there is now"
    notified = (await house.alice.get("/api/v1/notifications")).data
    assert {entry["actor"]["name"] for entry in notified} == {"Deleted user"}
    assert (await house.alice.post(f"/api/v1/threads/{house.thread}/members", user_id=house.him)).status == 409


async def test_what_they_wrote_goes_with_them(house: House) -> None:
    """Everybody who listens sees it go; replies stay, and so does the place of each message."""
    async with raw_client(house.server.session, house.server.websocket_url, house.alice.token) as socket:
        socket.ignores_own = True
        await socket.subscribe(house.thread)
        await remove(house)
        told: list[str] = []
        while told.count("message.deleted") < 2:
            told += [item["data"]["type"] for item in await socket.publications(1)]
    assert [kind for kind in told if kind not in ("message.delta", "message.completed")] == [
        "member.removed",
        "message.deleted",
        "message.deleted",
    ]
    found = await seen(house)
    assert holding(found, [*PERSONAL.values(), *WORDS]) == {}
    shown = (await house.alice.get(f"/api/v1/messages/{house.his}")).data
    assert (shown["content"], shown["author"]["name"]) == ("", "Deleted user")
    assert shown["deleted_at"] is not None
    assert (await house.alice.get(f"/api/v1/messages/{house.reply}")).data["parent_id"] == house.his
    for query in (*WORDS, "aardvark*"):
        assert (await house.alice.get("/api/v1/search", q=query)).data == []
    assert (await house.root.get("/api/v1/admin/audit", action="delete_user")).data[0]["after"] == {"content": "remove"}


async def test_long_histories_go_in_steps(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.journal.housekeeper.EraseContent", lambda: EraseContent(rows=2, looked_at=3))
    monkeypatch.setattr("actors.limits.HOUSEKEEPING_PAUSE_SECONDS", 0)
    for number in range(9):
        await (house.zebedee if number % 3 else house.alice).say(house.thread, f"aardvark {number}")
    await remove(house)
    left = (await house.alice.get(f"/api/v1/threads/{house.thread}/messages", limit="100")).data
    assert {message["author"]["name"] for message in left if message["content"]} == {"Alice"}
    assert [message["content"] for message in left].count("") == 8


@pytest.mark.parametrize("is_indexed", [True, False])
async def test_nothing_is_left_in_the_file(is_indexed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a row, a free page, an index of words, or the hashes that a password or a key leaves."""
    if is_indexed:  # at once, and not only when there is more to do
        monkeypatch.setattr(limits, "INDEX_STEP", 1)
    file = tmp_path / "data" / "experience.db"
    async with serving(tmp_path / "data") as server:
        house = await settled(server)
        hers = await sign_in(server, house.root, (await house.alice.me())["id"], new_password=PASSWORD)
    before = file.read_bytes()
    texts = [text for name, text in PERSONAL.items() if name != "email"] + list(WRITTEN.values())
    assert [text for text in texts if text.encode() not in before] == []
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        await root.request("DELETE", f"/api/v1/users/{house.him}", params={"content": "remove"})
        await Housekeeper(server.services.directory.journal).tidy()
    left = file.read_bytes()
    assert left.count(b"$argon2id$") == 1, "of alice's"
    assert [text for text in (*texts, *traces()) if text.encode() in left] == []
    assert hers.session_id.encode() in left


def traces() -> list[str]:
    """What must be in no file any more: who he was, what he wrote, and parts of each word of it."""
    return [*PERSONAL.values(), *WRITTEN.values(), *WORDS, *(word[3:8] for word in WORDS), "Europe/Paris"]


@pytest.mark.parametrize("is_indexed", [True, False])
async def test_nothing_is_left_in_any_file_while_the_server_runs(
    is_indexed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in the write-ahead log, from which a copy of the folder could be read."""
    if is_indexed:
        monkeypatch.setattr(limits, "INDEX_STEP", 1)
    data = tmp_path / "data"
    async with serving(data) as server:
        house = await settled(server)
        assert holding_files(data, traces()) != {}
        await remove(house)
        await until(lambda: not holding_files(data, traces()), "an empty write-ahead log")
        found = (await house.root.get("/api/v1/admin/audit", target_id=house.him)).data
        assert {entry["action"] for entry in found} >= {"delete_user", "create_sign_in_link"}


async def test_a_deleted_message_is_in_no_row_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `docs/security.md` promises; its words leave the search index when it is joined next."""
    monkeypatch.setitem(scrubbing._SECONDS, DeleteMessage, 0.0)
    data = tmp_path / "data"
    async with serving(data) as server:
        house = await settled(server)
        texts = [WRITTEN["content"], WRITTEN["before"], WRITTEN["block"], WRITTEN["metadata"]]
        assert sorted(holding_files(data, texts).values()) != []
        await house.zebedee.delete(f"/api/v1/messages/{house.his}")
        await until(lambda: not holding_files(data, texts), "an empty write-ahead log")


def holding_files(data: Path, texts: Any) -> dict[str, str]:
    """Files of the data folder, and which text is in them."""
    read = {file.name: file.read_bytes() for file in data.rglob("*") if file.is_file()}
    return {f"{name} {text}": text for name, found in read.items() for text in texts if text.encode() in found}


async def test_an_export_does_not_tell_what_happened_after_one_had_left(alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await bob.say(thread)
    path = f"/api/v1/messages/{message['id']}/reactions"
    await alice.put(f"{path}/👍")
    await bob.put(f"{path}/🚀")
    await bob.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    await alice.put(f"{path}/🎉")

    async def exported() -> list[str]:
        (found,) = (await bob.get(f"/api/v1/users/{bob_id}/export/messages")).data
        return [group["emoji"] for group in found["reactions"]]

    assert await exported() == ["👍", "🚀"]
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=bob_id)
    assert await exported() == ["👍", "🚀", "🎉"], "who is back sees all of it"


async def test_an_export_ends_and_says_where_the_rest_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads and sessions there are, no answer holds them all."""
    monkeypatch.setattr(limits, "EXPORT_ENTRIES", 2)
    path = f"/api/v1/users/{house.him}/export"
    whole = [(await house.zebedee.thread(f"Thread {n}"))["id"] for n in range(5)]
    devices = [await sign_in(house.server, house.root, house.him) for _ in range(3)]
    exported = (await house.zebedee.get(path)).data
    assert [len(exported[name]) for name in ("memberships", "sessions")] == [2, 2]
    found = {name: list(exported[name]) for name in ("memberships", "sessions")}
    for name, shown in found.items():
        url = exported["next"][name]
        while url is not None:
            page = await house.zebedee.get(url)
            shown.extend(page.data)
            cursor = page.json["metadata"]["pagination"]["next_cursor"]
            url = cursor and f"{path}/{name}?limit=2&cursor={cursor}"
            check_problem(await house.alice.get(exported["next"][name]), 403)
    assert [each["thread_id"] for each in found["memberships"]][-5:] == whole
    assert len(found["memberships"]) == len({each["thread_id"] for each in found["memberships"]}) == 6
    assert {each["id"] for each in found["sessions"]} == {house.device.session_id, *(d.session_id for d in devices)}


async def test_an_export_holds_everything_of_one_and_nothing_of_others(house: House) -> None:
    other = await house.alice.thread("Not his")
    await house.alice.say(other, "Nothing of his")
    await sign_in(house.server, house.root, (await house.alice.me())["id"])
    await house.alice.post("/api/v1/auth/api-keys", name="alice-laptop")
    path = f"/api/v1/users/{house.him}/export"
    by_himself = await house.zebedee.get(path)
    exported = by_himself.data
    assert exported.keys() == {
        "user", "memberships", "sessions", "api_keys", "next", "messages", "files", "artifacts", "proposals",
        "comments", "actions",
    }  # fmt: skip
    assert exported["user"] == await house.zebedee.me()
    assert (exported["user"]["email"], exported["user"]["metadata"]) == (PERSONAL["email"], {"a": PERSONAL["metadata"]})
    assert [(found["title"], found["role"]) for found in exported["memberships"]] == [("Together", "MEMBER")]
    assert [(found["id"], found["user_agent"]) for found in exported["sessions"]] == [
        (house.device.session_id, PERSONAL["agent"])
    ]
    assert [(found["name"], found["key"]) for found in exported["api_keys"]] == [(PERSONAL["key"], None)]
    messages = (await house.zebedee.get(exported["messages"])).data
    assert [message["content"] for message in messages] == [WRITTEN["content"], WRITTEN["streamed"]]
    assert messages[0]["blocks"][0]["text"] == WRITTEN["block"]
    everything = by_himself.raw + (await house.zebedee.get(exported["messages"])).raw
    for text in ("alice", "Alice", "Not his", "Nothing of his", "An answer", house.key, PASSWORD, "argon2"):
        assert text.encode() not in everything, text
    assert (await house.root.get(path)).data["memberships"] == exported["memberships"]
    for asked in (path, exported["messages"]):
        check_problem(await house.alice.get(asked), 403)


async def upload(client: Client, name: str, content: str, **more: str) -> str:
    file = (await client.post("/api/v1/files", name=name, **more)).data["id"]
    assert (await client.request("PUT", f"/api/v1/files/{file}/content", data=content.encode())).status == 200
    return str(file)


@pytest.mark.parametrize("content", ["anonymise", "remove"])
async def test_files_go_that_nobody_else_needs(content: str, house: House) -> None:
    private = await upload(house.zebedee, "private-quux.txt", "x")
    own = await upload(house.zebedee, "own.txt", "xx", thread_id=house.thread)
    shown = await upload(house.zebedee, "shown.txt", "xxxx")
    await house.zebedee.say(house.thread, "look", files=[shown])
    await house.alice.say(house.thread, "look again", files=[shown])
    answer = await house.root.request("DELETE", f"/api/v1/users/{house.him}", params={"content": content})
    files = answer.data["files"]
    await Housekeeper(house.server.services.directory.journal).tidy()
    everything = content == "remove"
    assert files["removed"] == ({"count": 2, "size": 3} if everything else {"count": 1, "size": 1})
    (kept,) = files["kept"]
    reason = "shown_by_others" if everything else "in_threads"
    assert (kept["reason"], kept["count"], kept["size"]) == (reason, *((1, 4) if everything else (2, 6)))
    for client in (house.root, house.alice):
        statuses = [(await client.get(f"/api/v1/files/{file}")).status for file in (private, own, shown)]
        assert statuses == [404, 404 if everything else 200, 200]
    record = (await house.alice.get(f"/api/v1/files/{shown}")).data
    assert record["owner"]["name"] == "Deleted user"
    check_problem(await house.alice.get(f"/api/v1/files/{private}/content"), 404)
    assert (await house.alice.get(f"/api/v1/files/{shown}/content")).raw == b"xxxx"


async def test_the_export_has_files_with_ways_to_their_bytes(house: House) -> None:
    private = await upload(house.zebedee, "private.txt", "mine")
    left = await upload(house.zebedee, "left.txt", "left behind", thread_id=house.thread)
    pending = (await house.zebedee.post("/api/v1/files", name="pending.txt")).data["id"]
    await house.zebedee.delete(f"/api/v1/threads/{house.thread}/members/{house.him}")
    link = (await house.zebedee.get(f"/api/v1/users/{house.him}/export")).data["files"]
    assert link == f"/api/v1/users/{house.him}/export/files"
    his = {file["id"]: file["download"] for file in (await house.zebedee.get(link, limit="2")).data}
    assert list(his) == [private, left], "a page"
    assert his[left] is None, "he may no longer read it"
    page = await house.zebedee.get(link, limit="2")
    rest = (await house.zebedee.get(link, cursor=page.metadata["pagination"]["next_cursor"])).data
    assert [(file["id"], file["download"]) for file in rest] == [(pending, None)]
    assert (await nobody(house.server).get(his[private])).raw == b"mine"
    by_admin = {file["id"]: file["download"] for file in (await house.root.get(link)).data}
    assert (await nobody(house.server).get(by_admin[left])).raw == b"left behind"
    check_problem(await house.alice.get(link), 403)
