"""state₀ ⊕ events == state: whatever is written, wherever the connection is cut, over WebSocket and over SSE."""

import asyncio
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import event_kinds
from tests.examples import examples
from tests.realtime_client import PATIENCE
from tests.server.operations.company import EVERY_KIND, TOLD, Company, programs
from tests.server.operations.fold import comparable, fetched
from tests.server.realtime.viewers import EVENTS, KINDS, Viewer
from tests.server.realtime.waiting import until
from tests.serving import Client, Server

pytestmark = pytest.mark.usefixtures("few_and_crowd")

visits = st.lists(st.sampled_from([0, 1, 2, 3, 6, 1_000]), max_size=6)
"""After how many events the first connections are cut; those after them are cut after each event."""


async def gathered(server: Server, *kinds: str) -> tuple[Company, list[Viewer]]:
    """A viewer of each kind."""
    company = await Company.gather(server)
    return company, [Viewer(server, company.people[0], company.thread_id, kind) for kind in kinds]


async def must_have_all(viewer: Viewer) -> None:
    assert viewer.fold.state == comparable(await fetched(viewer.client, viewer.thread_id)), viewer.kind


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(everybody=st.tuples(programs, programs, programs), cut_after=st.tuples(visits, visits))
async def test_the_state_and_its_events_make_the_state(server: Server, everybody: Any, cut_after: Any) -> None:
    """Both fetch the state while others write already."""
    company, viewers = await gathered(server, "websocket", EVENTS)
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        writing = group.create_task(company.run_all(everybody))
        for viewer, counts in zip(viewers, cut_after, strict=True):
            await viewer.begin()
            group.create_task(viewer.follow(chain(counts, repeat(1))))
        await writing
        await company.end()
    for viewer in viewers:
        await must_have_all(viewer)


async def test_every_kind_of_event(server: Server) -> None:
    """Cut after each of them; whoever adds a kind adds an action that makes it."""
    company, viewers = await gathered(server, *KINDS)
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        for viewer in viewers:
            await viewer.begin_with_nothing()
            group.create_task(viewer.follow(repeat(1)))
        for person, action, number in EVERY_KIND:
            answer = await company.do(company.people[person], action, number)
            assert answer is not None
            assert answer.status < 300, (action, answer.raw)
        await company.end()
    assert {*TOLD, "thread.deleted", "file.preview_ready"} == set(event_kinds.KINDS), "these have tests of their own"
    for viewer in viewers:
        assert viewer.told >= TOLD
        await must_have_all(viewer)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_last_event_of_a_thread(server: Server, alice: Client, kind: str) -> None:
    thread = await alice.thread()
    viewer = Viewer(server, alice, thread["id"], kind)
    await viewer.begin()
    async with asyncio.TaskGroup() as group:
        group.create_task(viewer.visit(2))
        await alice.say(thread)
        await until(lambda: viewer.fold.offset == 2)
        assert (await alice.delete(f"/api/v1/threads/{thread['id']}")).status == 200
    assert "thread.deleted" in viewer.told


@pytest.mark.parametrize(("end", "status"), [("complete", "COMPLETE"), ("fail", "FAILED"), ("cancel", "INTERRUPTED")])
async def test_an_answer_while_it_is_written(server: Server, end: str, status: str) -> None:
    """Whoever is cut after every piece reads, after each, all that was written by then, and in the end what is kept."""
    company, viewers = await gathered(server, *KINDS)
    alice, text = company.people[0], ""
    opened = await alice.post(f"{company.url}/messages", status="STREAMING")
    message_id = opened.data["id"]
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        for viewer in viewers:
            await viewer.begin_with_nothing()
            group.create_task(viewer.follow(repeat(1)))
        for piece in range(12):
            text += f"{piece} 🦊 "
            assert (await alice.post(f"/api/v1/messages/{message_id}/append", text=f"{piece} 🦊 ")).status == 200
            await until(lambda: all(viewer.texts.get(message_id) == text for viewer in viewers))  # noqa: B023 - now
        assert (await alice.post(f"/api/v1/messages/{message_id}/{end}")).status == 200
        await company.end()
    for viewer in viewers:
        kept = viewer.fold.messages[message_id]
        assert (kept["content"], kept["status"]) == (text, status)
        assert viewer.texts[message_id] == text
        assert min(viewer.passed["message.delta"], viewer.visits) >= 12
        await must_have_all(viewer)
