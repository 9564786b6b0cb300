"""Sends notices: mails about changes of an account."""

import logging
from collections.abc import Callable
from email.utils import parseaddr
from functools import partial

from actors import limits
from actors.errors import Forbidden
from actors.identifiers import new_id
from actors.ports import Write
from actors.queries import Reads
from actors.resources.notices import EndNotice, GetNotice, ListDueNotices, Notice
from actors.resources.users import User
from actors.runtime.due_loop import DueLoop
from server.outbound.mail import templates
from server.outbound.mail.mailer import Mailer, MailFailed
from server.telemetry.measures import ServerMeasures

logger = logging.getLogger("server.notices")


class Notices:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, mailer: Mailer, public_url: str, measures: ServerMeasures, *,
        commits: Callable[[], int], must_come_in: Callable[[User], None],
    ) -> None:  # fmt: skip
        """`must_come_in` raises `Forbidden` for a user who may not sign in here."""
        self._reads = reads
        self._write = write
        self._mailer = mailer
        self._url = public_url.rstrip("/")
        self._measures = measures
        self._must_come_in = must_come_in
        self._domain = parseaddr(mailer.sender)[1].rpartition("@")[2]
        self._loop: DueLoop[int] = DueLoop(
            self._take_due, _count_nothing, at_once=limits.LETTERS_AT_ONCE, commits=commits, logger=logger
        )

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """Attempts on their way have a moment to be recorded."""
        await self._loop.stop()

    async def _take_due(self) -> bool:
        for key in await self._reads.ask(ListDueNotices(tuple(self._loop.items))):
            if not self._loop.has_room:
                break
            self._loop.begin(key, partial(self._send, key), self._loop.look_soon)
        return False

    async def _send(self, key: int) -> None:
        notice = await self._reads.ask(GetNotice(key))
        if notice is None:
            await self._write(EndNotice(key, "failed"))
            return
        command = await self._attempt(notice)
        self._measures.letters[notice.kind, (await self._write(command)).result] += 1

    async def _attempt(self, notice: Notice) -> EndNotice:
        try:
            self._must_come_in(notice.user)
            message_id = f"<{new_id()}@{self._domain}>"
            await self._mailer.send(
                templates.notice(self._mailer.sender, notice, url=self._url, message_id=message_id)
            )  # fmt: skip
        except Forbidden:
            return EndNotice(notice.key, "failed")
        except MailFailed as failure:
            logger.warning("a mail about a change of an account could not be sent: %s", failure)
            return EndNotice(notice.key, "failed", retry=failure.retry)
        return EndNotice(notice.key, "sent")


async def _count_nothing() -> None:
    """What becomes of notices is counted as it happens."""
