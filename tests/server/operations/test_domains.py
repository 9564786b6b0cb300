"""ALLOWED_DOMAINS binds every way in: also what was made before it was narrowed."""

from pathlib import Path

import pytest

from tests.realtime_client import raw_client
from tests.server.files.uploading import upload
from tests.server.operations.signing_in import nobody, sign_in
from tests.server.operations.sweep.requests import check_problem
from tests.server.outbound.webhooks.hooks import deliveries, hook, in_state
from tests.server.outbound.webhooks.receiver import receiving
from tests.serving import serving

HOOKS = {"WEBHOOK_NETWORKS": "127.0.0.1"}
ME = "/api/v1/users/me"


async def test_a_narrowed_rule_binds_what_was_made_before(tmp_path: Path) -> None:
    data, old = tmp_path / "data", "ana@old.example"
    async with serving(data, ALLOWED_DOMAINS="rpotential.ai,old.example") as server:
        root = server.client("root", role="ADMIN")
        ana = (await root.post("/api/v1/users", email=old, name="Ana")).data
        device = await sign_in(server, root, ana["id"], new_password="correct horse battery staple")
        key = (await root.post("/api/v1/auth/api-keys", name="k", user_id=ana["id"])).data["key"]
        link = (await root.post(f"/api/v1/admin/users/{ana['id']}/sign-in-link")).data["link"]
        assert await device.status() == 200
    async with serving(data) as server:
        session, by_token, by_key = device.client.token, server.client("ana", email=old, domain="old.example"), key
        for token in (session, by_token.token, by_key):
            client = server.client("any")
            client.token = token
            assert check_problem(await client.get(ME), 403)["code"] == "domain_not_allowed"
            assert check_problem(await client.get("/api/v1/events"), 403)["code"] == "domain_not_allowed"
            async with server.session.get(server.url + ME, headers={"Cookie": f"rpotential_auth={token}"}) as answer:
                assert answer.status == 403
            with pytest.raises(Exception):  # noqa: B017, PT011 - however the client of the tests says that it was closed
                async with raw_client(server.session, server.websocket_url, token):
                    pass
        for body in ({"link": link}, {"email": old, "password": "correct horse battery staple"}):
            answer = await nobody(server).post("/api/v1/auth/login", **body)
            assert check_problem(answer, 403)["code"] == "domain_not_allowed"
        refreshed = await nobody(server).post("/api/v1/auth/refresh", refresh_token=device.refresh_token)
        assert check_problem(refreshed, 403)["code"] == "domain_not_allowed"
    async with serving(data, ALLOWED_DOMAINS="*") as server:
        client = server.client("any")
        for client.token in (session, by_token.token, by_key):
            assert (await client.get(ME)).status == 200


async def test_with_the_address_goes_the_domain_that_it_said(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ALLOWED_DOMAINS="rpotential.ai,partner.example") as server:
        root = server.client("root", role="ADMIN")
        users = [
            (await root.post("/api/v1/users", email=f"{name}@rpotential.ai", name=name, **more)).data
            for name, more in (("ana", {}), ("bo", {"domain": "partner.example"}))
        ]
        devices = [await sign_in(server, root, user["id"]) for user in users]
        changed = [
            (await root.patch(f"/api/v1/users/{user['id']}", email=f"{user['name']}@elsewhere.example")).data
            for user in users
        ]
        assert [user["domain"] for user in changed] == ["elsewhere.example", "partner.example"]
        assert [await device.status() for device in devices] == [403, 200]
        await root.patch(f"/api/v1/users/{users[0]['id']}", email="ana@partner.example")
        assert await devices[0].status() == 200


async def test_a_connection_ends_where_its_user_moves_to_a_domain_that_may_not_come_in(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ALLOWED_DOMAINS="rpotential.ai") as server:
        root = server.client("root", role="ADMIN")
        ana = (await root.post("/api/v1/users", email="ana@rpotential.ai", name="Ana")).data
        device = await sign_in(server, root, ana["id"])
        async with raw_client(server.session, server.websocket_url, device.client.token) as connection:
            await root.patch(f"/api/v1/users/{ana['id']}", email="ana@elsewhere.example")
            assert (await connection.closed()).code == 3005
        assert await device.status() == 403


async def test_a_narrowed_rule_binds_links_and_webhooks(tmp_path: Path) -> None:
    """What works without its maker: a signed URL of a file, a link to an artifact, and a webhook, which waits."""
    data, old = tmp_path / "data", "ana@old.example"
    async with receiving() as receiver:
        async with serving(data, ALLOWED_DOMAINS="rpotential.ai,old.example", **HOOKS) as server:
            ana, bo = server.client("ana", email=old, domain="old.example"), server.client("bo")
            thread = await ana.thread(members=[{"user_id": (await bo.me())["id"]}])
            file = await upload(ana, b"bytes", thread_id=thread["id"])
            signed = (await ana.post(f"/api/v1/files/{file['id']}/sign")).data["url"]
            made = await ana.post(f"/api/v1/threads/{thread['id']}/artifacts", type="REPORT", title="t", content="x")
            link = (await ana.post(f"/api/v1/artifacts/{made.data['id']}/shares")).data["url"]
            hooks = [await hook(client, receiver) for client in (ana, bo)]
            assert [(await bo.get(url)).status for url in (signed, link)] == [200, 200]
        async with serving(data, **HOOKS) as server:
            bo.url = server.url
            bo.session = server.session
            for url in (signed, link):
                assert check_problem(await nobody(server).get(url), 403)["code"] == "domain_not_allowed"
            for text in ("one", "two"):
                await bo.say(thread, text)
                await in_state(bo, hooks[1], "delivered", 1 + (text == "two"))
            waits = await deliveries(server.client("root", role="ADMIN"), hooks[0])
            assert [(each["state"], each["attempts"]) for each in waits] == [("pending", 0)] * 2
            assert len(receiver.got) == 2
        async with serving(data, ALLOWED_DOMAINS="*", **HOOKS):
            await receiver.until(4)


async def test_whoever_makes_a_user_who_may_not_come_in_hears_of_it(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        made = await root.post("/api/v1/users", email="ana@example.com", name="Ana")
        assert "ALLOWED_DOMAINS" in made.metadata["warnings"][0]
        assert "example.com" in made.metadata["warnings"][0]
        link = await root.post(f"/api/v1/admin/users/{made.data['id']}/sign-in-link")
        assert link.metadata["warnings"] == made.metadata["warnings"]
        fine = await root.post("/api/v1/users", email="bo@rpotential.ai", name="Bo")
        assert "warnings" not in fine.metadata
