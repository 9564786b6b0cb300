"""Three people who write in one thread, and whatever an entry of its log can tell of."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from actors.event_kinds import KINDS
from tests.serving import Answer, Client, Server

ACTIONS = (
    "post", "post", "post", "reply", "ask", "confirm", "edit", "delete", "react", "react", "unreact", "toggle",
    "read", "read to",
    "title", "status", "metadata", "role", "mute", "join", "leave",
    "remember", "recall", "answer", "stop", "fail", "hand over", "file", "show", "rename", "drop",
    "draft", "revise", "restore", "discard", "measure", "tick", "clear", "propose", "accept", "reject",
    "comment", "comment again", "resolve", "uncomment",
    "stream into", "write on", "write out", "break off", "offer", "press", "respond",
)  # fmt: skip
ABOUT_PROPOSALS = ("propose", "accept", "reject")
ABOUT_COMMENTS = ("comment", "comment again", "resolve", "uncomment")
ABOUT_STREAMS = ("stream into", "write on", "write out", "break off")
ABOUT_ACTIONS = ("offer", "press", "respond")
ABOUT_ARTIFACTS = ACTIONS[ACTIONS.index("draft") :]
Program = Sequence[tuple[str, int]]
programs = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 11)), min_size=1, max_size=10)

TOLD = set(KINDS) - {"thread.deleted", "file.preview_ready"}
"""What the log of a thread can tell; a deleted thread has none any more. Nobody asks for previews."""
EVERY_KIND = (
    (0, "post", 0), (1, "reply", 0), (0, "edit", 0), (1, "react", 0), (0, "react", 0), (1, "toggle", 0),
    (1, "react", 0), (2, "read", 0), (0, "role", 1), (2, "post", 1), (2, "mute", 0), (0, "title", 1),
    (0, "metadata", 2), (0, "leave", 1), (0, "join", 1), (1, "unreact", 0), (0, "delete", 0), (0, "status", 1),
    (0, "status", 0), (1, "recall", 0), (0, "remember", 1), (1, "answer", 1), (1, "answer", 2), (0, "stop", 2),
    (0, "fail", 3), (1, "hand over", 1), (0, "file", 0), (1, "show", 0), (0, "rename", 0), (0, "drop", 0),
    (0, "draft", 1), (1, "revise", 3), (1, "revise", 4), (0, "restore", 0),
    (0, "measure", 0), (1, "tick", 0), (1, "clear", 0), (0, "measure", 0),
    (1, "propose", 1), (0, "accept", 0), (1, "propose", 2), (0, "reject", 1),
    (1, "comment", 1), (0, "comment again", 0), (0, "resolve", 0), (1, "uncomment", 0), (1, "comment", 0),
    (1, "stream into", 1), (1, "write out", 0), (0, "stream into", 1), (1, "break off", 1),
    (0, "ask", 0), (1, "confirm", 0), (2, "confirm", 0),
    (0, "draft", 2), (0, "offer", 1), (1, "press", 1), (0, "respond", 0), (1, "press", 1),
    (0, "discard", 0), (0, "discard", 1),
)  # fmt: skip
"""(person, action, number): each succeeds, and together they make all of `TOLD`."""
BUTTON = {
    "type": "actions",
    "block_id": "b",
    "elements": [{"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}],
}
LAST = {"n": "the last"}
"""Metadata that no action makes."""


class Company:
    """Three people in one thread, the first of whom stays its owner."""

    def __init__(self, people: Sequence[Client], ids: Sequence[str], thread_id: str) -> None:
        self.people = people
        self.ids = ids
        self.thread_id = thread_id
        self.url = f"/api/v1/threads/{thread_id}"
        self.messages: list[str] = []
        self.asking: list[str] = []
        """Messages that ask to be acknowledged."""
        self.files: list[str] = []
        self.artifacts: list[str] = []
        self.proposals: list[str] = []
        """Their paths."""
        self.comments: list[str] = []
        """Their paths."""
        self.streams: list[str] = []
        """Their paths."""
        self.pressed: list[str] = []
        """Paths of actions."""

    @classmethod
    async def gather(cls, server: Server) -> "Company":
        people = [server.client(name) for name in ("alice", "bob", "carol")]
        ids = [(await client.me())["id"] for client in people]
        thread = await people[0].thread(members=[{"user_id": ids[1]}, {"user_id": ids[2], "role": "VIEWER"}])
        return cls(people, ids, thread["id"])

    async def run(self, client: Client, program: Program) -> None:
        for action, number in program:
            answer = await self.do(client, action, number)
            assert answer is None or answer.status < 500, answer.raw

    async def run_all(self, programs: Sequence[Program]) -> None:
        """Everybody at once."""
        async with asyncio.TaskGroup() as group:
            for client, program in zip(self.people, programs, strict=True):
                group.create_task(self.run(client, program))

    async def end(self) -> None:
        """The last entry of the log, by which those who follow it know that there is no more."""
        answer = await self.people[0].patch(self.url, metadata=LAST)
        assert answer.status == 200, answer.raw

    async def do(self, client: Client, action: str, number: int) -> Answer | None:
        if action in ("answer", "stop", "fail"):
            return await self._answer(client, action, number)
        if action in ("post", "reply"):
            return await self._say(client, number, is_reply=action == "reply")
        if action in ("ask", "confirm"):
            return await self._about_acknowledgements(client, action, number)
        if action in ("file", "show", "rename", "drop"):
            return await self._about_file(client, action, number)
        if action in ABOUT_ARTIFACTS:
            return await self._about_artifact(client, action, number)
        if action in ("edit", "delete", "react", "unreact", "toggle"):
            return await self._about_message(client, action, number) if self.messages else None
        if action in ("role", "mute", "join", "leave"):
            return await self._about_member(client, action, number)
        return await self._about_thread(client, action, number)

    async def _about_thread(self, client: Client, action: str, number: int) -> Answer:
        match action:
            case "remember":
                return await client.patch(f"{self.url}/memory", memory={"facts": [f"{number}"], f"k{number % 3}": None})
            case "recall":
                return await client.put(f"{self.url}/memory", memory={f"k{number % 3}": number})
            case "hand over":
                return await client.post(f"{self.url}/control", control=("bot", "human", "shared")[number % 3])
            case "read":
                return await client.post(f"{self.url}/read")
            case "read to":
                return await client.post(f"{self.url}/read", offset=number)
            case "title":
                return await client.patch(self.url, title=f"Title {number}")
            case "status":
                return await client.patch(self.url, status=("ACTIVE", "CLOSED", "ARCHIVED", "ACTIVE")[number % 4])
        return await client.put(self.url, metadata={"n": number})

    async def _about_member(self, client: Client, action: str, number: int) -> Answer:
        other_id = self.ids[1 + number % 2]
        match action:
            case "role":
                role = ("VIEWER", "MEMBER", "OWNER")[number % 3]
                return await client.patch(f"{self.url}/members/{other_id}", role=role)
            case "mute":
                own_id = self.ids[self.people.index(client)]
                return await client.patch(f"{self.url}/members/{own_id}", muted=number % 2 == 0)
            case "join":
                return await client.post(f"{self.url}/members", user_id=other_id)
        return await client.delete(f"{self.url}/members/{other_id}")

    async def _about_file(self, client: Client, action: str, number: int) -> Answer | None:
        """Records are enough: their bytes make them no other than a name does."""
        if action == "file":
            made = await client.post("/api/v1/files", name=f"{number}.txt", thread_id=self.thread_id)
            return self._keep_file(made)
        if action == "show":
            self._keep_file(outside := await client.post("/api/v1/files", name=f"{number}.txt"))
            shown = await client.post(f"{self.url}/messages", files=[outside.data["id"], *self.files[: number % 2]])
            if shown.status == 201:
                self.messages.append(shown.data["id"])
            return shown
        if not self.files:
            return None
        url = f"/api/v1/files/{self.files[number % len(self.files)]}"
        return await client.patch(url, name=f"other {number}.txt") if action == "rename" else await client.delete(url)

    def _keep_file(self, answer: Answer) -> Answer:
        if answer.status == 201:
            self.files.append(answer.data["id"])
        return answer

    async def _about_artifact(self, client: Client, action: str, number: int) -> Answer | None:
        if action == "draft":
            content: Any = f"Text {number}" if number % 2 else {"summary": f"Summary {number}"}
            made = await client.post(f"{self.url}/artifacts", type="INSIGHT", title=f"Draft {number}", content=content)
            if made.status == 201:
                self.artifacts.append(made.data["id"])
            return made
        if not self.artifacts:
            return None
        url = f"/api/v1/artifacts/{self.artifacts[number % len(self.artifacts)]}"
        about = dict.fromkeys(ABOUT_PROPOSALS, self._about_proposal)
        about |= dict.fromkeys(ABOUT_COMMENTS, self._about_comment) | dict.fromkeys(ABOUT_STREAMS, self._about_stream)
        about |= dict.fromkeys(ABOUT_ACTIONS, self._about_action)
        if action in about:
            return await about[action](client, url, action, number)
        match action:
            case "revise":
                more: Any = {"merge": {"summary": f"S {number}"}} if number % 2 else {"metadata": {"n": number}}
                return await client.patch(url, title=f"Revised {number}", **more)
            case "restore":
                return await client.post(f"{url}/versions/1/restore")
            case "measure":
                return await client.put(f"{url}/data/d{number % 2}", columns=["n"], rows=[[number]])
            case "tick":
                return await client.patch(f"{url}/data/d{number % 2}", rows=[[number], [0]], keep=4)
            case "clear":
                return await client.delete(f"{url}/data/d{number % 2}")
        return await client.delete(url)

    async def _about_proposal(self, client: Client, url: str, action: str, number: int) -> Answer | None:
        if action == "propose":
            patch = [{"op": "replace", "path": "", "value": f"Text {number}0"}]
            made = await client.post(f"{url}/proposals", patch=patch)
            if made.status == 201:
                self.proposals.append(f"{url}/proposals/{made.data['id']}")
            return made
        if not self.proposals:
            return None
        return await client.post(f"{self.proposals[number % len(self.proposals)]}/{action}")

    async def _about_comment(self, client: Client, url: str, action: str, number: int) -> Answer | None:
        if action == "comment":
            anchor: Any = {"anchor": {"pointer": ""}} if number % 2 else {}
            return self._keep_comment(url, await client.post(f"{url}/comments", content=f"Comment {number}", **anchor))
        if not self.comments:
            return None
        path = self.comments[number % len(self.comments)]
        match action:
            case "comment again":
                url, _, parent_id = path.rpartition("/comments/")
                made = await client.post(f"{url}/comments", content=f"Reply {number}", parent_id=parent_id)
                return self._keep_comment(url, made)
            case "resolve":
                return await client.patch(path, resolved=number % 3 != 2)
        return await client.delete(path)

    async def _about_stream(self, client: Client, url: str, action: str, number: int) -> Answer | None:
        if action == "stream into":
            made = await client.post(f"{url}/streams", pointer="" if number % 2 else "/summary")
            if made.status == 201:
                self.streams.append(f"{url}/streams/{made.data['id']}")
            return made
        if not self.streams:
            return None
        path = self.streams[number % len(self.streams)]
        if action == "write on":
            return await client.post(f"{path}/append", text=f" and {number}")
        return await client.post(f"{path}/{'complete' if action == 'write out' else 'cancel'}")

    async def _about_action(self, client: Client, url: str, action: str, number: int) -> Answer | None:
        if action == "offer":
            return await client.patch(url, merge={"blocks": [BUTTON]})
        if action == "press":
            made = await client.post(f"{url}/actions", block_id="b", action_id="yes")
            if made.status == 201:
                self.pressed.append(f"/api/v1/actions/{made.data['id']}")
            return made
        if not self.pressed:
            return None
        return await client.post(f"{self.pressed[number % len(self.pressed)]}/answer")

    def _keep_comment(self, url: str, made: Answer) -> Answer:
        if made.status == 201:
            self.comments.append(f"{url}/comments/{made.data['id']}")
        return made

    async def _say(self, client: Client, number: int, *, is_reply: bool) -> Answer:
        parent: Any = {"parent_id": self.messages[number % len(self.messages)]} if is_reply and self.messages else {}
        answer = await client.post(f"{self.url}/messages", content=f"{client.name} {number}", **parent)
        if answer.status == 201:
            self.messages.append(answer.data["id"])
        return answer

    async def _about_acknowledgements(self, client: Client, action: str, number: int) -> Answer | None:
        if action == "confirm":
            asking = self.asking[number % len(self.asking)] if self.asking else None
            return await client.put(f"/api/v1/messages/{asking}/acknowledgement") if asking else None
        answer = await client.post(f"{self.url}/messages", content=f"Read {number}.", acknowledgement={})
        if answer.status == 201:
            self.asking.append(answer.data["id"])
            self.messages.append(answer.data["id"])
        return answer

    async def _answer(self, client: Client, action: str, number: int) -> Answer:
        """Written piece by piece while others read: what is appended is told by nothing that lasts, how it ended is."""
        opened = await client.post(f"{self.url}/messages", status="STREAMING", metadata={"n": number})
        if opened.status != 201:
            return opened
        url = f"/api/v1/messages/{opened.data['id']}"
        self.messages.append(opened.data["id"])
        for piece in range(number % 4):
            await client.post(f"{url}/append", text=f"{client.name} {piece}, ")
        if action != "answer":
            return await client.post(f"{url}/{'cancel' if action == 'stop' else 'fail'}")
        instead: Any = {"content": f"{client.name} answers {number}"} if number % 2 else {}
        return await client.post(f"{url}/complete", **instead)

    async def _about_message(self, client: Client, action: str, number: int) -> Answer:
        url = f"/api/v1/messages/{self.messages[number % len(self.messages)]}"
        emoji = "👍🎉❤"[number % 3]
        match action:
            case "edit":
                return await client.patch(url, content=f"edited {number}", blocks=[{"type": "divider"}] * (number % 2))
            case "delete":
                return await client.delete(url)
            case "react":
                return await client.put(f"{url}/reactions/{emoji}")
            case "unreact":
                return await client.delete(f"{url}/reactions/{emoji}")
        return await client.post(f"{url}/reactions", emoji=emoji)

    async def log(self, after: int = 0) -> list[Any]:
        """All that there is by now, page by page."""
        found: list[Any] = []
        while True:
            page = await self.people[0].get(f"{self.url}/log", after=str(after), limit="7")
            found += page.data
            if not page.metadata["pagination"]["has_more"]:
                return found
            after = int(page.metadata["pagination"]["next_cursor"])
