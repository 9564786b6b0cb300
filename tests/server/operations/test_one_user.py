"""Two tokens of trusted issuers with one verified address are one user, also where both come at once at first."""

import asyncio

from tests.serving import Client, Server


async def test_two_first_sights_at_once(server: Server, root: Client) -> None:
    said = {"email": "ana@rpotential.ai", "name": "Ana"}
    comers = [root.saying(sub=f"ana-{n}", iss=f"https://issuer-{n}", **said) for n in range(8)]
    found = await asyncio.gather(*(comer.me() for comer in comers))
    assert len({me["id"] for me in found}) == 1
    again = root.saying(sub="ana-3", iss="https://issuer-3", jti="another token", **said)
    assert (await again.me())["id"] == found[0]["id"]
    entries = (await root.get("/api/v1/admin/audit", action="link_account")).data
    assert len(entries) == 7
    assert {entry["target_id"] for entry in entries} == {found[0]["id"]}


async def test_what_one_writes_is_the_others(server: Server, root: Client) -> None:
    one = root.saying(sub="ana", iss="https://old", email="Ana@rpotential.ai", name="Ana")
    thread = await one.thread("Mine")
    two = root.saying(sub="00u1", iss="https://new", email="ana@rpotential.ai", email_verified="true")
    assert [found["id"] for found in (await two.get("/api/v1/threads")).data] == [thread["id"]]
    three = root.saying(sub="00u2", email="ana@rpotential.ai", email_verified="false", domain="rpotential.ai")
    assert (await three.get("/api/v1/threads")).data == []
