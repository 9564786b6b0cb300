"""Two clients of npm `yjs` with `y-websocket` and one of `pycrdt` edit one report at once: offline and back, and with
the server killed in between."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.end_to_end.yjs_clients import PATIENCE, NodeClients, node_clients
from tests.serving import Client, ServerProcess
from tests.yjs_client import YjsClient

REPORT = {
    "sections": [
        {"type": "markdown", "id": "intro", "text": "Añ 😀\n"},
        {"type": "table", "columns": ["n"], "rows": [[1], [2.5]]},
    ]
}


async def test_they_converge_and_lose_nothing(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    server = ServerProcess(tmp_path / "data", DOCUMENT_VERSION_SECONDS="0.5")
    await server.start()
    alice, bob = Client(session, server.url, "alice"), Client(session, server.url, "bob")
    carol = Client(session, server.url, "carol")
    members = [{"user_id": (await other.me())["id"]} for other in (bob, carol)]
    thread = await alice.thread(members=members)
    made = await alice.post(f"/api/v1/threads/{thread['id']}/artifacts", type="REPORT", title="R", content=REPORT)
    path = f"/api/v1/artifacts/{made.data['id']}"
    url = server.url.replace("http", "ws") + path
    python = YjsClient()
    async with node_clients() as clients:
        await clients.call("a", "open", url=url, token=alice.token)
        await clients.call("b", "open", url=url, token=bob.token)
        for name in ("a", "b"):
            await clients.call(name, "synced")
            assert await clients.call(name, "content") == REPORT
        await clients.call("a", "show", state={"user": {"name": "Alice"}, "at": 2})
        await clients.call("b", "sees", state={"user": {"name": "Alice"}, "at": 2})

        async with python.connected(session, server.url + path, carol.token):
            await asyncio.gather(
                clients.call("a", "insert", section=0, at=0, text="<a1>"),
                clients.call("b", "insert", section=0, at=-1, text="<b1>"),
                clients.call("b", "add", section=2, id="end", text="<b2>"),
                python.edit(lambda client: client.body["sections"][0]["text"].insert(0, "<c1>")),
            )
            await _all_have(clients, python, "<a1>", "<b1>", "<b2>", "<c1>")
            await clients.call("b", "disconnect")
            await clients.call("b", "insert", section=0, at=-1, text="<b3 offline>")
            await clients.call("a", "insert", section=0, at=0, text="<a2>")
            await python.until(lambda: "<a2>" in str(python.body))
        await python.edit(lambda client: client.body["sections"][0]["text"].insert(0, "<c2 offline>"))

        server.kill()
        await server.ended()
        await clients.call("a", "insert", section=0, at=-1, text="<a3 without a server>")
        await server.start()
        await clients.call("b", "connect")
        async with python.connected(session, server.url + path, carol.token):
            await _all_have(clients, python, "<a1>", "<a2>", "<a3 without a server>", "<b3 offline>", "<c2 offline>")
            contents = [await clients.call(name, "content") for name in ("a", "b")]
            assert contents[0] == contents[1] == python.body.to_py()
        for name in ("a", "b"):
            await clients.call(name, "close")
    async with asyncio.timeout(PATIENCE):
        while (await alice.get(path)).data["content"] != contents[0]:  # noqa: ASYNC110 - asked by HTTP
            await asyncio.sleep(0.05)
    read = (await alice.get(path)).data["content"]
    assert read["sections"][1] == REPORT["sections"][1], "numbers are as they were"
    assert await server.stop() == 0


async def _all_have(clients: NodeClients, python: YjsClient, *texts: str) -> None:
    for text in texts:
        for name in ("a", "b"):
            await clients.call(name, "has", text=text)
        await python.until(lambda text=text: text in _text(python))


def _text(python: YjsClient) -> Any:
    return json.dumps(python.body.to_py())
