"""Who tries every operation of the matrix, from nobody at all to an administrator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actors.identifiers import new_id
from server.api.registry import Operation
from tests.server.operations.sweep.requests import World
from tests.serving import Answer, Client, Server

PEOPLE = ("nobody", "stranger", "former", "viewer", "member", "owner", "admin", "assistant", "key")
"""`former` was a member once, `admin` is none, `assistant` is a member of another thread only, `owner` is whose thing
it is, `key` is an API key of the owner's without the scope that the operation takes."""
SCOPES = frozenset({"read", "write"})


class Nobody(Client):
    """Comes without a token."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    def again(self) -> Client:
        return self


class Keyed(Client):
    """Comes with an API key."""

    def again(self) -> Client:
        return self


@dataclass
class Cast:
    """Those who are the same in every world; in each, some of them are members."""

    nobody: Client
    former: Client
    viewer: Client
    member: Client
    assistant: Client
    ids: Mapping[str, str]
    """Of the members."""
    keys: dict[tuple[str, frozenset[str]], Client] = field(default_factory=dict)
    """Owner's name and scopes → a key, made once: one may not have many."""

    @property
    def members(self) -> list[dict[str, str]]:
        """Of the thread of a new world; then `former` leaves."""
        roles = {"viewer": "VIEWER", "member": "MEMBER", "former": "MEMBER"}
        return [{"user_id": self.ids[name], "role": role} for name, role in roles.items()]

    async def leave(self, world: World) -> None:
        """After it all are what the columns say in the world's thread."""
        left = await world.alice.delete(f"/api/v1/threads/{world.thread_id}/members/{self.ids['former']}")
        assert left.status == 200, left.raw

    async def of(self, world: World, operation: Operation) -> dict[str, Client]:
        """Everybody, as they come to one operation."""
        owner = world.owner(operation)
        return {
            "nobody": self.nobody, "stranger": world.bob, "former": self.former, "viewer": self.viewer,
            "member": self.member, "owner": owner, "admin": world.root, "assistant": self.assistant,
            "key": await self.key(owner, SCOPES - {operation.scope}),
        }  # fmt: skip

    async def key(self, owner: Client, scopes: frozenset[str]) -> Client:
        if (owner.name, scopes) not in self.keys:
            self.keys[owner.name, scopes] = await key_of(owner, scopes)
        return self.keys[owner.name, scopes]


async def key_of(owner: Client, scopes: frozenset[str]) -> Client:
    made = await owner.post("/api/v1/auth/api-keys", name="Of the matrix", scopes=sorted(scopes))
    assert made.status == 201, made.raw
    key = Keyed(owner.session, owner.url, owner.name)
    key.token = made.data["key"]
    return key


async def cast_of(server: Server, bob: Client) -> Cast:
    former, viewer, member = [server.client(f"{name}-{new_id()}") for name in ("former", "viewer", "member")]
    assistant = server.client(f"assistant-{new_id()}", kind="ASSISTANT")
    names = {"former": former, "viewer": viewer, "member": member}
    ids = {name: (await client.me())["id"] for name, client in names.items()}
    await bob.thread(members=[{"user_id": (await assistant.me())["id"]}])
    return Cast(Nobody(server.session, server.url, "nobody"), former, viewer, member, assistant, ids)
