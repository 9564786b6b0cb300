"""Sends letters: mails with a link that signs in.

Who asks for one by an address gets the same answer whether it is known or not, and at once: the address is looked up
afterwards, by one task, in the order of the requests.
"""

import asyncio
import logging
from email.message import EmailMessage
from email.utils import parseaddr
from functools import partial
from urllib.parse import urlencode

from actors import limits
from actors.auth.identity import Origin
from actors.errors import Forbidden, Overloaded, XpError
from actors.identifiers import new_id
from actors.ports import Write
from actors.queries import Reads
from actors.resources.audit import NoteForAudit
from actors.resources.letters import AskForLink, EndLetter, Letter, ListDueLetters, SealLetter
from actors.runtime.due_loop import DueLoop
from server.auth.issued_secrets import new_letter_secret
from server.auth.sign_ins import SignIns
from server.outbound.mail import templates
from server.outbound.mail.mailer import Mailer, MailFailed
from server.telemetry.measures import ServerMeasures

logger = logging.getLogger("server.letters")


class Letters:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, mailer: Mailer, public_url: str, sign_ins: SignIns, measures: ServerMeasures
    ) -> None:  # fmt: skip
        self._reads = reads
        self._write = write
        self._mailer = mailer
        self._url = public_url.rstrip("/")
        self._sign_ins = sign_ins
        self._measures = measures
        self._domain = parseaddr(mailer.sender)[1].rpartition("@")[2]
        self._asked: asyncio.Queue[AskForLink] = asyncio.Queue(limits.LETTERS_ASKED)
        self._task: asyncio.Task[None] | None = None
        self._loop: DueLoop[int] = DueLoop(
            self._take_due, _count_nothing, at_once=limits.LETTERS_AT_ONCE, commits=_no_commits, logger=logger
        )

    def start(self) -> None:
        self._loop.start()
        self._task = asyncio.get_running_loop().create_task(self._look_up())

    async def stop(self) -> None:
        """Attempts on their way have a moment to be recorded."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._loop.stop()

    def look_soon(self) -> None:
        """A letter was written."""
        self._loop.look_soon()

    def ask(self, email: str, return_to: str, origin: Origin) -> None:
        """Raises `Overloaded`."""
        try:
            self._asked.put_nowait(AskForLink(email, return_to, origin))
        except asyncio.QueueFull:
            raise Overloaded("Too many sign-in links are asked for at the moment; ask again in a moment.") from None

    async def _look_up(self) -> None:
        while True:
            asked = await self._asked.get()
            try:
                await self._write_letter(asked)
            except XpError as error:
                logger.warning("a sign-in link that was asked for is not sent: %s", error)
            except Exception:
                logger.exception("a sign-in link that was asked for is not sent")

    async def _write_letter(self, asked: AskForLink) -> None:
        outcome = (await self._write(asked)).result
        if outcome == "asked":
            self.look_soon()
            return
        self._measures.letters["sign_in", outcome] += 1
        reason = self._sign_ins.refused.reason(_REFUSED[outcome])
        if reason is not None:
            note = NoteForAudit(action="ask_for_sign_in_link", origin=asked.origin, outcome="refused", reason=reason)
            await self._write(note)

    async def _take_due(self) -> bool:
        for key in await self._reads.ask(ListDueLetters(tuple(self._loop.items))):
            if not self._loop.has_room:
                break
            self._loop.begin(key, partial(self._send, key), self._loop.look_soon)
        return False

    async def _send(self, key: int) -> None:
        secret = new_letter_secret()
        letter = (await self._write(SealLetter(key, secret.hash))).result
        if letter is None:
            return
        try:
            self._sign_ins.must_come_in(letter.user)
            await self._mailer.send(self._mail(letter, secret.text))
        except Forbidden:
            command = EndLetter(key, "failed")
        except MailFailed as failure:
            logger.warning("a mail with a sign-in link could not be sent: %s", failure)
            command = EndLetter(key, "failed", retry=failure.retry)
        else:
            command = EndLetter(key, "sent")
        self._measures.letters[letter.kind, (await self._write(command)).result] += 1

    def _mail(self, letter: Letter, secret: str) -> EmailMessage:
        query = {"token": secret, **({"return_to": letter.return_to} if letter.return_to else {})}
        return templates.letter(
            self._mailer.sender, letter, link=f"{self._url}/mail/sign-in?{urlencode(query)}", url=self._url,
            message_id=f"<{new_id()}@{self._domain}>",
        )  # fmt: skip


_REFUSED = {"unknown": "no user who may sign in has the address", "too_soon": "links were sent just now"}


def _no_commits() -> int:
    """Commits of others are no news here: the writer of a letter says so."""
    return 0


async def _count_nothing() -> None:
    """What becomes of letters is counted as it happens."""
