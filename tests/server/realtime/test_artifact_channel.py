"""The channel of an artifact: every event about it once and in order, wherever the connection is cut, and no other."""

import asyncio
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.carriers import CARRIERS, carrier_of
from tests.realtime_client import PATIENCE, RawClient, event_stream
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server

EVENTS = "events"
Json = dict[str, Any]
ROWS = {"columns": ["day", "sum"], "rows": [["May", 1]]}
ABOUT = ("artifact.", "proposal.", "comment.")


@pytest.fixture
async def him(bob: Client) -> str:
    return str((await bob.me())["id"])


@pytest.fixture
async def thread(alice: Client, him: str) -> Any:
    return await alice.thread(members=[{"user_id": him}])


async def create(client: Client, thread: Any, title: str = "Sales") -> Any:
    content = {"sections": [{"type": "markdown", "id": "intro", "text": "They rose."}]}
    given = {"type": "REPORT", "title": title, "content": content}
    made = await client.post(f"/api/v1/threads/{thread['id']}/artifacts", **given)
    assert made.status == 201, made.raw
    return made.data


async def change(client: Client, thread: Any, artifact: Any, other: Any, step: int) -> None:
    """One change: of the artifact, or of what is on other channels."""
    url = f"/api/v1/artifacts/{artifact['id']}"
    operations = [{"op": "replace", "path": "/sections/0/text", "value": f"{step}"}]
    match step % 6:
        case 0:
            assert (await client.request("PATCH", url, json={"title": f"Sales {step}"})).status == 200
        case 1:
            assert (await client.request("PUT", f"{url}/data/sales", json=ROWS)).status < 300
        case 2:
            await client.say(thread, f"not about it {step}")
        case 3:
            proposed = await client.post(f"{url}/proposals", patch=operations, comment=f"{step}")
            assert proposed.status == 201, proposed.raw
        case 4:
            theirs = f"/api/v1/artifacts/{other['id']}"
            assert (await client.request("PATCH", theirs, json={"title": f"Other {step}"})).status == 200
        case 5:
            assert (await client.request("PATCH", url, json={"metadata": {"step": step}})).status == 200


class Viewer:
    """`visit` connects with its cursor, takes a number of events, and is gone without a goodbye."""

    def __init__(self, server: Server, client: Client, artifact_id: str, kind: str) -> None:
        self.server, self.client, self.artifact_id, self.kind = server, client, artifact_id, kind
        self.epoch = ""
        self.events: list[Json] = []

    @property
    def offset(self) -> int:
        return self.events[-1]["offset"] if self.events else 0

    @property
    def has_all(self) -> bool:
        return bool(self.events) and self.events[-1]["data"].get("name") == "end"

    async def begin(self, dial: Dial) -> None:
        client = await dial(self.client)
        told = (await client.ask("subscribe", channel=f"artifact:{self.artifact_id}"))["subscribe"]
        self.epoch = told["epoch"]
        client.cut()

    async def follow(self, visits: Iterable[int]) -> None:
        for count in visits:
            if self.has_all:
                return
            await (self._by_stream(count) if self.kind == EVENTS else self._by_client(count))

    async def _by_client(self, count: int) -> None:
        async with carrier_of(self.server.session, self.server.url, self.kind) as carrier:
            client = await carrier(self.client.token)
            position = {"recover": True, "epoch": self.epoch, "offset": self.offset}
            told = (await client.ask("subscribe", channel=f"artifact:{self.artifact_id}", **position))["subscribe"]
            assert told["recovered"]
            for publication in told.get("publications", [])[:count]:
                self._take(publication["data"], publication["offset"])
                count -= 1
            while count > 0 and not self.has_all:
                publication = (await client.push())["pub"]
                self._take(publication["data"], publication["offset"])
                count -= 1
            client.cut()

    async def _by_stream(self, count: int) -> None:
        url = f"{self.server.url}/api/v1/artifacts/{self.artifact_id}/events"
        async with event_stream(self.server.session, url, self.client.token, f"{self.epoch}-{self.offset}") as stream:
            while count > 0 and not self.has_all:
                fields = await stream.next()
                epoch, _, offset = fields["id"].partition("-")
                assert epoch == self.epoch
                self._take(orjson.loads(fields["data"]), int(offset))
                count -= 1
            stream.cut()

    def _take(self, event: Json, offset: int) -> None:
        assert offset == event["offset"] > self.offset
        self.events.append(event)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(st.integers(0, 5), max_size=12), cut_after=st.lists(st.sampled_from([0, 1, 2, 5]), max_size=4))
async def test_every_event_comes_once_wherever_the_connection_is_cut(
    server: Server, dial: Dial, alice: Client, thread: Any, steps: list[int], cut_after: list[int]
) -> None:
    artifact, other = await create(alice, thread), await create(alice, thread)
    viewers = [Viewer(server, alice, artifact["id"], kind) for kind in ("websocket", EVENTS)]
    for viewer in viewers:
        await viewer.begin(dial)
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        for viewer in viewers:
            group.create_task(viewer.follow([*cut_after, *[1] * 30]))
        for number, step in enumerate(steps):
            await change(alice, thread, artifact, other, 6 * number + step)
        assert (await alice.request("PUT", f"/api/v1/artifacts/{artifact['id']}/data/end", json=ROWS)).status < 300
    for viewer in viewers:
        await must_be_those_of_the_log(alice, thread, artifact, viewer.events)


async def must_be_those_of_the_log(client: Client, thread: Any, artifact: Any, events: list[Json]) -> None:
    log: list[Json] = []
    while more := (await client.get(f"/api/v1/threads/{thread['id']}/log", after=str(len(log)), limit="100")).data:
        log += more
    about = [
        event["offset"]
        for event in log
        if event["type"].startswith(ABOUT)
        and artifact["id"] in (event["data"].get("artifact_id"), event["data"].get("id"))
    ]
    assert [event["offset"] for event in events] == about


@pytest.mark.parametrize("kind", CARRIERS)
async def test_over_every_carrier(server: Server, dial: Dial, alice: Client, thread: Any, kind: str) -> None:
    artifact, other = await create(alice, thread), await create(alice, thread)
    viewer = Viewer(server, alice, artifact["id"], kind)
    await viewer.begin(dial)
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(viewer.follow(repeat(1)))
        for step in range(6):
            await change(alice, thread, artifact, other, step)
        assert (await alice.request("PUT", f"/api/v1/artifacts/{artifact['id']}/data/end", json=ROWS)).status < 300
    types = [event["type"] for event in viewer.events]
    assert types == [
        "artifact.created", "artifact.updated", "artifact.data_updated", "proposal.created", "artifact.updated",
        "artifact.data_updated",
    ]  # fmt: skip


async def subscribed(client: RawClient, artifact: Any, **more: Any) -> Json:
    told: Json = (await client.ask("subscribe", channel=f"artifact:{artifact['id']}", **more))["subscribe"]
    return told


async def test_the_same_event_as_on_the_channel_of_the_thread(dial: Dial, alice: Client, thread: Any) -> None:
    artifact = await create(alice, thread)
    on_thread, on_artifact = await dial(alice), await dial(alice)
    await on_thread.subscribe(thread["id"])
    told = await subscribed(on_artifact, artifact)
    assert told["offset"] == 3
    await alice.say(thread)
    await on_thread.push()
    assert (await alice.patch(f"/api/v1/artifacts/{artifact['id']}", title="Sold")).status == 200
    there, here = await on_thread.push(), await on_artifact.push()
    assert here == {"channel": f"artifact:{artifact['id']}", "pub": there["pub"]}
    assert here["pub"]["offset"] == 5


async def remove(alice: Client, thread: Any, artifact: Any, him: str) -> None:
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}/members/{him}")).status == 200


async def delete_thread(alice: Client, thread: Any, artifact: Any, him: str) -> None:
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}")).status == 200


async def delete_artifact(alice: Client, thread: Any, artifact: Any, him: str) -> None:
    assert (await alice.delete(f"/api/v1/artifacts/{artifact['id']}")).status == 200


@pytest.mark.parametrize("end", [remove, delete_thread, delete_artifact])
async def test_it_ends_with_access(
    server: Server, dial: Dial, alice: Client, bob: Client, thread: Any, him: str, end: Any
) -> None:
    artifact = await create(alice, thread)
    client = await dial(bob)
    await subscribed(client, artifact)
    url = f"{server.url}/api/v1/artifacts/{artifact['id']}/events"
    async with event_stream(server.session, url, bob.token) as stream:
        await stream.begun()
        await end(alice, thread, artifact, him)
        if end is delete_artifact:
            assert (await client.push())["pub"]["data"]["type"] == "artifact.deleted"
            assert (await stream.next())["event"] == "artifact.deleted"
        unsubscribed = {"code": 2000, "reason": "access ended"}
        assert await client.push() == {"channel": f"artifact:{artifact['id']}", "unsubscribe": unsubscribed}
        resync = await stream.next()
    assert resync["event"] == "resync"
    assert orjson.loads(resync["data"])["artifact_id"] == artifact["id"]
    assert (await client.error("subscribe", channel=f"artifact:{artifact['id']}"))[0] == 102
    assert (await client.error("history", channel=f"artifact:{artifact['id']}", limit=9))[0] == 102
    assert (await bob.get(f"/api/v1/artifacts/{artifact['id']}/events")).status == 404


async def test_only_for_those_who_see_the_thread(dial: Dial, alice: Client, bob: Client) -> None:
    artifact = await create(alice, await alice.thread())
    client = await dial(bob)
    for verb in ("subscribe", "history", "presence", "presence_stats"):
        assert (await client.error(verb, channel=f"artifact:{artifact['id']}"))[0] == 102
    assert (await client.error("publish", channel=f"artifact:{artifact['id']}", data={}))[0] == 103
    assert (await client.error("subscribe", channel="artifact:sales"))[0] == 102
    assert (await bob.get(f"/api/v1/artifacts/{artifact['id']}/events")).status == 404
    assert (await bob.get("/api/v1/artifacts/sales/events")).status == 404


async def test_who_is_present_and_history(dial: Dial, alice: Client, thread: Any) -> None:
    artifact = await create(alice, thread)
    channel, client = f"artifact:{artifact['id']}", await dial(alice)
    for number in range(3):
        await alice.say(thread)
        assert (await alice.patch(f"/api/v1/artifacts/{artifact['id']}", title=f"{number}")).status == 200
    assert (await client.ask("presence_stats", channel=channel))["presence_stats"]["num_clients"] == 0
    told = await subscribed(client, artifact)
    assert (await client.ask("presence_stats", channel=channel))["presence_stats"]["num_clients"] == 1
    since = {"epoch": told["epoch"], "offset": 3}
    page = (await client.ask("history", channel=channel, limit=2, since=since))["history"]
    assert [item["offset"] for item in page["publications"]] == [5, 7]
    newest = (await client.ask("history", channel=channel, limit=2, reverse=True))["history"]
    assert [item["offset"] for item in newest["publications"]] == [9, 7]
    assert (await client.error("history", channel=channel, limit=2, since={"epoch": "x", "offset": 3}))[0] == 112
    await client.ask("unsubscribe", channel=channel)
    assert (await client.ask("presence_stats", channel=channel))["presence_stats"]["num_clients"] == 0


@pytest.mark.parametrize(("epoch", "offset"), [("another", 3), (None, 99)])
async def test_positions_that_are_not_of_this_log(
    dial: Dial, alice: Client, thread: Any, epoch: str | None, offset: int
) -> None:
    artifact, client = await create(alice, thread), await dial(alice)
    position = {"recover": True, "epoch": epoch or "", "offset": offset}
    told = await subscribed(client, artifact, **position)
    assert told["was_recovering"] is True
    assert "recovered" not in told


async def test_who_leaves_before_the_answer_has_left(dial: Dial, alice: Client, thread: Any) -> None:
    """The thread of the artifact is looked up first: the subscription itself comes after that."""
    artifact = await create(alice, thread)
    channel = f"artifact:{artifact['id']}"
    client = await dial(alice)
    subscribe = client.command("subscribe", channel=channel)
    await client.send(subscribe, client.command("unsubscribe", channel=channel))
    assert "subscribe" in await client.reply(subscribe["id"])
    assert (await client.ask("presence", channel=channel))["presence"]["presence"] == {}
