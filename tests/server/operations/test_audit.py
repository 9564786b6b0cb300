"""The audit log: every administrative act is in it, with who, to what, from where, what was before, what is after."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from actors.identifiers import new_id
from server.api import operations
from tests.cli.conftest import Ran, Xp
from tests.realtime_client import raw_client
from tests.server.operations.signing_in import PASSWORD, nobody, sign_in, sql
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Client, Server

AUDIT = "/api/v1/admin/audit"
FROM = {"X-Correlation-ID": "the-act", "User-Agent": "Tests/1"}


@dataclass
class House:
    """Those who act, and those to whom it is done."""

    server: Server
    root: Client
    alice: Client
    bob: Client
    her: str
    him: str
    thread_id: str
    message_id: str


@pytest.fixture
async def house(server: Server, root: Client, alice: Client, bob: Client) -> House:
    thread = await alice.thread("Private")
    message = await alice.say(thread, "What she said")
    her, him = [str((await client.me())["id"]) for client in (alice, bob)]
    return House(server, root, alice, bob, her, him, thread["id"], message["id"])


@dataclass
class Act:
    """Of an administrator: an operation, and what is written down of it."""

    operation: str
    target: tuple[str, str]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    query: str = ""
    body: dict[str, Any] | None = None


def of_users(house: House) -> list[Act]:
    her, alice = ("user", house.her), "alice@rpotential.ai"
    new = {"email": "new@rpotential.ai", "name": "New", "role": "USER", "kind": "SERVICE"}
    made = new | {"domain": "rpotential.ai", "status": "ACTIVE"}
    return [
        Act("create_user", ("user", ""), None, made, body=new),
        Act("create_user_legacy", ("user", ""), None, made | {"email": "old@rpotential.ai"},
            body=new | {"email": "old@rpotential.ai"}),
        Act("update_user", her, {"role": "USER", "name": "Alice"}, {"role": "ADMIN", "name": "Al"},
            body={"role": "ADMIN", "name": "Al", "metadata": {"a": 1}}),
        Act("update_user", her, {"email": alice}, {"email": "al@rpotential.ai"}, body={"email": "al@rpotential.ai"}),
        Act("create_sign_in_link", her, body={}),
        Act("export_user", her),
        Act("update_user", her, {"status": "ACTIVE"}, {"status": "DEACTIVATED"}, body={"status": "DEACTIVATED"}),
        Act("delete_user", her, {"role": "ADMIN", "kind": "HUMAN", "domain": "rpotential.ai", "status": "DEACTIVATED"},
            {"content": "remove"}, query="?content=remove"),
    ]  # fmt: skip


def of_threads(house: House) -> list[Act]:
    thread, him = ("thread", house.thread_id), house.him
    said = {"message_id": house.message_id, "author_id": house.her}
    return [
        Act("update_thread", thread, {"title": "Private"}, {"title": "Seen"}, body={"title": "Seen"}),
        Act("add_member", thread, None, {"user_id": him, "role": "MEMBER"}, body={"user_id": him}),
        Act("update_member", thread, {"user_id": him, "role": "MEMBER"}, {"user_id": him, "role": "VIEWER"},
            body={"role": "VIEWER"}),
        Act("remove_member", thread, {"user_id": him}),
        Act("delete_message", thread, said),
        Act("delete_thread", thread, {"message_count": 1}),
    ]  # fmt: skip


def of_the_server(house: House) -> list[Act]:
    return [
        Act("set_log_level", ("server", "error"), body={"level": "error", "seconds": 60}),
        Act("set_log_level", ("server", "setting"), body={"level": None}),
    ]


async def do(house: House, act: Act, **others: str) -> None:
    operation = operations.BY_NAME[act.operation]
    path = operation.path
    ids = {"thread_id": house.thread_id, "user_id": house.him, **others}
    ids.setdefault("id", house.thread_id if operation.tag == "threads" else act.target[1])
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    answer = await house.root.request(operation.methods[0], path + act.query, headers=FROM, json=act.body)
    assert answer.status < 300, answer.raw


async def newest(root: Client, **query: Any) -> Any:
    return (await root.get(AUDIT, limit="1", **query)).data[0]


async def count(root: Client) -> int:
    return int((await root.get("/api/v1/admin/summary")).data["audit_entries"])


async def check(house: House, act: Act) -> None:
    entry = await newest(house.root)
    action = act.operation.removesuffix("_legacy")
    assert (entry["action"], entry["target_kind"], entry["outcome"]) == (action, act.target[0], "done")
    assert entry["target_id"] == act.target[1] or not act.target[1]
    assert (entry["before"], entry["after"]) == (act.before, act.after)
    root_id = (await house.root.me())["id"]
    assert (entry["actor_id"], entry["actor_name"]) == (root_id, "Root")
    claims = jwt.decode(house.root.token, options={"verify_signature": False})
    assert entry["credential"] == f"token:{claims['jti']}"
    assert (entry["address"], entry["user_agent"], entry["correlation_id"]) == ("127.0.0.1", "Tests/1", "the-act")


@pytest.mark.parametrize("acts", [of_users, of_threads, of_the_server])
async def test_what_an_administrator_does(acts: Callable[[House], list[Act]], house: House) -> None:
    for act in acts(house):
        more = {"id": house.message_id} if act.operation == "delete_message" else {}
        await do(house, act, **more)
        await check(house, act)


async def test_what_is_done_to_credentials_and_connections(house: House) -> None:
    device = await sign_in(house.server, house.root, house.her)
    session = Act("end_any_session", ("session", device.session_id), None, {"reason": "ended by an administrator"})
    async with raw_client(house.server.session, house.server.websocket_url) as socket:
        opened = (await socket.connect(house.alice.token))["client"]
        key = {"name": "A key", "scopes": ["read"], "user_id": house.her}
        acts = [
            (Act("create_api_key", ("api_key", ""), None, key | {"expires_at": None}, body=key), ""),
            (Act("revoke_token", ("token", "stolen"), body={"jti": "stolen"}), ""),
            (Act("end_connection", ("connection", opened)), ""),
            (session, "end_session"),
        ]
        for act, action in acts:
            await do(house, act)
            act.operation = action or act.operation
            await check(house, act)
    made = await newest(house.root, action="create_api_key")
    revoke = Act("revoke_api_key", ("api_key", made["target_id"]), {"name": "A key", "user_id": house.her})
    await do(house, revoke)
    await check(house, revoke)


def test_nothing_is_forgotten() -> None:
    nothing: Any = None
    house = House(nothing, nothing, nothing, nothing, "", "", "", "")
    tried = {act.operation for act in of_users(house) + of_threads(house) + of_the_server(house)}
    tried |= {"add_hold", "remove_hold"}  # in `test_holds`
    tried |= {"create_api_key", "revoke_token", "end_connection", "end_any_session", "revoke_api_key"}
    writes = {
        operation.name for operation in operations.ALL if operation.access == "admin" and operation.methods != ("GET",)
    }
    assert writes - {"explain_access"} <= tried, "what is explained is undone"


async def test_a_member_who_is_an_administrator(house: House) -> None:
    """What is done with an administrator's power is written down, not what every member may."""
    thread = await house.alice.thread(
        members=[{"user_id": house.him}, {"user_id": (await house.root.me())["id"], "role": "VIEWER"}]
    )
    path = f"/api/v1/threads/{thread['id']}"
    message = await house.alice.say(thread)
    before = await count(house.root)
    assert (await house.root.patch(f"{path}/members/{(await house.root.me())['id']}", muted=True)).status == 200
    assert await count(house.root) == before
    assert (await house.root.delete(f"/api/v1/messages/{message['id']}")).status == 200
    assert (await newest(house.root))["action"] == "delete_message"
    assert (await house.root.delete(f"{path}/members/{house.him}")).status == 200
    assert (await newest(house.root))["action"] == "remove_member"
    assert (await house.root.patch(path, title="Mine")).status == 200
    before = await count(house.root)
    assert (await house.alice.patch(path, title="Hers")).status == 200, "an owner"
    assert (await house.root.delete(f"{path}/members/{(await house.root.me())['id']}")).status == 200, "they leave"
    assert await count(house.root) == before


async def test_what_people_do_to_their_own_credentials(house: House) -> None:
    device = await sign_in(house.server, house.root, house.her)
    await device.client.post("/api/v1/auth/password", new_password=PASSWORD)
    await nobody(house.server).post("/api/v1/auth/login", email="alice@rpotential.ai", password=PASSWORD)
    await nobody(house.server).post("/api/v1/auth/login", email="alice@rpotential.ai", password="a wrong one")
    await nobody(house.server).post("/api/v1/auth/login", email="nobody@rpotential.ai", password="a wrong one")
    old = device.refresh_token
    for _ in range(2):
        await device.refresh()
    await nobody(house.server).post("/api/v1/auth/refresh", refresh_token=old)
    again = house.alice.again()
    await again.post("/api/v1/auth/logout")
    found = [
        (entry["action"], entry["outcome"], entry["reason"], entry["target_kind"], entry["actor_id"] or "")
        for entry in (await house.root.get(AUDIT, limit="7")).data[::-1]
    ]
    assert found == [
        ("sign_in", "done", "", "session", house.her),
        ("set_password", "done", "", "user", house.her),
        ("sign_in", "done", "", "session", house.her),
        ("sign_in", "refused", "wrong address or password", "user", ""),
        ("sign_in", "refused", "wrong address or password", "", ""),
        ("reuse_refresh_token", "refused", "refresh_reused", "session", house.her),
        ("revoke_token", "done", "", "token", house.her),
    ]


async def test_what_is_refused_and_what_changes_nothing_writes_nothing(house: House) -> None:
    await sign_in(house.server, house.root, house.her)
    before = await count(house.root)
    path = f"/api/v1/users/{house.her}"
    assert (await house.bob.patch(path, role="ADMIN")).status == 403
    assert (await house.root.patch(path, role="USER")).status == 200, "as it is already"
    assert (await house.root.patch(path, role="ADMIN", headers={"If-Match": '"99"'})).status == 412
    assert (await house.root.delete(f"/api/v1/users/{new_id()}")).status == 404
    assert (await house.alice.patch("/api/v1/users/me", name="Al")).status == 200, "one's own name is one's own"
    assert await count(house.root) == before


async def test_pages_and_filters(house: House) -> None:
    for role in ("ADMIN", "USER", "ADMIN"):
        await house.root.patch(f"/api/v1/users/{house.her}", role=role)
    first = await house.root.get(AUDIT, limit="2", target_id=house.her)
    rest = await house.root.get(
        AUDIT, limit="2", target_id=house.her, cursor=first.metadata["pagination"]["next_cursor"]
    )
    assert [entry["after"]["role"] for entry in first.data + rest.data] == ["ADMIN", "USER", "ADMIN"]
    assert rest.metadata["pagination"]["next_cursor"] is None
    root_id = (await house.root.me())["id"]
    assert len((await house.root.get(AUDIT, actor_id=root_id, action="update_user")).data) == 3
    assert (await house.root.get(AUDIT, actor_id=house.her)).data == []
    check_problem(await house.bob.get(AUDIT), 403)


# The chain, as it is seen from outside


async def entries(root: Client) -> list[Any]:
    """All of them by the API, the oldest first."""
    found: list[Any] = []
    query = {"limit": "3"}
    while True:
        page = await root.request("GET", AUDIT, params=query)
        found += page.data
        if not page.metadata["pagination"]["has_more"]:
            return found[::-1]
        query["cursor"] = page.metadata["pagination"]["next_cursor"]


def broken_at(found: list[Any]) -> str | None:
    """As docs/security.md says how a hash is made, from nothing but what the API answers."""
    previous = ""
    for entry in found:
        at = round(datetime.fromisoformat(entry["at"]).timestamp() * 1000)
        states = [None if entry[name] is None else orjson.dumps(entry[name], option=orjson.OPT_SORT_KEYS).decode()
                  for name in ("before", "after")]  # fmt: skip
        told = [entry[name] for name in ("actor_id", "credential", "action", "target_kind", "target_id", "outcome",
                                         "reason", "about_id", "origin_seal", "change_seal")]  # fmt: skip
        origin = [entry[name] for name in ("address", "user_agent", "correlation_id")]
        previous = hashlib.sha256(orjson.dumps([previous, entry["id"], at, *told])).hexdigest()
        sealed = [mac(entry["origin_salt"], origin), mac(entry["change_salt"], states)]
        if previous != entry["hash"] or sealed != [entry["origin_seal"], entry["change_seal"]]:
            return str(entry["id"])
    return None


def mac(salt: str, values: list[Any]) -> str:
    return hmac.new(bytes.fromhex(salt), orjson.dumps(values), "sha256").hexdigest()


async def test_whoever_reads_it_by_the_api_can_verify_it(house: House, tmp_path: Path) -> None:
    """What is changed in the file shows to them, to `xp audit verify` and to `xp db check`."""
    acts = [*of_users(house)[:5], *of_threads(house)]
    for act in acts:
        more = {"id": house.message_id} if act.operation == "delete_message" else {}
        await do(house, act, **more)
    data = tmp_path / "data"

    async def xp(*words: str) -> Ran:
        return await asyncio.to_thread(Xp(data), *words)

    found = await entries(house.root)
    assert len(found) == len(acts)
    assert broken_at(found) is None
    assert ((await xp("audit", "verify")).code, (await xp("db", "check")).code) == (0, 0)
    sql(data, 'UPDATE audit SET after = \'{"role":"USER"}\' WHERE uid = ?', found[2]["id"])
    assert broken_at(await entries(house.root)) == found[2]["id"]
    verdict = await xp("audit", "verify", "--json")
    assert (verdict.code, verdict.json["broken_at"]) == (1, found[2]["id"])
    checked = await xp("db", "check")
    assert (checked.code, "audit log" in checked.out) == (1, True)
