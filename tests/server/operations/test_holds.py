"""Legal holds over REST: administrators place and remove them, and the audit log says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.serving import Server, serving

HOLDS = "/api/v1/admin/holds"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as running:
        yield running


async def test_a_hold_keeps_a_user_from_being_deleted(server: Server) -> None:
    root, ana = server.client("root", role="ADMIN"), server.client("ana")
    her = (await ana.me())["id"]
    made = await root.post(HOLDS, kind="user", target_id=her, reason="case 2026-17")
    assert made.status == 201
    assert (made.data["kind"], made.data["target_id"], made.data["reason"]) == ("user", her, "case 2026-17")
    assert made.data["creator_id"] == (await root.me())["id"]
    assert (await root.get(HOLDS, target_id=her)).data == [made.data]

    refused = await root.delete(f"/api/v1/users/{her}")
    assert (refused.status, refused.error["code"]) == (409, "legal_hold")
    assert "Deactivate the account instead" in refused.error["detail"]
    assert (await root.get(f"/api/v1/users/{her}/export")).status == 200, "an export removes nothing"

    facts = {"hold": made.data["id"], "reason": "case 2026-17"}
    (entry,) = (await root.get("/api/v1/admin/audit", action="add_hold")).data
    assert (entry["target_kind"], entry["target_id"], entry["before"], entry["after"]) == ("user", her, None, facts)

    assert (await root.delete(f"{HOLDS}/{made.data['id']}")).data == {"id": made.data["id"], "deleted": True}
    (entry,) = (await root.get("/api/v1/admin/audit", action="remove_hold")).data
    assert (entry["target_id"], entry["before"], entry["after"]) == (her, facts, None)
    assert (await root.delete(f"/api/v1/users/{her}")).status == 200


async def test_who_is_no_administrator_any_more_learns_nothing_of_a_hold_by_a_retry(server: Server) -> None:
    root, eve = server.client("root", role="ADMIN"), server.client("eve", role="ADMIN")
    key, hold = {"Idempotency-Key": "k"}, {"kind": "user", "target_id": (await root.me())["id"], "reason": "case 7"}
    made = await eve.post(HOLDS, key, **hold)
    assert (await eve.post(HOLDS, key, **hold)).data == made.data
    assert (await root.patch(f"/api/v1/users/{(await eve.me())['id']}", role="USER")).status == 200
    assert (await eve.post(HOLDS, key, **hold)).status == 403
