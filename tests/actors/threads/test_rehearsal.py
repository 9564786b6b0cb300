"""A thread's actor says beforehand what it would refuse, and takes nothing meanwhile."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, Overloaded
from actors.rehearsal import MayWrite
from actors.resources.message_streams import AppendToMessage, MayOpen
from actors.resources.threads import HandOver, Thread, UpdateThread
from tests.actors.house import House
from tests.builders import identity, post

STRANGER = identity(77)


@pytest.fixture
async def ana(house: House) -> Identity:
    return await house.user("ana")


@pytest.fixture
async def bo(house: House) -> Identity:
    """May only read."""
    return await house.user("bo")


@pytest.fixture
async def thread(house: House, ana: Identity, bo: Identity) -> Thread:
    return await house.thread(ana, (bo, "VIEWER"))


async def may(house: House, thread: Thread, command: Any) -> Any:
    return await house.directory.thread(thread.id).ask(MayWrite(command))


def append(who: Identity, thread: Thread) -> AppendToMessage:
    return AppendToMessage(identity=who, thread_id=thread.id, message_id="s", text="words")


def rename(who: Identity, thread: Thread) -> UpdateThread:
    return UpdateThread(identity=who, thread_id=thread.id, title="Another")


async def test_who_may_write_may_and_nothing_is_written(house: House, ana: Identity, thread: Thread) -> None:
    batches = house.journal.batches
    for command in (post(ana, thread), append(ana, thread), rename(ana, thread)):
        assert await may(house, thread, command) is None
    assert house.journal.batches == batches


@pytest.mark.parametrize("make", [post, append, rename])
async def test_a_stranger_hears_that_there_is_no_such_thread(house: House, thread: Thread, make: Any) -> None:
    with pytest.raises(NotFound):
        await may(house, thread, make(STRANGER, thread))


@pytest.mark.parametrize("make", [post, append])
async def test_a_reader_may_not_write(house: House, bo: Identity, thread: Thread, make: Any) -> None:
    with pytest.raises(Forbidden):
        await may(house, thread, make(bo, thread))


async def test_what_a_reader_may_change_is_judged_in_the_transaction(
    house: House, bo: Identity, thread: Thread
) -> None:
    assert await may(house, thread, rename(bo, thread)) is None


@pytest.mark.parametrize("make", [post, append, rename])
async def test_a_thread_that_is_overloaded_says_so(
    house: House, ana: Identity, thread: Thread, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_THREAD", 0)
    with pytest.raises(Overloaded):
        await may(house, thread, make(ana, thread))


# Opening a message that is written over time


async def test_who_may_open_one(
    house: House, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAMS_PER_THREAD", 1)
    ref = house.directory.thread(thread.id)
    for who, error in ((STRANGER, NotFound), (bo, Forbidden)):
        with pytest.raises(error):
            await ref.ask(MayOpen(who))
    await ref.ask(MayOpen(ana))
    await house.post(ana, thread, "", message_id="s", status="STREAMING")
    with pytest.raises(Conflict):
        await ref.ask(MayOpen(ana))
    assert await may(house, thread, post(ana, thread)) is None, "a whole message takes no place"
    with pytest.raises(Conflict):
        await may(house, thread, post(ana, thread, "", status="STREAMING"))


async def test_where_people_have_the_floor_others_may_not_write(house: House, ana: Identity) -> None:
    bot = await house.user("bot", kind="ASSISTANT")
    thread = await house.thread(ana, bot)
    await house.do(HandOver(identity=ana, thread_id=thread.id, control="human"))
    for make in (post, append):
        assert await may(house, thread, make(ana, thread)) is None
        with pytest.raises(Conflict):
            await may(house, thread, make(bot, thread))
