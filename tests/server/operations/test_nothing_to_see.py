"""What nobody can see is no name, no title, no message; and a line for people has no character that hides in it."""

from typing import Any

import orjson

from tests.server.realtime.conftest import Dial, dial
from tests.serving import Client, Server

__all__ = ["dial"]

BLANK = [
    " ", "\t\n", "\u200b", "\u200b\u200b", "\u3164", "\uffa0", "\u115f", "\u2800", "\u3000", "\u00ad", "\ufeff",
    "\u2060", "\u200d", "\u200c",
    "\ufe0f", "\u034f", "\u200e\u200f", "\u202e", "\u2066\u2069", "\x07", "\x1b", "\x85", "\u2028",
    "\u180e", "\u17b4", "\U000e0041\U000e0042", "\U000e0100", " \u200b\u3164\t", "\u00a0", "\U0001d173", "\ufff9\ufffb",
]  # fmt: skip
HIDDEN = [
    "Bo\x07b", "Bo\x1b[31mb", "Bo\nb", "Bo\r\nb", "Bo\tb", "Bo\x7fb", "Bo\x85b", "Bo\u2028b", "Bo\u200bb", "Bo\u202eb",
    "\u202eBob", "Bob\u202c", "Bo\u2066b\u2069", "Bo\u2060b", "Bo\ufeffb", "Bob\u200b", "\u200bBob", "Bo\u00adb",
    "Bo\u200eb", "Bob\u200f", "Bo\u061cb", "Bo\u3164b", "Bo\U000e0042b", "Bo\ufffeb", "Bo\u206ab", "Bo\x00b",
]  # fmt: skip
SEEN = [
    "Bob", "O’Brien", "प्रिया", "می\u200cترسم", "👩\u200d💻 Ana", "❤️",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "e\u0301", "田中 太郎", "葛\U000e0100城", "김철수", "สมชาย", "שלום", "مرحبا", "…", "-", "0", "\u00a0Bob\u3000",
]  # fmt: skip


async def lines(client: Client) -> list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]]:
    """(operation, method, path, parameters in the path, in the body, the field) of every line for people."""
    thread = {"id": (await client.thread())["id"]}
    me = {"id": (await client.me())["id"]}
    return [
        ("create_thread", "POST", "/threads", {}, {}, "title"),
        ("update_thread", "PATCH", f"/threads/{thread['id']}", thread, {}, "title"),
        ("hand_over", "POST", f"/threads/{thread['id']}/control", thread, {"control": "human"}, "reason"),
        ("update_me", "PATCH", "/users/me", {}, {}, "name"),
        ("update_user", "PATCH", f"/users/{me['id']}", me, {}, "name"),
        ("create_user", "POST", "/users", {}, {"email": "x@rpotential.ai"}, "name"),
        ("create_api_key", "POST", "/auth/api-keys", {}, {}, "name"),
    ]


async def test_a_line_that_cannot_be_seen_is_refused(root: Client, dial: Dial) -> None:
    socket = await dial(root)
    for operation, method, path, in_path, body, field in await lines(root):
        for text in BLANK + HIDDEN:
            if field == "reason" and not text.strip():
                continue  # none at all is fine
            answer = await root.request(method, f"/api/v1{path}", json={**body, field: text})
            assert (answer.status, answer.error["errors"].keys()) == (400, {field}), (operation, ascii(text))
            _, problem = await socket.error("rpc", method=operation, data={**in_path, **body, field: text})
            assert orjson.loads(problem)["errors"].keys() == {field}, (operation, ascii(text))


async def test_what_people_are_called_is_taken(root: Client) -> None:
    for text in SEEN:
        assert (await root.patch("/api/v1/users/me", name=text)).data["name"] == text.strip()
        assert (await root.thread(text))["title"] == text.strip()


async def test_what_a_token_calls_somebody_is_made_a_name(server: Server) -> None:
    for number, text in enumerate(BLANK + HIDDEN[:-1]):  # the last one has a NUL, and is no token
        name = (await server.client(f"p{number}", name=text).me())["name"]
        assert name in ("Bob", "Bo b", "Bo [31mb", "Bo[31mb") if text in HIDDEN else name == f"p{number}", ascii(text)


async def test_a_message_says_something(alice: Client, dial: Dial) -> None:
    thread = await alice.thread()
    said = await alice.say(thread)
    path = f"/api/v1/threads/{thread['id']}/messages"
    socket = await dial(alice)
    writing = (await alice.post(path, status="STREAMING")).data
    for text in BLANK:
        rpc = {"thread_id": thread["id"], "content": text}
        answers = [
            (await alice.post(path, content=text)).status,
            (await alice.post(path, content=text, blocks=[])).status,
            (await alice.patch(f"/api/v1/messages/{said['id']}", content=text)).status,
            (await alice.post(f"/api/v1/messages/{writing['id']}/complete", content=text)).status,
            orjson.loads((await socket.error("rpc", method="create_message", data=rpc))[1])["status"],
        ]
        assert answers == [400] * 5, ascii(text)
        assert (await alice.post(path, content=text, blocks=[{"type": "divider"}])).status == 201


async def test_a_streamed_answer_of_nothing_to_see_has_failed(alice: Client) -> None:
    thread = await alice.thread()
    body = '{"text":" "}\n{"text":"\\u200b\\n"}\n'
    answer = await alice.request(
        "POST", f"/api/v1/threads/{thread['id']}/messages:stream", data=body,
        headers={"Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert answer.status == 201
    (message,) = (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data
    assert message["status"] == "FAILED"
