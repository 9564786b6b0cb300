"""An agent waits for a person's yes, over restarts of the server and of its own."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp

from examples import approval
from tests.realtime_client import PATIENCE
from tests.serving import Client, ServerProcess

ROOT = Path(__file__).resolve().parents[2]
Agent = asyncio.subprocess.Process


async def start(url: str, thread_id: str, key: str) -> Agent:
    arguments = ("-m", "examples.approval", url, thread_id, key)
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=subprocess.PIPE)


async def line(agent: Agent) -> str:
    assert agent.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await agent.stdout.readline()).decode().strip()


async def stop(agent: Agent) -> None:
    if agent.returncode is None:
        agent.kill()
    await agent.wait()


class Place:
    """A thread of Alice and Bob with the agent, on a server of its own."""

    def __init__(
        self, process: ServerProcess, session: aiohttp.ClientSession, alice: Client, bob: Client, thread_id: str,
        key: str,
    ) -> None:  # fmt: skip
        self.session = session
        self.process, self.alice, self.bob, self.thread_id, self.key = process, alice, bob, thread_id, key

    async def messages(self) -> Any:
        return (await self.alice.get(f"/api/v1/threads/{self.thread_id}/messages")).data

    async def answer(self, who: Client, message: Any, choice: str) -> int:
        state = {"decision": {"choice": choice}}
        return (await who.post(f"/api/v1/messages/{message['id']}/actions", block_id="deploy-42", state=state)).status

    async def ask_on_artifact(self) -> str:
        """The agent puts an approval into a report. Answers its path."""
        content = {"sections": [], "blocks": [approval.form()]}
        body = {"type": "REPORT", "title": "Plan", "content": content}
        return f"/artifacts/{(await self.as_agent('POST', f'/threads/{self.thread_id}/artifacts', **body))['id']}"

    async def as_agent(self, method: str, path: str, **body: Any) -> Any:
        url, headers = f"{self.process.url}/api/v1{path}", {"Authorization": f"Bearer {self.key}"}
        async with self.session.request(
            method, url, headers=headers, json=body if method == "POST" else None
        ) as answer:
            return (await answer.json())["data"]

    async def restart(self) -> None:
        self.process.kill()
        await self.process.ended()
        await self.process.start()


async def place_of(process: ServerProcess, session: aiohttp.ClientSession) -> Place:
    alice, bob = Client(session, process.url, "alice", role="ADMIN"), Client(session, process.url, "bob")
    bot = (await alice.post("/api/v1/users", email="bot@rpotential.ai", name="Bot", kind="ASSISTANT")).data
    key = (await alice.post("/api/v1/auth/api-keys", name="demo", user_id=bot["id"])).data["key"]
    people = [{"user_id": bot["id"]}, {"user_id": (await bob.me())["id"]}]
    return Place(process, session, alice, bob, (await alice.thread(members=people))["id"], key)


async def goes_on(place: Place, plan: str) -> None:
    """What was answered on the artifact before the server was killed waits for the agent; all see what it answers."""
    waiting = await place.as_agent("GET", "/actions?status=pending")
    (found,) = [action for action in waiting if action["artifact_id"]]
    assert (found["state"], found["block"]["title"]) == ({"decision": {"choice": "yes"}}, approval.form()["title"])
    await place.as_agent("POST", f"/actions/{found['id']}/answer", text="It is planned.")
    (seen,) = (await place.alice.get(f"/api/v1{plan}/actions")).data
    assert (seen["status"], seen["user"]["name"]) == ("done", "Bob")
    mine = (await place.bob.get(f"/api/v1/actions/{found['id']}")).data
    assert mine["text"] == "It is planned."


async def test_the_agent_goes_on_after_restarts(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "data")
    await process.start()
    async with aiohttp.ClientSession() as session:
        place = await place_of(process, session)
        agent = await start(process.url, place.thread_id, place.key)
        try:
            assert await line(agent) == "agent: asked"
            await stop(agent)
            await place.restart()
            (asked,) = await place.messages()
            assert await place.answer(place.bob, asked, "yes") == 201, "while the agent is down"
            assert await place.answer(place.alice, asked, "no") == 409, "one answer counts"
            plan = await place.ask_on_artifact()
            decided = {"block_id": "deploy-42", "state": {"decision": {"choice": "yes"}}}
            assert (await place.bob.post(f"/api/v1{plan}/actions", **decided)).status == 201
            await place.restart()
            assert (await place.alice.post(f"/api/v1{plan}/actions", **decided)).error["code"] == "already_answered"
            await goes_on(place, plan)
            agent = await start(process.url, place.thread_id, place.key)
            told = [await line(agent) for _ in range(3)]
            assert told == ["agent: still waiting", "agent: Approved by Bob.", "agent: done"]
            deployed, approved = await place.messages()
            assert deployed["content"] == "Deployed version 42."
            assert (approved["content"], approved["blocks"]) == ("Approved by Bob.", None)
            _, action = (await place.bob.get("/api/v1/actions", role="user")).data
            assert (action["status"], action["text"]) == ("done", "Thank you.")
        finally:
            await stop(agent)
            await process.stop()


async def test_the_agent_that_listens_hears_of_it_at_once(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "data")
    await process.start()
    async with aiohttp.ClientSession() as session:
        place = await place_of(process, session)
        agent = await start(process.url, place.thread_id, place.key)
        try:
            assert await line(agent) == "agent: asked"
            (asked,) = await place.messages()
            assert await place.answer(place.bob, asked, "no") == 201
            assert [await line(agent) for _ in range(2)] == ["agent: Rejected by Bob.", "agent: done"]
            assert len(await place.messages()) == 1, "nothing was deployed"
        finally:
            await stop(agent)
            await process.stop()
