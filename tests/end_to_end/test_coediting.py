"""Clients of npm `yjs` with `y-websocket` and one of `pycrdt` edit one report at once: offline and back, with the
server killed in between, and while an agent streams text into it."""

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


async def test_an_agent_streams_into_what_they_edit(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    pieces = [f"piece {number} 🤖. " for number in range(20)]
    server = ServerProcess(tmp_path / "data", DOCUMENT_VERSION_SECONDS="0.5")
    await server.start()
    alice, agent = Client(session, server.url, "alice"), Client(session, server.url, "agent")
    thread = await alice.thread(members=[{"user_id": (await agent.me())["id"]}])
    made = await alice.post(f"/api/v1/threads/{thread['id']}/artifacts", type="REPORT", title="R", content=REPORT)
    path = f"/api/v1/artifacts/{made.data['id']}"
    async with node_clients() as clients:
        for name in ("a", "b"):
            await clients.call(name, "open", url=server.url.replace("http", "ws") + path, token=alice.token)
            await clients.call(name, "synced")
        begun = await agent.post(f"{path}/streams", pointer="/sections/0/text")
        stream = f"{path}/streams/{begun.data['id']}"
        for number, piece in enumerate(pieces):
            assert (await agent.post(f"{stream}/append", text=piece)).status == 200
            await clients.call("ab"[number % 2], "insert", section=0, at=0, text=f"<{number}>")
            if number == 10:
                await clients.call("b", "disconnect")
        assert (await agent.post(f"{stream}/complete")).status == 200
        await clients.call("b", "connect")
        wanted = ["".join(pieces), *(f"<{number}>" for number in range(len(pieces)))]
        for name in ("a", "b"):
            for text in wanted:
                await clients.call(name, "has", text=text)
        contents = [await clients.call(name, "content") for name in ("a", "b")]
        assert contents[0] == contents[1]
        whole = contents[0]["sections"][0]["text"]
        assert len(whole) == len("Añ 😀\n") + sum(map(len, wanted)), "nothing is lost or doubled"
        for name in ("a", "b"):
            await clients.call(name, "close")
    async with asyncio.timeout(PATIENCE):
        while (await alice.get(path)).data["content"] != contents[0]:  # noqa: ASYNC110 - asked by HTTP
            await asyncio.sleep(0.05)
    assert await server.stop() == 0


async def _all_have(clients: NodeClients, python: YjsClient, *texts: str) -> None:
    for text in texts:
        for name in ("a", "b"):
            await clients.call(name, "has", text=text)
        await python.until(lambda text=text: text in _text(python))


def _text(python: YjsClient) -> Any:
    return json.dumps(python.body.to_py())
