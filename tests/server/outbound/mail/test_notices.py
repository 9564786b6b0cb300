"""Mails about changes of an account, through a real mail server."""

import asyncio
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.commands import Purge
from actors.resources.users import EnsureUser
from tests.builders import until_asked
from tests.server.operations.signing_in import PASSWORD, sign_in, sql
from tests.server.outbound.mail.mail_server import MailServer, part
from tests.serving import Client, Server, serving

PREFERENCES = "/api/v1/users/me/preferences"
KEYS = "/api/v1/auth/api-keys"
ADDRESS = "alice@rpotential.ai"


@pytest.fixture
async def her(server: Server) -> str:
    """Id of Alice, who is known to the server."""
    return str((await server.client("alice").me())["id"])


def notices(server: Server) -> list[tuple[Any, ...]]:
    data = server.services.measured_files["database"].parent
    return sql(data, "SELECT kind, state FROM notice ORDER BY id")


async def once(server: Server, *states: str) -> None:
    async def are_so() -> bool:
        return [state for _, state in notices(server)] == list(states)

    await until_asked(are_so)


def words(mail: EmailMessage) -> str:
    return part(mail, "plain")


async def test_a_password_that_is_set_and_changed(server: Server, root: Client, her: str, mails: MailServer) -> None:
    device = await sign_in(server, root, her, new_password=PASSWORD)
    (first,) = await mails.until(1)
    assert (first["To"], first["Subject"]) == (ADDRESS, "Your password was changed")
    assert "was set or changed, on 20" in words(first)
    assert "from 127.0.0.1, " in words(first), "as the list of sessions has it"
    assert "cannot be switched off" in part(first, "html")
    assert first["List-Unsubscribe"] is None
    changed = await device.client.post(
        "/api/v1/auth/password", new_password="another horse battery staple", current_password=PASSWORD
    )
    assert changed.status == 200, changed.raw
    second = (await mails.until(2))[1]
    for secret in (PASSWORD, "another horse battery staple", "token="):
        assert secret not in first.as_string() + second.as_string()
    await once(server, "sent", "sent")


async def test_another_address_is_told_to_the_old_one(
    server: Server, root: Client, her: str, mails: MailServer
) -> None:
    assert (await root.patch(f"/api/v1/users/{her}", email="other@rpotential.ai")).status == 200
    (mail,) = await mails.until(1)
    assert mail["To"] == ADDRESS
    assert "by an administrator" in words(mail)
    assert "other@rpotential.ai" not in mail.as_string()
    assert "127.0.0.1" not in mail.as_string(), "where an administrator is, is not theirs to know"
    assert (await root.patch(f"/api/v1/users/{her}", name="Al")).status == 200
    await once(server, "sent")


async def test_an_api_key_whose_name_others_may_have_chosen(
    server: Server, root: Client, her: str, mails: MailServer
) -> None:
    made = await root.post(KEYS, name="<b>ci</b>", scopes=["read"], user_id=her)
    assert made.status == 201, made.raw
    (mail,) = await mails.until(1)
    assert mail["Subject"] == "A new API key"
    assert "The API key <b>ci</b> was made" in words(mail)
    assert "&lt;b&gt;ci" in part(mail, "html")
    assert made.data["key"] not in mail.as_string()


async def test_an_account_of_another_issuer(server: Server, her: str, mails: MailServer) -> None:
    token = EnsureUser(
        issuer="https://login.example.com", subject="alice-there", email=ADDRESS, name="Alice", domain="rpotential.ai",
        role=None, kind="HUMAN",
    )  # fmt: skip
    await server.services.write(token)
    (mail,) = await mails.until(1)
    assert "can now be used by a sign-in with https://login.example.com, too" in words(mail)
    await server.services.write(token)
    await once(server, "sent")


async def test_no_preference_ends_them(server: Server, root: Client, her: str, mails: MailServer) -> None:
    alice = server.client("alice")
    assert (await alice.patch(PREFERENCES, deliver=[])).status == 200
    await sign_in(server, root, her, new_password=PASSWORD)
    await mails.until(1)


async def test_it_waits_until_the_mail_server_takes_it(
    server: Server, root: Client, her: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.LETTER_DELAYS", (0, 0, 0, 0, 0, 0))
    mails.refuses = "451 not now"
    await sign_in(server, root, her, new_password=PASSWORD)

    async def was_tried() -> bool:
        return server.services.measures.letters["password_changed", "pending"] > 0

    await until_asked(was_tried)
    mails.refuses = ""
    await mails.until(1)
    await once(server, "sent")


@pytest.mark.parametrize("change", ["deactivated", "deleted", "another address"])
async def test_what_has_happened_meanwhile_counts(
    server: Server, root: Client, her: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The first one waits at the mail server, so that the other is looked at after the change."""
    monkeypatch.setattr("actors.limits.LETTERS_AT_ONCE", 1)
    assert server.services.notices is not None
    server.services.notices._loop._at_once = 1
    bob = (await server.client("bob").me())["id"]
    mails.holds = asyncio.Event()
    await sign_in(server, root, bob, new_password=PASSWORD)
    await sign_in(server, root, her, new_password=PASSWORD)
    match change:
        case "deactivated":
            await root.patch(f"/api/v1/users/{her}", status="DEACTIVATED")
        case "deleted":
            await root.delete(f"/api/v1/users/{her}")
        case _:
            sql(
                server.services.measured_files["database"].parent,
                "UPDATE user SET email = 'x@y.org' WHERE uid = ?",
                her,
            )
    mails.holds.set()
    states = ["sent"] if change == "deleted" else ["sent", "failed"]
    await once(server, *states)
    assert [mail["To"] for mail in mails.got] == ["bob@rpotential.ai"]


async def test_one_user_gets_a_few_an_hour(
    server: Server, root: Client, her: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.NOTICES_PER_HOUR", 2)
    for n in range(4):
        made = await root.post(KEYS, name=f"key {n}", scopes=["read"], user_id=her)
        assert made.status == 201
    await mails.until(2)
    await once(server, "sent", "sent")
    data = server.services.measured_files["database"].parent
    sql(data, "UPDATE notice SET created_at = created_at - ?", 3_600_000)
    await sign_in(server, root, her, new_password=PASSWORD)
    await mails.until(3)


async def test_a_server_that_sends_no_mail_keeps_none_of_it_for_long(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        her = (await server.client("alice").me())["id"]
        await sign_in(server, root, her, new_password=PASSWORD)
        assert notices(server) == [("password_changed", "pending")]
        sql(tmp_path / "data", "UPDATE notice SET created_at = created_at - ?", limits.NOTICE_DAY_SECONDS * 1000 + 1)
        await server.services.write(Purge())
        assert notices(server) == []
