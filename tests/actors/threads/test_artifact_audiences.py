"""The subscribers of an artifact get the events about it, in order; its deletion is the last."""

from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.delivery.channel import Subscribe
from actors.delivery.connection import OpenGate, ShutGate
from actors.resources.artifacts import contents
from actors.resources.artifacts.commands import CreateArtifact, DeleteArtifact, ReviseArtifact
from actors.resources.members import RemoveMember
from actors.resources.threads import Thread
from actors.threads.artifact_audiences import ArtifactAudiences
from tests.actors.house import House, Peer
from tests.builders import identity, until


class Room:
    """A thread with two artifacts, and subscribers of them."""

    def __init__(self, house: House, owner: Identity, thread: Thread) -> None:
        self._house = house
        self._there: dict[str, Any] = {"identity": owner, "thread_id": thread.id}

    async def create(self, artifact_id: str) -> None:
        packed = contents.packed("REPORT", "x")
        await self._house.do(
            CreateArtifact(**self._there, artifact_id=artifact_id, type="REPORT", title="A report", content=packed)
        )

    async def revise(self, artifact_id: str, title: str) -> None:
        revise = ReviseArtifact(**self._there, artifact_id=artifact_id, change="patched", title=title)
        await self._house.do(revise)

    async def delete(self, artifact_id: str) -> None:
        await self._house.do(DeleteArtifact(**self._there, artifact_id=artifact_id))

    async def watch(self, who: Identity, thread: Thread, artifact_id: str) -> Peer:
        peer, channel = self._house.peer(), f"artifact:{artifact_id}"
        peer.tell(ShutGate(channel))
        self._house.directory.thread_of_artifact(artifact_id, thread.id)
        subscribed = await self._house.subscribe(who, thread, peer, artifact_id=artifact_id)
        peer.tell(OpenGate(channel, b"", subscribed.offset))
        return peer


@pytest.fixture
async def ana(house: House) -> Identity:
    return await house.user("ana")


@pytest.fixture
async def bo(house: House) -> Identity:
    return await house.user("bo")


async def test_each_gets_what_is_about_its_artifact(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    room = Room(house, ana, thread)
    for artifact_id in ("a", "b"):
        await room.create(artifact_id)
    first, second = [await room.watch(ana, thread, artifact_id) for artifact_id in ("a", "b")]
    await room.revise("a", "Another")
    await room.revise("b", "A third")
    await room.revise("a", "A fourth")
    await room.delete("a")
    await room.revise("b", "A fifth")
    await until(lambda: len(second.lines) == 2)
    assert first.lines == ["4 artifact.updated", "6 artifact.updated", "7 artifact.deleted", "ended artifact:a"]
    assert second.lines == ["5 artifact.updated", "8 artifact.updated"]
    assert list(house.actor(thread)._artifacts._audiences) == ["b"]


async def test_who_may_no_longer_see_the_thread_gets_no_more_of_it(house: House, ana: Identity, bo: Identity) -> None:
    thread = await house.thread(ana, bo)
    room = Room(house, ana, thread)
    await room.create("a")
    hers, his = await room.watch(ana, thread, "a"), await room.watch(bo, thread, "a")
    await house.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    await room.revise("a", "Another")
    await until(lambda: hers.lines == ["5 artifact.updated"])
    assert his.lines == ["ended artifact:a"]


class Connection:
    def __init__(self, name: str) -> None:
        self.actor_urn = name

    def tell(self, message: object) -> None: ...


def test_an_artifact_that_nobody_listens_to_is_not_remembered() -> None:
    audiences = ArtifactAudiences(lambda event: b"")
    first: Any = Connection("first")
    second: Any = Connection("second")
    assert not audiences
    for connection in (first, second):
        audiences.join("a", Subscribe(identity(1), connection))
    audiences.leave("b", first)
    assert [name for name, _ in audiences.present("a")] == ["first", "second"]
    assert audiences.present("b") == []
    for _ in range(2):
        audiences.leave("a", first)
        assert [name for name, _ in audiences.present("a")] == ["second"]
    assert audiences
    audiences.leave("a", second)
    assert not audiences
