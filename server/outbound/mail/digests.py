"""The way `email` of the outbox: digests of what a user has missed, to an address that they have confirmed."""

import hashlib
import random
from collections.abc import Sequence
from email.utils import parseaddr

from actors import limits
from actors.identifiers import new_id
from actors.ports import Write
from actors.queries import Reads
from actors.resources.mail import DoubtAddress, LoadDigest
from actors.resources.outbox import DueRows, OutboxError, RecordFailed, RecordSent, WithdrawRows
from actors.resources.users import User
from server.outbound.mail import templates
from server.outbound.mail.links import MailLinks
from server.outbound.mail.mailer import Mailer, MailFailed


class DigestMailer:
    """Confined to the event loop."""

    def __init__(self, reads: Reads, write: Write, mailer: Mailer, links: MailLinks, *, gathered: int) -> None:
        """`gathered`: seconds in which notifications gather to be sent in one mail."""
        self._reads = reads
        self._write = write
        self._mailer = mailer
        self.links = links
        self.gathered = gathered
        self._domain = parseaddr(mailer.sender)[1].rpartition("@")[2]

    async def close(self) -> None:
        """Nothing: each mail has a connection of its own."""

    async def send(self, due: DueRows) -> Sequence[str]:
        found = await self._reads.ask(LoadDigest(due.user.key, due.keys))
        if found is None:
            await self._write(WithdrawRows(due.keys))
            return ["read"] * len(due.keys)
        if not found.is_verified:
            return await self._failed(due, "no_recipient", retry=False)
        to = due.user.email
        mail = templates.digest(
            self._mailer.sender, to, found, url=self.links.public_url,
            unsubscribe=self.links.link("unsubscribe", due.user.id, to), message_id=self._id_of(due),
        )  # fmt: skip
        try:
            await self._mailer.send(mail)
        except MailFailed as failure:
            if not failure.retry:
                await self._write(DoubtAddress(due.user.key))
            return await self._failed(due, "unreachable" if failure.retry else "refused", retry=failure.retry)
        await self._write(RecordSent(due.keys))
        return ["sent"] * len(due.keys)

    def _id_of(self, due: DueRows) -> str:
        """The same for the same notifications: of a mail that was sent twice, mail programs show one."""
        named = hashlib.sha256(f"{due.user.id} {due.keys}".encode()).hexdigest()[:32]
        return f"<{named}@{self._domain}>"

    async def _failed(self, due: DueRows, error: OutboxError, *, retry: bool) -> Sequence[str]:
        chance = random.random()  # noqa: S311 - spreads retries
        done = await self._write(RecordFailed(due.keys, error, retry=retry, chance=chance))
        return [str(done.result)] * len(due.keys)

    async def ask_to_confirm(self, user: User) -> None:
        """Raises `MailFailed`."""
        link = self.links.link("confirm", user.id, user.email, limits.MAIL_VERIFICATION_SECONDS)
        url = self.links.public_url
        named = f"<{new_id()}@{self._domain}>"
        await self._mailer.send(
            templates.verification(self._mailer.sender, user.email, link=link, url=url, message_id=named)
        )
