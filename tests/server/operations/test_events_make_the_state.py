"""state₀ ⊕ events == state, over REST: whatever three people do at once, the log tells all of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import events
from tests.server.operations.fold import Fold, comparable, fetched
from tests.serving import Answer, Client, Server, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACTIONS = (
    "post", "post", "post", "reply", "edit", "delete", "react", "react", "unreact", "toggle", "read", "read to",
    "title", "status", "metadata", "role", "mute", "join", "leave",
    "remember", "recall", "answer", "stop", "hand over",
)  # fmt: skip
TOLD = set(events.EVENT_TYPES) - {"thread.deleted"}
"""What the log of a thread can tell by REST; a deleted thread has none any more."""

programs = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 11)), min_size=1, max_size=10)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("fold") / "data") as running:
        yield running


class Company:
    """Three people in one thread, the first of whom stays its owner."""

    def __init__(self, people: Sequence[Client], ids: Sequence[str], thread_id: str) -> None:
        self.people = people
        self.ids = ids
        self.thread_id = thread_id
        self.url = f"/api/v1/threads/{thread_id}"
        self.messages: list[str] = []

    @classmethod
    async def gather(cls, server: Server) -> "Company":
        people = [server.client(name) for name in ("alice", "bob", "carol")]
        ids = [(await client.me())["id"] for client in people]
        thread = await people[0].thread(members=[{"user_id": ids[1]}, {"user_id": ids[2], "role": "VIEWER"}])
        return cls(people, ids, thread["id"])

    async def run(self, client: Client, program: Sequence[tuple[str, int]]) -> None:
        for action, number in program:
            answer = await self.do(client, action, number)
            assert answer is None or answer.status < 500, answer.raw

    async def do(self, client: Client, action: str, number: int) -> Answer | None:
        if action in ("answer", "stop"):
            return await self._answer(client, number, stopped=action == "stop")
        if action in ("post", "reply"):
            return await self._say(client, number, is_reply=action == "reply")
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

    async def _say(self, client: Client, number: int, *, is_reply: bool) -> Answer:
        parent = {"parent_id": self.messages[number % len(self.messages)]} if is_reply and self.messages else {}
        answer = await client.post(f"{self.url}/messages", content=f"{client.name} {number}", **parent)
        if answer.status == 201:
            self.messages.append(answer.data["id"])
        return answer

    async def _answer(self, client: Client, number: int, *, stopped: bool) -> Answer:
        """Written while others read; what is appended is told by nothing that lasts, only how it ended."""
        opened = await client.post(f"{self.url}/messages", status="STREAMING", metadata={"n": number})
        if opened.status != 201:
            return opened
        url = f"/api/v1/messages/{opened.data['id']}"
        self.messages.append(opened.data["id"])
        if stopped:
            return await client.post(f"{url}/cancel")
        return await client.post(f"{url}/complete", content=f"{client.name} answers {number}")

    async def _about_message(self, client: Client, action: str, number: int) -> Answer:
        url = f"/api/v1/messages/{self.messages[number % len(self.messages)]}"
        emoji = "👍🎉❤"[number % 3]
        match action:
            case "edit":
                return await client.patch(url, content=f"edited {number}", blocks=[{"type": "t"}] * (number % 2))
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(everybody=st.tuples(programs, programs, programs), earlier=programs)
async def test_the_log_tells_all_of_it(server: Server, everybody: Any, earlier: Any) -> None:
    company = await Company.gather(server)
    alice = company.people[0]
    await company.run(alice, earlier)
    begun = Fold().begin(await fetched(alice, company.thread_id))
    writing = asyncio.gather(*map(company.run, company.people, everybody))
    while not writing.done():  # the log as somebody sees it who asks again and again
        for event in await company.log(begun.offset):
            begun.apply(event)
    await writing
    for event in await company.log(begun.offset):
        begun.apply(event)
    expected = comparable(await fetched(alice, company.thread_id))
    assert Fold(await company.log()).state == expected, "from the first entry on"
    assert begun.state == expected, "from a state on, while others wrote"


async def test_every_kind_of_event(server: Server) -> None:
    """The actions above make all kinds there are, and each leaves the state that it tells."""
    company = await Company.gather(server)
    alice, bob, carol = company.people
    program = [
        (alice, "post", 0), (bob, "reply", 0), (alice, "edit", 0), (bob, "react", 0), (alice, "react", 0),
        (bob, "toggle", 0), (bob, "react", 0), (carol, "read", 0), (alice, "role", 1), (carol, "post", 1),
        (carol, "mute", 0), (alice, "title", 1), (alice, "metadata", 2), (alice, "leave", 1), (alice, "join", 1),
        (bob, "unreact", 0), (alice, "delete", 0), (alice, "status", 1), (alice, "status", 0),
        (bob, "recall", 0), (alice, "remember", 1), (bob, "answer", 1), (alice, "stop", 2), (bob, "hand over", 1),
    ]  # fmt: skip
    fold, kinds = Fold(), set()
    for client, action, number in program:
        answer = await company.do(client, action, number)
        assert answer is not None
        assert answer.status < 300, (action, answer.raw)
        news = await company.log(fold.offset)
        assert news, f"{action} is not told"
        for event in news:
            fold.apply(event)
            kinds.add(event["type"])
        assert fold.state == comparable(await fetched(alice, company.thread_id)), action
    assert kinds == TOLD


async def test_a_deleted_thread_has_no_log(server: Server) -> None:
    company = await Company.gather(server)
    assert (await company.people[0].delete(company.url)).status == 200
    for client in company.people:
        assert (await client.get(f"{company.url}/log")).status == 404
