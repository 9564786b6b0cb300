import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server.outbound.mail.mail_server import MailServer, mail_server, part
from tests.serving import Client, Server, serving

PUBLIC = "https://chat.example.com"
VERIFICATION = "/api/v1/users/me/mailbox/verification"


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as made:
        yield made


@pytest.fixture
def mail_settings(mails: MailServer) -> dict[str, str]:
    return {
        "SMTP_URL": f"smtp+plain://chat:a%20secret@127.0.0.1:{mails.port}", "PUBLIC_URL": PUBLIC,
        "MAIL_FROM": "Chat <chat@example.com>",
    }  # fmt: skip


@pytest.fixture
async def server(
    tmp_path: Path, mail_settings: dict[str, str], request: pytest.FixtureRequest
) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", **mail_settings) as running:
        if "gathering" not in request.fixturenames:
            let_go(running)
        yield running


@pytest.fixture
def gathering() -> None:
    """Notifications gather, as they do by default, until `let_go`."""


def let_go(server: Server) -> None:
    assert server.services.digests is not None
    server.services.digests.gathered = 0


@pytest.fixture
async def bob(server: Server, mails: MailServer) -> Client:
    """Has confirmed the address, and wants e-mail."""
    client = server.client("bob")
    assert (await client.post(VERIFICATION)).status == 202
    (mail,) = await mails.until(1)
    assert (await client.post(path_of(mail_link(part(mail, "plain"))))).status == 200
    mails.got.clear()
    assert (await client.patch("/api/v1/users/me/preferences", deliver=["email"])).status == 200
    return client


@pytest.fixture
async def thread(alice: Client, bob: Client) -> str:
    made = await alice.thread("Plans", members=[])
    await alice.post(f"/api/v1/threads/{made['id']}/members", user_id=(await bob.me())["id"])
    await bob.post("/api/v1/notifications/read-all")
    return str(made["id"])


def mail_link(text: str) -> str:
    found = re.search(r"https://chat\.example\.com/mail/\S+", text)
    assert found is not None, text
    return found[0].rstrip(">")


def path_of(link: str) -> str:
    """On the server of the tests."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"
