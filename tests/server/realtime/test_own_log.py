"""One's own log: every device is told all of it, wherever its connection is cut, by socket and by stream."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import limits
from actors.commands import Purge
from actors.event_kinds import USER_KINDS
from actors.resources.actions import ExpireForms
from server.api_docs.user_events import USER_EVENTS
from storage.database import FILE_NAME
from tests.realtime_client import RawClient, event_stream, raw_client
from tests.server.realtime.own_state import Json, OwnState
from tests.serving import Client, Server

BUTTON: dict[str, Any] = {
    "type": "actions",
    "block_id": "b",
    "elements": [{"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}],
}
APPROVAL: dict[str, Any] = {
    "type": "form", "block_id": "approval", "title": "May I?", "expires_at": "2999-01-01T00:00:00Z",
    "blocks": [{
        "type": "input", "block_id": "why", "optional": True, "label": {"type": "plain_text", "text": "Why"},
        "element": {"type": "plain_text_input", "action_id": "text"},
    }],
}  # fmt: skip
AFTER_ALL = 2**50
"""Milliseconds: after the year 2999."""
LOG = "/api/v1/users/me/log"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
Frames = Callable[[], Awaitable[Json]]
"""The next entry, with where it stands."""
Step = Callable[[], Awaitable[Any]]


@pytest.fixture
async def epoch(bob: Client) -> str:
    return str((await bob.get(LOG)).metadata["epoch"])


async def steps(server: Server, alice: Client, bob: Client) -> AsyncIterator[Step]:
    """All that can happen to Bob, one after the other."""
    bob_id = (await bob.me())["id"]
    with_bob = [{"user_id": bob_id}]
    thread = await alice.thread(members=with_bob)
    path = f"/api/v1/threads/{thread['id']}"
    mine = await bob.say(thread, blocks=[BUTTON])
    reactions = f"/api/v1/messages/{mine['id']}/reactions/👍"
    yield lambda: alice.say(thread, "@bob")
    yield lambda: alice.say(thread, "yes", parent_id=mine["id"])
    yield lambda: bob.post(f"{path}/read")
    yield lambda: bob.post(f"{path}/unread", offset=0)
    yield lambda: alice.put(reactions)
    yield lambda: alice.delete(reactions)
    named = await alice.say(thread, "@all")
    yield lambda: alice.patch(f"/api/v1/messages/{named['id']}", content="@bob")
    yield lambda: alice.delete(f"/api/v1/messages/{named['id']}")
    asked = await alice.say(thread, blocks=[BUTTON])
    yield lambda: bob.post(f"/api/v1/messages/{asked['id']}/actions", block_id="b", action_id="yes")
    (action,) = (await bob.get(f"/api/v1/messages/{asked['id']}/actions")).data
    yield lambda: alice.post(f"/api/v1/actions/{action['id']}/answer", text="Done.")
    yield lambda: alice.post(f"/api/v1/messages/{mine['id']}/actions", block_id="b", action_id="yes")
    yield lambda: alice.delete(f"/api/v1/messages/{mine['id']}")
    await alice.say(thread, blocks=[APPROVAL])
    yield lambda: server.services.write(ExpireForms(before=AFTER_ALL))
    yield lambda: bob.post("/api/v1/schedules", kind="reminder", content="Tea", at=TOMORROW)
    (reminder,) = (await bob.get("/api/v1/schedules")).data
    yield lambda: bob.patch(f"/api/v1/schedules/{reminder['id']}", content="Coffee")
    yield lambda: bob.delete(f"/api/v1/schedules/{reminder['id']}")
    yield lambda: alice.thread(members=with_bob)
    newest, second = (await bob.get("/api/v1/notifications")).data[:2]
    yield lambda: bob.post(f"/api/v1/notifications/{newest['id']}/read")
    yield lambda: bob.delete(f"/api/v1/notifications/{second['id']}")
    yield lambda: alice.say(thread, "@bob again")
    yield lambda: bob.post("/api/v1/notifications/read-all")
    yield lambda: bob.patch("/api/v1/users/me/preferences", time_zone="Asia/Tokyo", show_read=False)
    yield lambda: bob.patch(f"{path}/preferences", notify="mentions")
    yield lambda: bob.post(f"{path}/read")
    yield lambda: bob.patch("/api/v1/users/me", name="Robert")
    yield lambda: alice.delete(f"{path}/members/{bob_id}")
    gone = await alice.thread(members=with_bob)
    yield lambda: alice.delete(f"/api/v1/threads/{gone['id']}")
    yield lambda: alice.post(f"{path}/members", user_id=bob_id)


@asynccontextmanager
async def by_socket(server: Server, bob: Client, epoch: str, offset: int) -> AsyncIterator[Frames]:
    channel = f"user:{(await bob.me())['id']}"
    async with raw_client(server.session, server.websocket_url) as client:
        position = {"recover": True, "epoch": epoch, "offset": offset}
        answer = await client.ask("connect", token=bob.token, subs={channel: position})
        made = answer["connect"]["subs"][channel]
        assert made["recovered"]
        early = list(made.get("publications", ()))

        async def entry() -> Json:
            while True:
                publication = early.pop(0) if early else (await client.push())["pub"]
                if "offset" in publication:
                    assert publication["offset"] == publication["data"]["offset"]
                    return dict(publication["data"])

        yield entry
        client.cut()


@asynccontextmanager
async def by_stream(server: Server, bob: Client, epoch: str, offset: int) -> AsyncIterator[Frames]:
    url = f"{server.url}/api/v1/users/me/events"
    async with event_stream(server.session, url, bob.token, f"{epoch}-{offset}") as stream:

        async def entry() -> Json:
            while True:
                fields = await stream.next()
                event: Json = orjson.loads(fields["data"])
                if "id" in fields:
                    assert (fields["id"], fields["event"]) == (f"{epoch}-{event['offset']}", event["type"])
                    return event

        yield entry
        stream.cut()


@pytest.mark.parametrize("device", [by_socket, by_stream])
@pytest.mark.parametrize("frames", [1, 2, 1000])
async def test_the_state_and_its_entries_make_the_state(
    server: Server, alice: Client, bob: Client, epoch: str, device: Any, frames: int
) -> None:
    """The connection is cut after so many frames; a cut connection is open again when the next thing happens."""
    state = await OwnState.of(bob)
    async with AsyncExitStack() as stack:
        entry: Frames = await stack.enter_async_context(device(server, bob, epoch, state.offset))
        taken = 0
        async for step in steps(server, alice, bob):
            await step()
            head = (await bob.get(LOG)).metadata["offset"]
            while state.offset < head:
                if taken == frames:
                    await stack.aclose()
                    entry, taken = await stack.enter_async_context(device(server, bob, epoch, state.offset)), 0
                state.apply(await entry())
                taken += 1
            assert state.differences(await OwnState.of(bob)) == {}
    assert state.types == set(USER_KINDS)


async def test_every_device_is_told_the_same(server: Server, alice: Client, bob: Client, epoch: str) -> None:
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(how(server, bob, epoch, 0))
            for how in (by_socket, by_stream, by_socket, by_stream)
        ]
        seen: list[list[Json]] = [[] for _ in devices]
        async for step in steps(server, alice, bob):
            await step()
            head = (await bob.get(LOG)).metadata["offset"]
            for entry, told in zip(devices, seen, strict=True):
                while len(told) < head:
                    told.append(await entry())
    assert all(told == seen[0] for told in seen)
    log = (await bob.get(LOG, limit="100")).data
    assert [(e["type"], e["offset"], e["time"]) for e in seen[0]] == [(e["type"], e["offset"], e["time"]) for e in log]
    assert {entry["type"] for entry in log} == set(USER_KINDS)
    for entry in (*seen[0], *log):
        USER_EVENTS[entry["type"]].model_validate(entry)


async def test_a_mention_that_is_gone_does_not_come_back(server: Server, alice: Client, bob: Client) -> None:
    """An entry is told as what it is about is now."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread, "@bob, a secret")
    await alice.patch(f"/api/v1/messages/{message['id']}", content="@bob, nothing")
    entries = (await bob.get(LOG)).data
    assert entries[-1]["data"]["excerpt"] == "@bob, nothing"
    await alice.delete(f"/api/v1/messages/{message['id']}")
    created, cancelled = (await bob.get(LOG)).data[-2:]
    assert list(created["data"]) == ["id"]
    assert cancelled["data"] == {"ids": [created["data"]["id"]], "thread_id": thread["id"], "reason": "deleted"}


# As far back as it is kept


async def _forget(server: Server, folder: Path, up_to: int) -> None:
    """Entries up to there become a month old, and the housekeeper comes by."""
    with closing(sqlite3.connect(folder / "data" / FILE_NAME)) as database, database:
        shift = limits.USER_EVENT_SECONDS * 1000 + 60_000
        database.execute('UPDATE user_event SET time = time - ? WHERE "offset" <= ?', (shift, up_to))
    await server.services.write(Purge())


async def test_what_is_forgotten_is_not_recovered(server: Server, bob: Client, epoch: str, tmp_path: Path) -> None:
    """Nor is a part of it: whoever knows less reads the state anew, whoever knows more goes on."""
    for n in range(5):
        await bob.patch("/api/v1/users/me", name=f"Bob {n}")
    await _forget(server, tmp_path, 3)
    channel = f"user:{(await bob.me())['id']}"
    for offset, is_whole in ((0, False), (2, False), (3, True), (5, True)):
        page = await bob.get(LOG, after=str(offset))
        assert (page.metadata["is_whole"], page.metadata["offset"]) == (is_whole, 5)
        assert [entry["offset"] for entry in page.data] == list(range(max(offset, 3) + 1, 6))
        async with raw_client(server.session, server.websocket_url) as client:
            subs = {channel: {"recover": True, "epoch": epoch, "offset": offset}}
            made = (await client.ask("connect", token=bob.token, subs=subs))["connect"]["subs"][channel]
        assert made.get("recovered", False) == is_whole
        assert len(made.get("publications", ())) == (5 - offset if is_whole else 0)
        url = f"{server.url}/api/v1/users/me/events"
        async with event_stream(server.session, url, bob.token, f"{epoch}-{offset}") as stream:
            if offset < 5:
                first = await stream.next()
                assert first["event"] == ("user.updated" if is_whole else "resync")
                assert first["id"] == f"{epoch}-{4 if is_whole else 5}"


async def test_offsets_go_on_where_all_is_forgotten(server: Server, bob: Client, epoch: str, tmp_path: Path) -> None:
    await bob.patch("/api/v1/users/me", name="B")
    await _forget(server, tmp_path, 1)
    async with by_socket(server, bob, epoch, 1) as entry:
        await bob.patch("/api/v1/users/me", name="Bob")
        assert (await entry())["offset"] == 2


def _told(client: RawClient) -> list[Any]:
    return [message["push"]["pub"]["data"]["type"] for message in client.inbox]


async def test_a_key_that_may_not_read_is_told_nothing(server: Server, alice: Client, bob: Client) -> None:
    key = (await bob.post("/api/v1/auth/api-keys", name="k", scopes=["write"])).data["key"]
    async with raw_client(server.session, server.websocket_url) as client:
        answer = await client.ask("connect", token=key)
        assert "subs" not in answer["connect"]
        await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
        await client.ask("ping")
        assert _told(client) == []


async def test_a_client_goes_on_with_no_key_that_may_not_read(server: Server, alice: Client) -> None:
    """What it is subscribed to would rest on a key that could not have subscribed."""
    key = (await alice.post("/api/v1/auth/api-keys", name="k", scopes=["write"])).data["key"]
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        await client.subscribe((await alice.thread())["id"])
        await client.send(client.command("refresh", token=key))
        assert (await client.closed()).code == 3005
