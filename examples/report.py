"""An agent that writes a report before its readers' eyes, lets people edit it and comment on it, and exports it as PDF.

    python -m examples.report http://127.0.0.1:8787 THREAD_ID API_KEY report.pdf

Readers see each section as it is added, every step being a patch and a version of its own; the summary grows word by
word, as a model writes it. The agent answers comments, waits for a change by anybody else, then asks for the export as
a job and fetches its file.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import aiohttp
import centrifuge

Json = dict[str, Any]
SALES = [{"month": "Jan", "sum": 30}, {"month": "Feb", "sum": 72}, {"month": "Mar", "sum": 55}]
BARS: Json = {
    "mark": "bar",
    "data": {"values": SALES},
    "encoding": {
        "x": {"field": "month", "type": "ordinal", "sort": None},
        "y": {"field": "sum", "type": "quantitative"},
    },
}
SECTIONS: list[Json] = [
    {"type": "markdown", "id": "summary", "title": "Summary", "text": ""},
    {"type": "chart", "id": "chart", "title": "By month", "spec": BARS, "alt_text": "Sales by month"},
    {"type": "table", "id": "table", "title": "Figures", "columns": ["month", "sum"],
     "rows": [[each["month"], each["sum"]] for each in SALES]},
]  # fmt: skip
SUMMARY = ("Sales", " *rose*", ", and", " fell", " a little", " in March.")
"""As a model writes it."""


class Api:
    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._headers = session, url, {"Authorization": f"Bearer {key}"}

    async def call(self, method: str, path: str, **body: Any) -> Any:
        options: Json = {"json": body} if body else {}
        path = f"{self._url}/api/v1{path}"
        async with self._session.request(method, path, headers=self._headers, **options) as response:
            answer = await response.json()
            if response.status >= 400:
                raise SystemExit(f"{method} {path}: {answer['error']['detail']}")
            return answer["data"]

    async def download(self, url: str) -> bytes:
        async with self._session.get(self._url + url, headers=self._headers) as response:
            response.raise_for_status()
            return await response.read()


class Edits(centrifuge.SubscriptionEventHandler):
    """Of the thread: whether a person has changed the report, or comments on it."""

    def __init__(self, me: str) -> None:
        self._me = me
        self.report_id = ""
        self.edited = asyncio.Event()
        self.comments: asyncio.Queue[Json] = asyncio.Queue()

    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        event: Any = ctx.pub.data
        if event["type"] == "artifact.updated" and event["data"]["id"] == self.report_id:
            author = event["data"]["updated_by"]
            if author["id"] != self._me:
                print(f"agent: edited by {author['name']}", flush=True)
                self.edited.set()
        is_comment = event["type"] == "comment.created" and event["data"]["artifact_id"] == self.report_id
        if is_comment and event["data"]["author"]["id"] != self._me:
            await self.comments.put(event["data"])


class Own(centrifuge.ClientEventHandler):
    """The agent's own channel, which comes with the connection: how far its export is."""

    def __init__(self) -> None:
        self.exports: asyncio.Queue[Json] = asyncio.Queue()

    async def on_publication(self, ctx: centrifuge.ServerPublicationContext) -> None:
        event: Any = ctx.pub.data
        if event["type"] == "export.progress":
            await self.exports.put(event["data"])


async def write(api: Api, thread_id: str, edits: Edits) -> None:
    made = await api.call(
        "POST", f"/threads/{thread_id}/artifacts", type="REPORT", title="Sales by month", content={"sections": []}
    )
    edits.report_id = made["id"]
    for section in SECTIONS:
        patch = [{"op": "add", "path": "/sections/-", "value": section}]
        await api.call("PATCH", f"/artifacts/{edits.report_id}", patch=patch)
    await stream(api, edits.report_id)
    await api.call(
        "POST", f"/threads/{thread_id}/messages", content="The report is written; change what you like.",
        blocks=[{"type": "artifact_ref", "artifact_id": edits.report_id}],
    )  # fmt: skip
    print(f"agent: written {edits.report_id}", flush=True)


async def stream(api: Api, report_id: str) -> None:
    """Each piece says where it starts: one that is sent again repeats nothing."""
    begun = await api.call("POST", f"/artifacts/{report_id}/streams", pointer="/sections/0/text", model="example")
    path, length = f"/artifacts/{report_id}/streams/{begun['id']}", 0
    for piece in SUMMARY:
        length = (await api.call("POST", f"{path}/append", text=piece, index=length))["length"]
    await api.call("POST", f"{path}/complete")


async def answer_comments(api: Api, edits: Edits) -> None:
    while True:
        comment = await edits.comments.get()
        quote = comment["anchor"]["quote"] if comment["anchor"] else "the report"
        await api.call(
            "POST", f"/artifacts/{edits.report_id}/comments", content=f"I looked at “{quote}” again.",
            parent_id=comment["parent_id"] or comment["id"],
        )  # fmt: skip
        print(f"agent: answered {comment['author']['name']}", flush=True)


async def export(api: Api, report_id: str, own: Own) -> Json:
    begun = await api.call("POST", f"/artifacts/{report_id}/exports", format="pdf")
    while True:
        now = await own.exports.get()
        if now["id"] == begun["id"]:
            print(f"agent: {now['done']} of {now['steps']}", flush=True)
            if now["status"] == "FAILED":
                raise SystemExit(now["error"])
            if now["status"] == "DONE":
                return now


async def main(url: str, thread_id: str, key: str, file: str) -> None:
    websocket = url.replace("http", "ws", 1) + "/connection/websocket"
    async with aiohttp.ClientSession() as session:
        api, own = Api(session, url, key), Own()
        edits = Edits((await api.call("GET", "/users/me"))["id"])
        client = centrifuge.Client(websocket, token=key, events=own)
        subscription = client.new_subscription(f"thread:{thread_id}", edits)
        await client.connect()
        await subscription.subscribe()
        await subscription.ready(timeout=20)
        await write(api, thread_id, edits)
        answering = asyncio.create_task(answer_comments(api, edits))
        await edits.edited.wait()
        answering.cancel()
        made = await export(api, edits.report_id, own)
        body = await api.download(made["url"])
        await asyncio.to_thread(Path(file).write_bytes, body)
        await client.disconnect()
    print(f"agent: {made['pages']} page(s) in {file}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
