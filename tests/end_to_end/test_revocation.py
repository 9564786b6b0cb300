"""Access ends while 300 WebSockets and 50 streams are open: by REST, or by another process beside the server.

What rests on it falls silent and stays so; everybody else notices nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count

import aiohttp
import pytest
import pytest_asyncio

from actors.errors import XpError
from actors.resources.members import RemoveMember
from server.auth.tokens import inspect_unverified
from tests.end_to_end.administration import xp
from tests.end_to_end.crowd import Crowd, ask_for_stream
from tests.end_to_end.test_other_writers import other_process
from tests.realtime_client import raw_client
from tests.serving import Client, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONLOOKERS, SOCKETS, STREAMS = 6, 45, 7
"""Who is not concerned, and what each of them has open."""
FIRST, SECOND = (26, 6), (4, 2)
"""What somebody who is concerned has open by what ends, and by another token: sockets and streams."""
INVALID_TOKEN, EXPIRED, UNSUBSCRIBED = 3500, 3005, 2000
NOT_THERE = 102
_serial = count(1)


@dataclass
class Scene:
    """A server process, and a thread that many follow."""

    process: ServerProcess
    session: aiohttp.ClientSession
    root: Client
    alice: Client
    alice_id: str
    threads: Sequence[str]
    """What access ends to, and one that all follow besides."""
    crowd: Crowd

    def client(self, name: str) -> Client:
        """Their role is what the server knows, not what a token says."""
        return Client(self.session, self.process.url, name, role=None)

    async def add(self, user_id: str) -> None:
        for thread_id in self.threads:
            added = await self.alice.post(f"/api/v1/threads/{thread_id}/members", user_id=user_id)
            assert added.status == 201, added.raw

    async def join(self, crowd: Crowd, who: Client, sockets: int, streams: int) -> None:
        await crowd.join(self.session, self.process, who.token, self.threads, sockets, streams)

    async def xp(self, *words: str) -> None:
        """The command, in a process of its own."""
        await xp(self.process, *words)


@dataclass
class Victim:
    user_id: str
    first: Client
    """Comes with what ends."""
    second: Client
    """The same person, with a token that nobody revokes."""
    named: str = ""
    """Id of what ends, where it is no user."""


async def session(scene: Scene, victim: Victim) -> None:
    made = await scene.root.post(f"/api/v1/admin/users/{victim.user_id}/sign-in-link")
    signed_in = (await victim.second.post("/api/v1/auth/login", link=made.data["link"])).data
    victim.first.token, victim.named = signed_in["access_token"], signed_in["session_id"]


async def api_key(scene: Scene, victim: Victim) -> None:
    made = (await victim.second.post("/api/v1/auth/api-keys", name="bot")).data
    victim.first.token, victim.named = made["key"], made["id"]


async def jti(scene: Scene, victim: Victim) -> None:
    victim.named = inspect_unverified(victim.first.token)[1]["jti"]


async def admin(scene: Scene, victim: Victim) -> None:
    """Who sees every thread, and is a member of none."""
    assert (await scene.root.patch(f"/api/v1/users/{victim.user_id}", role="ADMIN")).status == 200


async def member(scene: Scene, victim: Victim) -> None:
    """Which they are anyway."""


async def request(who: Client, method: str, path: str, **body: str) -> None:
    answer = await who.request(method, f"/api/v1/{path}", **({"json": body} if body else {}))
    assert answer.status == 200, answer.raw


async def remove_beside(scene: Scene, victim: Victim) -> None:
    def remove() -> None:
        with other_process(scene.process, scene.alice_id) as (store, identity):
            command = RemoveMember(identity=identity, thread_id=scene.threads[0], user_id=victim.user_id)
            (outcome,) = store.apply([command])
            assert not isinstance(outcome, XpError), outcome

    await asyncio.to_thread(remove)


Do = Callable[[Scene, Victim], Awaitable[None]]


@dataclass(frozen=True)
class Act:
    prepare: Do
    by_rest: Do
    beside: Do
    """The same by another process."""
    code: int
    """What sockets are told."""
    denied: int
    """HTTP status of what they ask from then on."""
    ends_all: bool
    """Whether it ends what the same person has open by another token, too."""


ACTS: Mapping[str, Act] = {
    "a session ends": Act(
        session,
        lambda scene, victim: request(victim.second, "DELETE", f"auth/sessions/{victim.named}"),
        lambda scene, victim: scene.xp("session", "end", victim.named),
        INVALID_TOKEN, 401, ends_all=False,
    ),
    "a key is revoked": Act(
        api_key,
        lambda scene, victim: request(victim.second, "DELETE", f"auth/api-keys/{victim.named}"),
        lambda scene, victim: scene.xp("key", "revoke", victim.named),
        INVALID_TOKEN, 401, ends_all=False,
    ),
    "a token is revoked": Act(
        jti,
        lambda scene, victim: request(scene.root, "POST", "admin/tokens/revoke", jti=victim.named),
        lambda scene, victim: scene.xp("token", "revoke", victim.named),
        INVALID_TOKEN, 401, ends_all=False,
    ),
    "a role is lowered": Act(
        admin,
        lambda scene, victim: request(scene.root, "PATCH", f"users/{victim.user_id}", role="USER"),
        lambda scene, victim: scene.xp("user", "set-role", victim.user_id, "USER"),
        EXPIRED, 404, ends_all=True,
    ),
    "a user is deactivated": Act(
        member,
        lambda scene, victim: request(scene.root, "PATCH", f"users/{victim.user_id}", status="DEACTIVATED"),
        lambda scene, victim: scene.xp("user", "deactivate", victim.user_id),
        INVALID_TOKEN, 401, ends_all=True,
    ),
    "a user is erased": Act(
        member,
        lambda scene, victim: request(scene.root, "DELETE", f"users/{victim.user_id}"),
        lambda scene, victim: scene.xp("user", "delete", victim.user_id, "--yes"),
        INVALID_TOKEN, 401, ends_all=True,
    ),
    "a member is removed": Act(
        member,
        lambda scene, victim: request(
            scene.alice, "DELETE", f"threads/{scene.threads[0]}/members/{victim.user_id}"
        ),
        remove_beside,
        UNSUBSCRIBED, 404, ends_all=True,
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    process = ServerProcess(tmp_path_factory.mktemp("revocation") / "data")
    await process.start()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened,
        AsyncExitStack() as stack,
    ):
        alice, root = Client(opened, process.url, "alice"), Client(opened, process.url, "root", role="ADMIN")
        alice_id = (await alice.me())["id"]
        threads = [(await alice.thread())["id"] for _ in range(2)]
        scene = Scene(process, opened, root, alice, alice_id, threads, Crowd(stack))
        for number in range(ONLOOKERS):
            onlooker = scene.client(f"onlooker{number}")
            await scene.add((await onlooker.me())["id"])
            await scene.join(scene.crowd, onlooker, SOCKETS, STREAMS)
        yield scene
    assert await process.stop() == 0
    assert "Traceback" not in process.log.read_text()


async def newcomer(scene: Scene, act: Act) -> Victim:
    first = scene.client(f"victim{next(_serial)}")
    victim = Victim((await first.me())["id"], first, first.again())
    if act.prepare is not admin:
        await scene.add(victim.user_id)
    await act.prepare(scene, victim)
    return victim


@pytest.mark.parametrize("is_beside", [False, True], ids=["by REST", "beside the server"])
@pytest.mark.parametrize("name", ACTS)
async def test_what_rests_on_it_falls_silent(scene: Scene, name: str, is_beside: bool) -> None:
    act = ACTS[name]
    victim = await newcomer(scene, act)
    before, after, elsewhere = (f"{word} {name} {is_beside}" for word in ("before", "after", "elsewhere"))
    async with AsyncExitStack() as stack:
        losing, keeping = Crowd(stack), Crowd(stack)
        await scene.join(losing, victim.first, *FIRST)
        await scene.join(losing if act.ends_all else keeping, victim.second, *SECOND)
        await scene.alice.say(scene.threads[0], before)
        for crowd in (losing, keeping, scene.crowd):
            await crowd.hears(before)

        if is_beside:
            await act.beside(scene, victim)
            await silence(losing, act.code)
            assert await status_of(scene, victim.first) == act.denied
            await scene.alice.say(scene.threads[0], after)
        else:
            await act.by_rest(scene, victim)
            assert await status_of(scene, victim.first) == act.denied
            await scene.alice.say(scene.threads[0], after)
            await silence(losing, act.code)

        await scene.alice.say(scene.threads[1], elsewhere)
        for crowd in (scene.crowd, keeping):
            await crowd.hears(after)
        if act.code == UNSUBSCRIBED:
            await asyncio.gather(*(stream.hears(elsewhere) for stream in losing.streams))
        assert not any([await socket.has_heard(after) for socket in losing.sockets])
        assert not any(after in str(stream.told) for stream in losing.streams)
        cursor = losing.streams[0].last_id
        assert cursor is not None
        await nothing_is_replayed(scene, victim.first, act, cursor)


async def silence(losing: Crowd, code: int) -> None:
    """Wait for the end of everything, which is told as it should be."""
    if code == UNSUBSCRIBED:
        told = await asyncio.gather(*(socket.is_unsubscribed() for socket in losing.sockets))
        await asyncio.gather(*(stream.hears("access ended") for stream in losing.streams))
    else:
        told = await asyncio.gather(*(socket.ends() for socket in losing.sockets))
        await asyncio.gather(*(stream.ended() for stream in losing.streams))
    assert told == [code] * len(told)


async def status_of(scene: Scene, who: Client) -> int:
    return (await who.get(f"/api/v1/threads/{scene.threads[0]}")).status


async def nothing_is_replayed(scene: Scene, who: Client, act: Act, cursor: str) -> None:
    """To whoever comes back as they came before."""
    assert (await who.get(f"/api/v1/threads/{scene.threads[0]}/log")).status == act.denied
    headers = {"Last-Event-ID": cursor}
    async with ask_for_stream(scene.session, scene.process, who.token, scene.threads, **headers) as response:
        assert response.status == act.denied
    async with raw_client(scene.session, scene.process.websocket_url) as client:
        if act.denied == 401:
            await client.send(client.command("connect", token=who.token))
            assert (await client.closed()).code == INVALID_TOKEN
        else:
            await client.connect(who.token)
            channel = f"thread:{scene.threads[0]}"
            for verb, more in (("subscribe", {"recover": True, "offset": 1}), ("history", {"limit": 10})):
                assert (await client.error(verb, channel=channel, **more))[0] == NOT_THERE
