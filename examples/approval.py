"""An agent that asks before it acts: it posts a form, a person answers days later, and the agent goes on.

    python -m examples.approval http://127.0.0.1:8787 THREAD_ID API_KEY

The agent keeps nothing: what it waits for stands in the metadata of its message, and an answer that came while the
agent or the server was down waits in the list of pending actions. It may be stopped and started again at any time.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import centrifuge

TASK = "deploy-42"
DAYS = 3
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def choice(text: str, value: str) -> Json:
    return {"text": plain(text), "value": value}


def form() -> Json:
    """With `expires_at` it is an approval: one answer counts."""
    decision = {
        "type": "radio_buttons",
        "action_id": "choice",
        "options": [choice("Deploy", "yes"), choice("Do not", "no")],
    }
    reason = {"type": "plain_text_input", "action_id": "text", "max_length": 200}
    return {
        "type": "form",
        "block_id": TASK,
        "title": "May I deploy version 42?",
        "submit": "Answer",
        "expires_at": (datetime.now(UTC) + timedelta(days=DAYS)).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "blocks": [
            {"type": "input", "block_id": "decision", "label": plain("Your decision"), "element": decision},
            {"type": "input", "block_id": "reason", "label": plain("Why"), "optional": True, "element": reason},
        ],
    }


class Api:
    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._headers = session, f"{url}/api/v1", {"Authorization": f"Bearer {key}"}

    async def get(self, path: str, **query: str) -> Any:
        return await self._call("GET", path, {}, params=query)

    async def post(self, path: str, once: str, **body: Any) -> Any:
        """`once`: sent again under the same key, it is done no second time."""
        return await self._call("POST", path, {"Idempotency-Key": once}, json=body)

    async def _call(self, method: str, path: str, more: dict[str, str], **options: Any) -> Any:
        headers = {**self._headers, **more}
        async with self._session.request(method, self._url + path, headers=headers, **options) as response:
            answer = await response.json()
            if response.status == 409:  # it was answered by an agent before this one, which was stopped too early
                return None
            response.raise_for_status()
            return answer["data"]


class Agent(centrifuge.ClientEventHandler):
    def __init__(self, api: Api, thread_id: str) -> None:
        self._api = api
        self._thread_id = thread_id
        self.done = asyncio.Event()
        self._one = asyncio.Lock()
        self._answered: set[str] = set()

    async def ask(self) -> None:
        """Unless that was done before."""
        asked = await self._api.get(f"/threads/{self._thread_id}/messages", limit="100")
        if any(message["metadata"].get("task") == TASK for message in asked):
            print("agent: still waiting", flush=True)
            return
        await self._api.post(
            f"/threads/{self._thread_id}/messages", f"ask-{TASK}", content="May I deploy version 42?", blocks=[form()],
            metadata={"task": TASK},
        )  # fmt: skip
        print("agent: asked", flush=True)

    async def on_connected(self, ctx: centrifuge.ConnectedContext) -> None:
        """At the start, and after each time that the connection was lost: what came meanwhile is waiting."""
        for action in await self._api.get("/actions", status="pending", role="author"):
            await self.take(action)

    async def on_publication(self, ctx: centrifuge.ServerPublicationContext) -> None:
        """Of the agent's own channel, which comes with the connection."""
        event: Any = ctx.pub.data
        if event["type"] == "action.created":
            await self.take(event["data"])

    async def take(self, action: Json) -> None:
        """It may come twice: as it happens, and among those that are pending."""
        async with self._one:
            if action["id"] not in self._answered:
                await self._answer(action)
                self._answered.add(action["id"])

    async def _answer(self, action: Json) -> None:
        if (action["message_metadata"] or {}).get("task") != TASK or action["author"]["id"] == action["user"]["id"]:
            return
        decision, who = action["state"]["decision"]["choice"], action["user"]["name"]
        verdict = f"Approved by {who}." if decision == "yes" else f"Rejected by {who}."
        print(f"agent: {verdict}", flush=True)
        if decision == "yes":
            await self.deploy()
        await self._api.post(
            f"/actions/{action['id']}/answer", f"answer-{action['id']}", text="Thank you.",
            message={"content": verdict, "blocks": None},
        )  # fmt: skip
        self.done.set()

    async def deploy(self) -> None:
        """What it asked for. Work that must not be done twice keeps its own account of it, here by the key."""
        await self._api.post(f"/threads/{self._thread_id}/messages", f"deployed-{TASK}", content="Deployed version 42.")


async def main(url: str, thread_id: str, key: str) -> None:
    websocket = url.replace("http", "ws", 1) + "/connection/websocket"
    async with aiohttp.ClientSession() as session:
        agent = Agent(Api(session, url, key), thread_id)
        await agent.ask()
        client = centrifuge.Client(websocket, token=key, events=agent)
        await client.connect()
        await agent.done.wait()
        await client.disconnect()
    print("agent: done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
