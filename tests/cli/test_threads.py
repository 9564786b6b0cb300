"""`xp thread`."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import orjson
import pytest

from actors.auth.identity import Origin
from actors.resources.audit import NoteForAudit
from actors.resources.members import AddMember, MarkRead, RemoveMember
from actors.resources.message_streams import FinishMessage
from actors.resources.messages import DeleteMessage
from actors.resources.reactions import React
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from actors.resources.users import SYSTEM_SUBJECT
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal
from tests.serving import ServerProcess


@pytest.fixture
def thread(ledger: Ledger) -> Thread:
    return ledger.thread(ledger.user("ana"), (ledger.user("bo"), "MEMBER"), title="Plans")


def member_of(ledger: Ledger, name: str) -> object:
    return ledger.one(
        "SELECT m.role FROM member m JOIN user u ON u.id = m.user_id WHERE u.name = ?", name
    )  # fmt: skip


def test_an_event_of_a_newer_release_is_printed_without_its_data(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ledger.sql("UPDATE event SET type = 'message.blessed' WHERE \"offset\" = 1")
    assert xp("thread", "tail", thread.id).out.splitlines()[0].endswith("  message.blessed   ana")


# list


def test_threads_the_last_active_first(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    other = ledger.thread(ledger.user("cy"), title="Other")
    ledger.post(ledger.user("ana"), thread, "hello")
    found = xp("thread", "list", "--json").json
    assert [t["id"] for t in found] == [thread.id, other.id]
    assert found[0]["last_message"]["content"] == "hello"
    rows = xp("thread", "list").out.splitlines()[3:-1]
    assert thread.id in rows[0]
    assert "Plans" in rows[0]
    assert "Other" in rows[1]


def test_as_many_as_wanted(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 2)
    ana = ledger.user("ana")
    ids = [ledger.thread(ana).id for _ in range(5)][::-1]
    some = xp("thread", "list", "--limit", "3", "--json")
    assert [t["id"] for t in some.json] == ids[:3]
    assert some.err == "Only 3 are shown; --limit 0 lists all.\n"
    for limit in ("0", "5", "9"):
        every = xp("thread", "list", "--limit", limit, "--json")
        assert ([t["id"] for t in every.json], every.err) == (ids, "")


def test_titles_cannot_write_to_the_terminal(xp: Xp, ledger: Ledger) -> None:
    ledger.thread(ledger.user("ana"), title="a\x1b[2J\r\nb [bold]c[/bold] \u202etxt.\u2066")
    shown = xp("thread", "list").out
    assert "a\ufffd[2J b [bold]c[/bold] txt." in shown


# tail


def test_the_log_as_text(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, thread, "first\nsecond \x1b[31m")
    ledger.do(React(identity=ana, thread_id=thread.id, message_id=message.id, emoji="🎉"))
    ledger.do(MarkRead(identity=ledger.user("bo"), thread_id=thread.id))
    gone = ledger.post(ana, thread, "secret")
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=gone.id))
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=ledger.user("bo").user.id))
    lines = xp("thread", "tail", thread.id).out.splitlines()
    said = [line[34:] for line in lines]
    assert [line.split()[0] for line in lines] == [str(n) for n in range(1, 9)]
    assert said == [
        "thread.created    ana: Plans",
        "member.added      ana: bo ",
        "message.created   ana: first second \ufffd[31m",
        f"reaction.added    ana: 🎉 (1) on {message.id}",
        "read.updated      bo: up to 3",
        "message.created   ana: (deleted)",
        "message.deleted   ana: (deleted)",
        "member.removed    ana: bo ",
    ]


def test_the_author_and_the_status_stand_in_the_log(xp: Xp, ledger: Ledger) -> None:
    """A message that another person stopped: its author is not who acted."""
    ana, bot = ledger.user("ana"), ledger.user("bot", kind="ASSISTANT")
    thread = ledger.thread(ana, bot)
    message = ledger.post(bot, thread, "The plan is", status="STREAMING")
    ledger.do(FinishMessage(identity=ana, thread_id=thread.id, message_id=message.id, status="INTERRUPTED"))
    line = xp("thread", "tail", thread.id).out.splitlines()[-1]
    assert line.endswith("message.completed  ana on bot's [INTERRUPTED]: The plan is"), line


def test_the_log_as_the_server_sends_it(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ledger.post(ledger.user("ana"), thread, "hello")
    events = xp("thread", "tail", thread.id, "--after", "1", "--json").lines
    assert [(event["type"], event["offset"]) for event in events] == [("member.added", 2), ("message.created", 3)]
    assert events[1]["data"]["content"] == "hello"


def test_the_newest_unless_told_otherwise(
    xp: Xp, ledger: Ledger, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 4)
    for n in range(20):
        ledger.post(ledger.user("ana"), thread, f"{n}")
    assert [e["offset"] for e in xp("thread", "tail", thread.id, "--json").lines] == list(range(13, 23))
    assert [e["offset"] for e in xp("thread", "tail", thread.id, "--after", "0", "--json").lines] == list(range(1, 23))
    assert xp("thread", "tail", thread.id, "--after", "22").out == ""
    assert xp("thread", "tail", thread.id, "--after", "999").out == ""


def test_threads_that_are_not_there(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ledger.do(DeleteThread(identity=ledger.user("ana"), thread_id=thread.id))
    for name in (thread.id, "nothing"):
        for words in (["tail", name], ["tail", name, "--follow"], ["export", name], ["post", name, "hello"]):
            assert xp("thread", *words).sentence == f"There is no thread '{name}'."


async def test_following_shows_what_others_write(
    xp: Xp, ledger: Ledger, thread: Thread, command_line: list[str]
) -> None:
    follow = await asyncio.create_subprocess_exec(
        *command_line, "thread", "tail", thread.id, "--follow", "--json", "--after", "2",
        env={**os.environ, "DATA_DIR": str(xp.folder)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert follow.stdout is not None
    ana = ledger.user("ana")
    for n in range(3):
        ledger.post(ana, thread, f"{n}")
        ledger.post(ana, ledger.thread(ana), "elsewhere")
        async with asyncio.timeout(20):
            event = orjson.loads(await follow.stdout.readline())
        assert (event["offset"], event["data"]["content"]) == (3 + n, f"{n}")
    follow.send_signal(signal.SIGINT)
    assert await follow.wait() == 130


# post


def test_the_system_user_writes_and_becomes_a_member(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    first = xp("thread", "post", thread.id, "hello", "--json").json
    assert (first["author"]["name"], first["author"]["kind"], first["type"]) == ("System", "SERVICE", "USER")
    assert member_of(ledger, "System") == "MEMBER"
    second = xp("thread", "post", thread.id, "-", "--type", "SYSTEM", stdin="from a pipe")
    assert second.code == 0
    assert "at offset 5." in second.out
    events = xp("thread", "tail", thread.id, "--after", "2", "--json").lines
    assert [event["type"] for event in events] == ["member.added", "message.created", "message.created"]
    assert (events[2]["data"]["content"], events[2]["data"]["type"]) == ("from a pipe", "SYSTEM")


@pytest.mark.parametrize("named", ["id", "email"])
def test_in_the_name_of_a_member(named: str, xp: Xp, ledger: Ledger, thread: Thread) -> None:
    bo = ledger.user("bo").user
    message = xp("thread", "post", thread.id, "hello", "--as", getattr(bo, named), "--json").json
    assert message["author"]["id"] == bo.id
    assert member_of(ledger, "System") is None
    assert audited(ledger) == [by_terminal("create_message", message["id"])]


def test_assistants_write_as_such(xp: Xp, ledger: Ledger) -> None:
    bot = ledger.user("bot", kind="ASSISTANT")
    thread = ledger.thread(bot)
    assert xp("thread", "post", thread.id, "hello", "--as", bot.user.id, "--json").json["type"] == "ASSISTANT"


def test_who_may_not_write(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ana, cy = ledger.user("ana"), ledger.user("cy")
    said = xp("thread", "post", thread.id, "hello", "--as", "cy@example.com").sentence
    assert said == f"cy is not a member of thread {thread.id}; without --as the author is System."
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=cy.user.id, role="VIEWER"))
    assert "VIEWER" in xp("thread", "post", thread.id, "hello", "--as", "cy@example.com").sentence
    ledger.sql("UPDATE user SET status = 'DEACTIVATED' WHERE name = 'cy'")
    assert "deactivated" in xp("thread", "post", thread.id, "hello", "--as", "cy@example.com").sentence
    assert "no user 'nobody'" in xp("thread", "post", thread.id, "hello", "--as", "nobody").sentence


def test_a_closed_thread_takes_nothing_and_gets_no_member(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ledger.do(UpdateThread(identity=ledger.user("ana"), thread_id=thread.id, status="CLOSED"))
    assert "CLOSED" in xp("thread", "post", thread.id, "hello").sentence
    assert ledger.one("SELECT message_count FROM thread") == 0
    assert member_of(ledger, "System") is None


def test_two_first_messages_of_the_system_user_at_once(
    xp: Xp, ledger: Ledger, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is a moment late finds the member there, and its message is written all the same."""
    xp("thread", "post", thread.id, "one")
    stale = ledger.state(thread)
    assert stale is not None
    stale.roles.clear()
    monkeypatch.setattr("storage.resources.threads.reading.state", lambda *_: stale)
    assert xp("thread", "post", thread.id, "two").code == 0
    assert ledger.one("SELECT message_count FROM thread") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a message needs `content`, `blocks` or `files`."),
        ("x" * 70_000, "content: may be at most 65536 bytes of UTF-8, this has 70000."),
        ("é" * 40_000, "content: may be at most 65536 bytes of UTF-8, this has 80000."),
        ("a\x00b", "content: may not contain NUL characters."),
    ],
)
def test_the_limits_are_the_servers(text: str, said: str, xp: Xp, ledger: Ledger, thread: Thread) -> None:
    assert xp("thread", "post", thread.id, "-", stdin=text).sentence == said
    assert ledger.one("SELECT count(*) FROM user WHERE subject = ?", SYSTEM_SUBJECT) == 0


async def test_subscribers_of_a_running_server_see_it(tmp_path: Path, command_line: list[str]) -> None:
    import aiohttp

    server = ServerProcess(tmp_path / "data")
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            from tests.serving import Client

            ana = Client(session, server.url, "ana")
            thread = await ana.thread("Plans")
            headers = {"Authorization": f"Bearer {ana.token}"}
            async with session.get(f"{server.url}/api/v1/threads/{thread['id']}/events", headers=headers) as stream:
                assert stream.status == 200
                process = await asyncio.create_subprocess_exec(
                    *command_line, "thread", "post", thread["id"], "from the terminal",
                    env={**os.environ, **server.settings}, stdout=subprocess.PIPE,
                )  # fmt: skip
                assert await process.wait() == 0
                async with asyncio.timeout(30):
                    while b"from the terminal" not in await stream.content.readline():
                        pass
    finally:
        assert await server.stop() == 0


# export


def test_all_that_a_thread_holds(xp: Xp, ledger: Ledger, thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 2)
    ana = ledger.user("ana")
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=ledger.user("cy").user.id))
    messages = [ledger.post(ana, thread, f"{n}") for n in range(5)]
    ledger.post(ana, ledger.thread(ana), "elsewhere")
    lines = xp("thread", "export", thread.id).lines
    assert [line["kind"] for line in lines] == ["thread"] + ["member"] * 3 + ["message"] * 5 + ["event"] * 8
    assert lines[0]["data"]["title"] == "Plans"
    assert [line["data"]["user"]["name"] for line in lines[1:4]] == ["ana", "bo", "cy"]
    assert [line["data"]["id"] for line in lines[4:9]] == [message.id for message in messages]
    assert [line["data"]["offset"] for line in lines[9:]] == list(range(1, 9))


def test_into_a_file(xp: Xp, thread: Thread, tmp_path: Path) -> None:
    file = tmp_path / "thread.jsonl"
    assert (xp("thread", "export", thread.id, "-o", file).out, file.read_text()) == (
        "", xp("thread", "export", thread.id).out,
    )  # fmt: skip
    assert xp("thread", "export", thread.id, "-o", file).sentence == (
        f"{file}: the file exists; choose another name, or use --force."
    )
    assert xp("thread", "export", thread.id, "-o", file, "--force").code == 0
    assert "folder" in xp("thread", "export", thread.id, "-o", tmp_path).sentence
    assert xp("thread", "export", "nothing", "-o", tmp_path / "new").code == 1
    assert "No such file" in xp("thread", "export", thread.id, "-o", tmp_path / "no" / "new").sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "thread.jsonl"]


@pytest.mark.parametrize("words", [("thread", "export"), ("audit", "export", "-")], ids=["thread", "audit"])
def test_a_reader_that_waits_holds_up_no_checkpoint(
    xp: Xp, ledger: Ledger, words: tuple[str, ...], command_line: list[str]
) -> None:
    """The write-ahead log of a server beside it would grow for as long."""
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    for _ in range(20):  # more than a pipe holds
        ledger.post(ana, thread, "x" * 10_000)
        ledger.do(NoteForAudit(action="a", origin=Origin("", "", ""), actor_id=None, reason="x" * 10_000))
    asked = [*command_line, *words, *((thread.id,) if words[0] == "thread" else ())]
    environment = {**os.environ, **{name: value or "" for name, value in xp.environment.items()}}
    with subprocess.Popen(asked, env=environment, stdout=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stdout.read(1) == b"{"
        ledger.post(ana, thread, "written meanwhile")
        with contextlib.closing(sqlite3.connect(xp.database, timeout=1)) as database:
            assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "nobody reads an old state"
        assert export.stdout.read().count(b"x" * 10_000) >= 20, "all of it comes"
