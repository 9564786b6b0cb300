"""Texts that grow in artifacts, over REST: appended, read while they grow, completed, stopped, interrupted."""

from typing import Any

import pytest

from actors.resources.artifact_streams import InterruptArtifactStreams
from tests.realtime_client import raw_client
from tests.server.operations.test_artifacts import REPORT, create
from tests.serving import Client, Server

INTRO = "/sections/0/text"
TEXT = REPORT["sections"][0]["text"]
LATE = 2**53


@pytest.fixture
async def url(alice: Client, thread: Any) -> str:
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    return f"/api/v1/artifacts/{artifact['id']}"


async def begin(client: Client, url: str, pointer: str = INTRO, **more: Any) -> str:
    made = await client.post(f"{url}/streams", pointer=pointer, **more)
    assert made.status == 201, made.raw
    return f"{url}/streams/{made.data['id']}"


async def write(client: Client, path: str, *pieces: str) -> None:
    for piece in pieces:
        answer = await client.post(f"{path}/append", text=piece)
        assert answer.status == 200, answer.raw


async def intro(client: Client, url: str) -> str:
    sections = (await client.get(url)).data["content"]["sections"]
    return str(next(section["text"] for section in sections if section.get("id") == "intro"))


async def test_it_grows_before_all_eyes_and_is_one_version(
    server: Server, alice: Client, bob: Client, thread: Any, url: str
) -> None:
    async with raw_client(server.session, server.websocket_url, bob.token) as socket:
        await socket.subscribe(thread["id"])
        path = await begin(alice, url, model="m-1", tool_call="t-1")
        await write(alice, path, "\nOne", ", two")
        assert (await bob.get(path)).data["text"] == "\nOne, two", "who comes late reads what has grown"
        await write(alice, path, " 👍🏽")
        done = (await alice.post(f"{path}/complete")).data
        events = [one["data"] for one in await socket.publications(6)]
    assert [event["type"] for event in events] == [
        "artifact.stream_started", "artifact.delta", "artifact.delta", "artifact.delta", "artifact.updated",
        "artifact.stream_ended",
    ]  # fmt: skip
    deltas = [event["data"] for event in events[1:4]]
    assert [(delta["index"], delta["text"]) for delta in deltas] == [(0, "\nOne"), (4, ", two"), (9, " 👍🏽")]
    assert (done["status"], done["version"], done["text"]) == ("COMPLETE", 2, "")
    assert events[5]["data"] == {name: value for name, value in done.items() if name not in ("text", "length")}
    assert await intro(bob, url) == f"{TEXT}\nOne, two 👍🏽"
    (version, _) = (await alice.get(f"{url}/versions")).data
    assert version["provenance"] == {"message_id": None, "tool_call": "t-1", "model": "m-1"}
    assert (await alice.post(f"{path}/complete")).data == done, "once"
    late = await alice.post(f"{path}/append", text="x")
    assert (late.status, late.error["code"]) == (409, "not_streaming")


async def test_beside_the_edits_of_others(alice: Client, bob: Client, url: str) -> None:
    path = await begin(alice, url)
    await write(alice, path, " More.")
    first = {"type": "markdown", "text": "Before all."}
    patch = [
        {"op": "replace", "path": INTRO, "value": "Edited."},
        {"op": "add", "path": "/sections/0", "value": first},
    ]
    assert (await bob.patch(url, patch=patch)).status == 200
    assert (await alice.post(f"{path}/complete")).data["version"] == 3
    assert await intro(bob, url) == "Edited. More."


async def test_a_retry_repeats_nothing_and_a_gap_is_refused(alice: Client, url: str) -> None:
    path = await begin(alice, url)
    assert (await alice.post(f"{path}/append", text="abc", index=0)).data == {"length": 3}
    assert (await alice.post(f"{path}/append", text="abc", index=0)).data == {"length": 3}
    for index, text in ((9, "x"), (1, "x")):
        refused = await alice.post(f"{path}/append", text=text, index=index)
        assert (refused.status, refused.error["code"]) == (409, "stream_gap")
    assert (await alice.get(path)).data["text"] == "abc"
    once = {"Idempotency-Key": "k-1"}
    for _ in range(2):
        assert (await alice.post(f"{path}/append", text="d", headers=once)).data == {"length": 4}


async def test_one_stream_a_text(alice: Client, bob: Client, url: str) -> None:
    path = await begin(alice, url)
    refused = await bob.post(f"{url}/streams", pointer=INTRO)
    assert (refused.status, refused.error["code"]) == (409, "text_streaming")
    await begin(bob, url, "/abstract")
    assert (await bob.post(f"{path}/append", text="x")).error["code"] == "not_streaming"
    assert (await bob.post(f"{path}/complete")).status == 403
    for pointer in ("/sections", "/missing"):
        refused = await bob.post(f"{url}/streams", pointer=pointer)
        assert (refused.status, list(refused.error["errors"])) == (400, ["pointer"])
    streaming = (await alice.get(f"{url}/streams", status="STREAMING")).data
    assert [one["pointer"] for one in streaming] == ["/abstract", INTRO]


async def test_stopped_by_another(alice: Client, bob: Client, url: str) -> None:
    path = await begin(alice, url)
    await write(alice, path, " Half")
    stopped = (await bob.post(f"{path}/cancel")).data
    assert (stopped["status"], stopped["version"]) == ("INTERRUPTED", 2)
    assert await intro(alice, url) == f"{TEXT} Half"
    assert (await alice.post(f"{path}/append", text="x")).error["code"] == "not_streaming"


async def test_where_its_place_is_gone(alice: Client, bob: Client, url: str) -> None:
    path = await begin(alice, url)
    await write(alice, path, " Lost?")
    await bob.patch(url, patch=[{"op": "remove", "path": "/sections/0"}])
    refused = await alice.post(f"{path}/complete")
    assert (refused.status, list(refused.error["errors"])) == (400, ["pointer"])
    await write(alice, path, " No.")
    stopped = (await alice.post(f"{path}/cancel")).data
    assert (stopped["status"], stopped["version"], stopped["text"]) == ("INTERRUPTED", None, " Lost? No.")
    await bob.post(f"{url}/versions/1/restore")
    done = (await alice.post(f"{path}/complete")).data
    assert (done["status"], done["version"], done["text"]) == ("COMPLETE", 4, "")
    assert await intro(bob, url) == f"{TEXT} Lost? No."


async def test_silence_and_a_killed_server_leave_the_text(server: Server, alice: Client, url: str) -> None:
    path = await begin(alice, url)
    await write(alice, path, " Half")
    assert (await server.services.write(InterruptArtifactStreams(before=0))).result == 0
    assert (await server.services.write(InterruptArtifactStreams(before=LATE))).result == 1
    left = (await alice.get(path)).data
    assert (left["status"], left["text"], left["version"]) == ("INTERRUPTED", " Half", None)
    assert (await alice.post(f"{path}/append", text="x")).status == 409
    assert (await alice.post(f"{path}/complete")).data["version"] == 2
    assert await intro(alice, url) == f"{TEXT} Half"


async def test_each_piece_needs_the_right_to_write(alice: Client, bob: Client, thread: Any, url: str) -> None:
    path = await begin(bob, url)
    await write(bob, path, " Half")
    bob_id = (await bob.me())["id"]
    await alice.patch(f"/api/v1/threads/{thread['id']}/members/{bob_id}", role="VIEWER")
    assert (await bob.post(f"{path}/append", text="x")).status == 403
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    assert (await bob.post(f"{path}/append", text="x")).status == 404
    assert (await alice.post(f"{path}/cancel")).data["version"] == 2
