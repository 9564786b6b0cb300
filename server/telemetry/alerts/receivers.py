"""Who hears of alerts: a URL, mailboxes, a thread."""

import asyncio
import ipaddress
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parseaddr
from html import escape
from typing import Any, Protocol

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.auth.system import ENSURE_SYSTEM, system_identity
from actors.commands import Makes
from actors.errors import Conflict, XpError
from actors.identifiers import new_id
from actors.resources.members import AddMember
from actors.resources.messages import PostMessage
from server.outbound.addresses import AddressRules
from server.outbound.mail import templates
from server.outbound.mail.mailer import Mailer, MailFailed
from server.outbound.posting import Poster
from server.telemetry.alerts.alert import Notice
from server.telemetry.alerts.wording import document, sentence

logger = logging.getLogger("server.alerts")
CREDENTIAL = "alerts"
"""In the audit log: `token:alerts`."""


class NotSent(Exception):
    """It is tried again."""


class Receiver(Protocol):
    name: str
    """For the log: without addresses or secrets."""

    async def send(self, notice: Notice, notice_id: str) -> None:
        """Raises `NotSent`. The same id comes with each attempt."""

    async def close(self) -> None: ...


class Line:
    """Notices for one receiver, in order; each is tried again until it is sent. Confined to the event loop."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._waiting: deque[tuple[Notice, str]] = deque(maxlen=limits.ALERT_QUEUE)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def add(self, notice: Notice) -> None:
        self._waiting.append((notice, new_id()))
        self._news.set()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._send(*self._waiting.popleft())

    async def _send(self, notice: Notice, notice_id: str) -> None:
        wait = limits.ALERT_RETRY_SECONDS
        while True:
            try:
                await self._receiver.send(notice, notice_id)
            except NotSent as failure:
                logger.warning("the alert %r waits: %s: %s", notice.rule.text, self._receiver.name, failure)
            except Exception:
                logger.exception("the alert %r was given up: %s", notice.rule.text, self._receiver.name)
                return
            else:
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, limits.ALERT_RETRY_SECONDS_MOST)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._receiver.close()


class ToUrl:
    """POST of JSON, to wherever the operator says, also inside the network."""

    name = "ALERT_WEBHOOK"

    def __init__(self, url: str, server: str) -> None:
        everywhere = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
        self._poster = Poster(AddressRules(everywhere))
        self._url = url
        self._server = server

    async def send(self, notice: Notice, notice_id: str) -> None:
        body = orjson.dumps(document(notice, self._server))
        headers = {"Content-Type": "application/json", "Idempotency-Key": notice_id}
        answer = await self._poster.post(self._url, body, headers, seconds=limits.ALERT_SEND_SECONDS)
        if answer.error is not None:
            raise NotSent(f"it answered {answer.status}" if answer.status else answer.error)

    async def close(self) -> None:
        await self._poster.close()


class ToMail:
    name = "ALERT_MAIL"

    def __init__(self, mailer: Mailer, addresses: Sequence[str], server: str) -> None:
        self._mailer = mailer
        self._addresses = addresses
        self._server = server

    async def send(self, notice: Notice, notice_id: str) -> None:
        says = sentence(notice)
        subject = f"[{self._server}] {notice.state}: {notice.rule.text}"
        domain = parseaddr(self._mailer.sender)[1].rpartition("@")[2]
        mail = templates.message(
            self._mailer.sender, ", ".join(self._addresses), subject, f"{says}\n", f"<p>{escape(says)}</p>",
            f"<{notice_id}@{domain}>",
        )  # fmt: skip
        try:
            await self._mailer.send(mail)
        except MailFailed as failure:
            raise NotSent(str(failure)) from failure

    async def close(self) -> None:
        """Nothing: each mail has a connection of its own."""


class ToThread:
    """A message by System, who becomes a member first."""

    name = "ALERT_THREAD"

    def __init__(
        self, thread_id: str, write: Callable[[Makes[Any]], Awaitable[Any]], ask: Callable[[Any], Awaitable[Any]]
    ) -> None:
        """`write` appends to the journal, `ask` asks the thread's actor; both answer a `Done`."""
        self._thread_id = thread_id
        self._write = write
        self._ask = ask

    async def send(self, notice: Notice, notice_id: str) -> None:
        try:
            system = await self._system()
            await self._ask(AddMember(identity=system, thread_id=self._thread_id, user_id=system.user.id))
            await self._ask(self._message(system, notice, notice_id))
        except Conflict as conflict:
            if conflict.code != "id_taken":  # else it was written by the attempt before
                raise NotSent(conflict.detail) from conflict
        except XpError as error:
            raise NotSent(error.detail) from error

    async def _system(self) -> Identity:
        return system_identity((await self._write(ENSURE_SYSTEM)).result, CREDENTIAL)

    def _message(self, system: Identity, notice: Notice, notice_id: str) -> PostMessage:
        facts = {"alert": notice.rule.text, "state": notice.state}
        return PostMessage(
            identity=system, thread_id=self._thread_id, message_id=notice_id, content=sentence(notice), type="SYSTEM",
            metadata=orjson.dumps(facts).decode(),
        )  # fmt: skip

    async def close(self) -> None:
        """Nothing is open."""
