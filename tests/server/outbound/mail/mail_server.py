"""A mail server of the tests: what it got, and whatever it answers."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailServer:
    port: int = 0
    refuses: str = ""
    """What it answers to a recipient; empty: it takes it."""
    refuses_sender: str = ""
    """What it answers to our own address; empty: it takes it."""
    holds: asyncio.Event | None = None
    """It takes nothing before this is set; None: at once."""
    got: list[EmailMessage] = field(default_factory=list)
    users: list[Any] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses_sender:
            return self.refuses_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - a name of aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.holds is not None:
            await self.holds.wait()
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = email.message_from_bytes(cast(bytes, envelope.content), policy=default)
        async with self._news:
            self.got.append(cast(EmailMessage, message))
            self.users.append(session.auth_data)
            self._news.notify_all()
        return "250 OK"

    async def until(self, count: int) -> list[EmailMessage]:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)
        return self.got


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    made = MailServer()

    def knows(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=given.password == b"a secret", auth_data=given.login)

    def protocol() -> SMTP:
        return SMTP(made, hostname="localhost", authenticator=knows, auth_require_tls=False, enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def part(mail: EmailMessage, kind: str) -> str:
    """`plain` or `html`."""
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())
