"""Recovery: from which positions it is told in full, and what is said where it cannot be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from tests.realtime_client import RawClient
from tests.server.operations.signing_in import sql
from tests.server.realtime.conftest import Dial
from tests.serving import Client


@pytest.fixture
async def thread(alice: Client) -> Any:
    """Its log has seven entries."""
    thread = await alice.thread()
    for number in range(2, 8):
        await alice.say(thread, str(number))
    return thread


@pytest.fixture
async def client(dial: Dial, alice: Client) -> RawClient:
    return await dial(alice)


async def epoch_of(alice: Client, thread: Any) -> str:
    return str((await alice.get(f"/api/v1/threads/{thread['id']}/log")).metadata["epoch"])


def offsets(publications: list[dict[str, Any]]) -> list[int]:
    assert all(item["offset"] == item["data"]["offset"] for item in publications)
    return [item["offset"] for item in publications]


@pytest.mark.parametrize(("offset", "missed"), [(0, [1, 2, 3, 4, 5, 6, 7]), (4, [5, 6, 7]), (6, [7]), (7, [])])
async def test_what_was_missed(client: RawClient, alice: Client, thread: Any, offset: int, missed: list[int]) -> None:
    answer = await client.subscribe(thread["id"], recover=True, epoch=await epoch_of(alice, thread), offset=offset)
    assert answer["was_recovering"] is answer["recovered"] is True
    assert offsets(answer["publications"]) == missed
    assert answer["offset"] == 7
    await alice.say(thread, "live")
    assert (await client.push())["pub"]["offset"] == 8


async def test_from_the_beginning(client: RawClient, alice: Client, thread: Any) -> None:
    answer = await client.subscribe(thread["id"], recover=True)
    assert answer["recovered"] is True
    assert offsets(answer["publications"]) == list(range(1, 8))
    assert answer["publications"][0]["data"]["type"] == "thread.created"
    assert answer["epoch"] == await epoch_of(alice, thread)


async def test_past_an_event_of_a_newer_release(
    client: RawClient, alice: Client, thread: Any, tmp_path: Path
) -> None:  # fmt: skip
    """Before a rollback a newer release was at work on this database; what other processes write comes on, too."""
    sql(tmp_path / "data", "UPDATE event SET type = 'message.blessed' WHERE \"offset\" = 4")
    answer = await client.subscribe(thread["id"], recover=True)
    assert offsets(answer["publications"]) == list(range(1, 8))
    assert (answer["publications"][3]["data"]["type"], answer["publications"][3]["data"]["data"]) == (
        "message.blessed", {},
    )  # fmt: skip
    await alice.say(thread, "live")
    assert (await client.push())["pub"]["offset"] == 8


async def test_without_recover_nothing_is_told_of_the_past(client: RawClient, thread: Any) -> None:
    for recover in ({}, {"recover": False}, {"recover": None}):
        answer = await client.subscribe(thread["id"], offset=2, epoch="", **recover)
        assert answer.keys() == {"recoverable", "positioned", "epoch", "offset"}
        await client.ask("unsubscribe", channel=f"thread:{thread['id']}")


@pytest.mark.parametrize(("epoch", "offset"), [("another", 3), ("", 8), (None, 8), ("", 2**63 - 1)])
async def test_positions_that_are_not_of_this_log(
    client: RawClient, alice: Client, thread: Any, epoch: str | None, offset: int
) -> None:
    epoch = await epoch_of(alice, thread) if epoch is None else epoch
    channel = f"thread:{thread['id']}"
    position = {"channel": channel, "recover": True, "epoch": epoch, "offset": offset}
    assert await client.error("subscribe", **position, flag=2) == (112, "unrecoverable position")
    assert await client.error("subscribe", **position, flag=3) == (112, "unrecoverable position")
    answer = (await client.ask("subscribe", **position, flag=1))["subscribe"]
    assert answer["was_recovering"] is True
    assert "recovered" not in answer
    assert "publications" not in answer
    assert answer["offset"] == 7
    await alice.say(thread, "live")
    assert (await client.push())["pub"]["offset"] == 8


@pytest.mark.parametrize(
    "position",
    [
        {"offset": -1}, {"offset": 2**63}, {"offset": "3"}, {"offset": 1.5}, {"offset": True}, {"offset": None},
        {"epoch": 5}, {"epoch": None}, {"epoch": ["a"]}, {"epoch": "", "offset": []},
    ],
)  # fmt: skip
async def test_positions_that_are_none(client: RawClient, thread: Any, position: dict[str, Any]) -> None:
    channel = f"thread:{thread['id']}"
    assert (await client.error("subscribe", channel=channel, recover=True, **position))[0] == 107
    assert (await client.error("history", channel=channel, limit=1, since=position))[0] == 107
    assert "subscribe" in await client.ask("subscribe", channel=channel)


@pytest.mark.parametrize("flag", ["2", [2], {"a": 1}, 2.0, True])
async def test_flags_that_are_none(client: RawClient, thread: Any, flag: Any) -> None:
    channel = f"thread:{thread['id']}"
    code, _ = await client.error("subscribe", channel=channel, recover=True, epoch="another", offset=1, flag=flag)
    assert code == 107


async def test_as_much_as_is_told(client: RawClient, alice: Client, thread: Any) -> None:
    """300 events are, one more is not."""
    await asyncio.gather(*(alice.say(thread, str(number)) for number in range(294)))
    channel = f"thread:{thread['id']}"
    answer = await client.subscribe(thread["id"], recover=True, epoch="", offset=1)
    assert offsets(answer["publications"]) == list(range(2, 302))
    await client.ask("unsubscribe", channel=channel)
    again = await client.subscribe(thread["id"], recover=True, epoch="", offset=0)
    assert "recovered" not in again
    assert "publications" not in again
    await client.ask("unsubscribe", channel=channel)
    assert (await client.error("subscribe", channel=channel, recover=True, epoch="", offset=0, flag=2))[0] == 112


async def test_few_events_that_are_large(client: RawClient, alice: Client, thread: Any) -> None:
    """A reply stays below what the SDKs take: never a part of what was missed, then."""
    for _ in range(10):
        await alice.say(thread, "x" * 60_000)
    answer = await client.subscribe(thread["id"], recover=True, epoch="", offset=7)
    assert "recovered" not in answer
    await client.ask("unsubscribe", channel=f"thread:{thread['id']}")
    answer = await client.subscribe(thread["id"], recover=True, epoch="", offset=10)
    assert offsets(answer["publications"]) == list(range(11, 18))


async def test_what_was_deleted_does_not_come_back(client: RawClient, alice: Client, thread: Any) -> None:
    secret = await alice.say(thread, "a secret")
    await alice.patch(f"/api/v1/messages/{secret['id']}", content="still a secret")
    await alice.delete(f"/api/v1/messages/{secret['id']}")
    await client.send(client.command("subscribe", channel=f"thread:{thread['id']}", recover=True))
    await client.send(client.command("history", channel=f"thread:{thread['id']}", limit=100))
    answers = [str(await client.next()), str(await client.next())]
    assert "secret" not in "".join(answers)
    assert "message.updated" in answers[0]


async def test_recovering_while_much_is_written(dial: Dial, alice: Client, thread: Any) -> None:
    """Twenty clients join at once, from the beginning, in the middle of a stream of writes: each has all, once."""
    clients = [await dial(alice) for _ in range(20)]
    writing = [asyncio.create_task(alice.say(thread, str(number))) for number in range(200)]

    async def follow(client: RawClient) -> list[int]:
        seen = offsets((await client.subscribe(thread["id"], recover=True))["publications"])
        while seen[-1] < 207:
            seen.append((await client.push())["pub"]["offset"])
        return seen

    for seen in await asyncio.gather(*map(follow, clients)):
        assert seen == list(range(1, 208))
    await asyncio.gather(*writing)


# History


async def pages(client: RawClient, thread: Any, limit: int, **more: Any) -> list[int]:
    """All offsets, page by page, as a client asks for them: each from the last one's."""
    seen: list[int] = []
    since = more.pop("since", None)
    while True:
        position = {"since": since} if since is not None else {}
        answer = (await client.ask("history", channel=f"thread:{thread['id']}", limit=limit, **position, **more))[
            "history"
        ]
        assert answer["offset"] == 7
        found = offsets(answer["publications"])
        assert len(found) <= limit
        if not found:
            return seen
        seen += found
        since = {"offset": found[-1], "epoch": answer["epoch"]}
        if more.get("reverse") and found[-1] == 1:
            return seen


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 100])
async def test_pages_of_history(client: RawClient, thread: Any, limit: int) -> None:
    assert await pages(client, thread, limit) == list(range(1, 8))
    assert await pages(client, thread, limit, reverse=True) == list(range(7, 0, -1))
    assert await pages(client, thread, limit, since={"offset": 4, "epoch": ""}) == [5, 6, 7]
    assert await pages(client, thread, limit, since={"offset": 4, "epoch": ""}, reverse=True) == [3, 2, 1]


async def test_history_without_a_limit_says_where_it_stands(client: RawClient, thread: Any) -> None:
    for more in ({}, {"limit": 0}):
        answer = (await client.ask("history", channel=f"thread:{thread['id']}", **more))["history"]
        assert answer["publications"] == []
        assert answer["offset"] == 7


@pytest.mark.parametrize("limit", [-1, 101, 2**62])
async def test_no_page_is_longer_than_the_limit(client: RawClient, alice: Client, thread: Any, limit: int) -> None:
    await asyncio.gather(*(alice.say(thread, str(number)) for number in range(100)))
    answer = (await client.ask("history", channel=f"thread:{thread['id']}", limit=limit))["history"]
    assert offsets(answer["publications"]) == list(range(1, limits.HISTORY_EVENTS + 1))
    assert answer["offset"] == 107


async def test_large_events_make_short_pages(client: RawClient, alice: Client) -> None:
    thread = await alice.thread()
    for _ in range(12):
        await alice.say(thread, "x" * 60_000)
    seen: list[int] = []
    while len(seen) < 13:
        since = {"offset": seen[-1], "epoch": ""} if seen else None
        answer = (await client.ask("history", channel=f"thread:{thread['id']}", limit=100, since=since))["history"]
        assert 0 < len(answer["publications"]) < 13
        seen += offsets(answer["publications"])
    assert seen == list(range(1, 14))


@pytest.mark.parametrize("limit", ["5", 1.5, None, True, []])
async def test_limits_that_are_none(client: RawClient, thread: Any, limit: Any) -> None:
    assert (await client.error("history", channel=f"thread:{thread['id']}", limit=limit))[0] == 107


async def test_history_of_another_epoch(client: RawClient, thread: Any) -> None:
    since = {"offset": 3, "epoch": "another"}
    assert await client.error("history", channel=f"thread:{thread['id']}", limit=5, since=since) == (
        112, "unrecoverable position",
    )  # fmt: skip
