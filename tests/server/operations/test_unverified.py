"""An address that its issuer has not verified makes nobody the person whom an administrator invited."""

from typing import Any

import pytest

from tests.serving import Server


@pytest.mark.parametrize("said", [False, "false", "no", 0, 1, None, ["true"], {"verified": True}, "True"])
async def test_an_unverified_address_is_not_the_invited_admin(server: Server, said: Any) -> None:
    root = server.client("root", role="ADMIN")
    ceo = {"email": "ceo@rpotential.ai", "name": "The CEO", "role": "ADMIN"}
    invited = (await root.post("/api/v1/users", **ceo)).data
    eve = root.saying(sub="eve", email=ceo["email"], domain="rpotential.ai", email_verified=said)
    me = await eve.me()
    assert me["id"] != invited["id"]
    assert me["role"] == "USER"
    assert me["email"] == ""


@pytest.mark.parametrize("said", [{}, {"email_verified": True}, {"email_verified": "true"}])
async def test_a_verified_address_is(server: Server, said: dict[str, Any]) -> None:
    root = server.client("root", role="ADMIN")
    ceo = {"email": "CEO@rpotential.ai", "name": "The CEO", "role": "ADMIN"}
    invited = (await root.post("/api/v1/users", **ceo)).data
    me = await root.saying(sub="ceo", email="ceo@RPOTENTIAL.ai", **said).me()
    assert (me["id"], me["role"]) == (invited["id"], "ADMIN")
