"""Hands mails to a mail server, one connection a mail."""

import asyncio
import importlib.util
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING

from actors import limits
from server.outbound.mail.location import MailServer

if TYPE_CHECKING:
    from server.telemetry.tracing.tracer import SpanTracer


class MissingExtra(Exception):
    def __init__(self) -> None:
        super().__init__("SMTP_URL requires the extra `email`: pip install 'experience-server[email]'")


class MailFailed(Exception):
    """The mail server did not take it. `retry`: it may at another time."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Mailer:
    server: MailServer
    sender: str
    """The header `From`."""
    tracer: "SpanTracer | None" = None

    def __post_init__(self) -> None:
        """Raises `MissingExtra`."""
        if importlib.util.find_spec("aiosmtplib") is None:
            raise MissingExtra

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailFailed`."""
        if self.tracer is None:
            await self._send(message)
            return
        with self.tracer.outgoing("mail", {"server.address": self.server.host, "server.port": self.server.port}):
            await self._send(message)

    async def _send(self, message: EmailMessage) -> None:
        import aiosmtplib

        server = self.server
        try:
            async with asyncio.timeout(limits.MAIL_SECONDS):
                await aiosmtplib.send(
                    message, hostname=server.host, port=server.port, username=server.user, password=server.password,
                    use_tls=server.scheme == "smtps", start_tls=server.scheme == "smtp", timeout=limits.MAIL_SECONDS,
                )  # fmt: skip
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            code = max((each.code for each in refusal.recipients), default=0)
            raise MailFailed(f"the address was refused ({code})", retry=code < 500) from refusal
        except aiosmtplib.SMTPResponseException as refusal:
            # Of our name, key or sender it refuses every mail, until an operator has mended that.
            passes = refusal.code < 500 or not isinstance(refusal, aiosmtplib.SMTPDataError)
            raise MailFailed(f"the mail server answered {refusal.code}", retry=passes) from refusal
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailFailed(str(error) or type(error).__name__, retry=True) from error
