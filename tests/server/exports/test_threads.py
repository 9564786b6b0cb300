"""A thread as a file, with what people wrote as text."""

from typing import Any

import orjson
import pytest

from tests.server.exports.reading import pages_of
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]


@pytest.fixture
async def thread(alice: Client, bob: Client) -> Any:
    thread = await alice.thread("Plans <b>", members=[{"user_id": (await bob.me())["id"]}])
    await alice.say(thread, "Hello *there*.")
    gone = await bob.say(thread, "A secret")
    await bob.delete(f"/api/v1/messages/{gone['id']}")
    await bob.say(thread, "<script>alert(1)</script> #panic() $x$", blocks=[
        {"type": "section", "text": {"type": "mrkdwn", "text": "A *block*."}}])  # fmt: skip
    return thread


async def test_each_format(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    url = f"/api/v1/threads/{thread['id']}/export"
    as_json = orjson.loads((await bob.get(url)).raw)
    assert (as_json["thread"]["title"], as_json["left_out"]) == ("Plans <b>", 0)
    assert [message["content"] for message in as_json["messages"]][:1] == ["Hello *there*."]
    markdown = (await bob.get(url, format="md")).raw.decode()
    assert markdown.startswith("# Plans \\<b\\>\n\nThread, 3 messages\n\n**Alice** · ")
    assert "Hello *there*.\n\n**Bob** · " in markdown
    assert "*This message was deleted.*" in markdown
    html = (await bob.get(url, format="html")).raw.decode()
    assert "<em>there</em>" in html
    assert "<script" not in html
    pdf = await bob.get(url, format="pdf")
    (page,) = pages_of(pdf.raw)
    for said in ("Plans <b>", "Alice", "Hello there.", "#panic() $x$", "A block.", "1 / 1"):
        assert said in page
    for shown in (markdown, html, page, orjson.dumps(as_json).decode()):
        assert "A secret" not in shown
    assert (await server.client("eve").get(url)).status == 404
    assert (await bob.get(url, format="csv")).error["errors"].keys() == {"format"}


async def test_older_messages_are_left_out_and_counted(
    alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.THREAD_EXPORT_MESSAGES", 2)
    answer = await alice.get(f"/api/v1/threads/{thread['id']}/export", format="md")
    assert answer.headers["X-Left-Out"] == "1"
    assert b"the newest 2 messages; 1 older ones are left out" in answer.raw
    assert b"Hello" not in answer.raw
    monkeypatch.setattr("actors.limits.EXPORT_THREAD_BYTES", 10)
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/export", format="md")).status == 413


async def test_a_thread_of_several_pages_of_messages(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.PAGE_MAX", 3)
    thread = await alice.thread()
    for number in range(7):
        await alice.say(thread, f"Message {number}.")
    body = (await alice.get(f"/api/v1/threads/{thread['id']}/export", format="md")).raw.decode()
    assert [line for line in body.splitlines() if line.startswith("Message")] == [f"Message {n}." for n in range(7)]
