"""E-mail: notifications that you have missed, to the address that you have confirmed."""

import logging

from pydantic import Field

from actors import limits
from actors.errors import Conflict, Unavailable
from actors.resources.mail import AskForVerification, GetMailbox, Mailbox
from server.api.fields import Nothing, Time, View
from server.api.registry import Call, Operations, Result
from server.api.render import Json, maybe_time
from server.outbound.mail.mailer import MailFailed

operations = Operations("mail")
logger = logging.getLogger("server.mail")


class MailboxView(View):
    address: str = Field(description="Yours, as your account has it.")
    verified_at: Time | None = Field(description="Null: no notification is sent to it yet.")
    is_served: bool = Field(description="Whether this server sends e-mail.")


def _shown(call: Call, mailbox: Mailbox) -> Json:
    return {
        "address": mailbox.address,
        "verified_at": maybe_time(mailbox.verified_at),
        "is_served": call.services.digests is not None,
    }


@operations("GET", "/users/me/mailbox", response=MailboxView)
async def get_mailbox(call: Call, request: Nothing) -> Result:
    """Your e-mail address, and whether you have confirmed it."""
    return Result(_shown(call, await call.services.ask(GetMailbox(call.identity))))


@operations("POST", "/users/me/mailbox/verification", response=MailboxView, status=202, rate="audited", waits=True)
async def verify_mailbox(call: Call, request: Nothing) -> Result:
    """Send a link to your address that confirms it, once a minute at most.

    Then, while `deliver` of your preferences has `email`, what you have missed is sent there, several notifications in
    one mail, outside quiet hours.
    """
    digests = call.services.digests
    if digests is None:
        raise Conflict("This server sends no e-mail: its operator has not set SMTP_URL.")
    mailbox, is_due = await _asked(call)
    if not is_due:
        return Result(_shown(call, mailbox))
    try:
        await digests.ask_to_confirm(call.identity.user)
    except MailFailed as failure:
        logger.warning("a mail that confirms an address could not be sent: %s", failure)
        if not failure.retry:
            raise Conflict("The mail server refuses your address; correct it.") from failure
        later = Unavailable("The mail server does not take the mail at the moment; ask again in a minute.")
        later.retry_after = limits.MAIL_ASKED_SECONDS
        raise later from failure
    return Result(_shown(call, mailbox))


async def _asked(call: Call) -> tuple[Mailbox, bool]:
    """And whether a mail is to be sent: by a retry with its key none within a minute, as by any other request."""
    asked = await call.services.write(AskForVerification(identity=call.identity, once=call.once))
    if not asked.replayed:
        return asked.result, True
    try:
        return await call.services.result(AskForVerification(identity=call.identity)), True
    except Conflict:
        return asked.result, False
