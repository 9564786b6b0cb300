"""What is done to addresses: asked about, confirmed, doubted; and the end of mail to a user."""

import orjson

from actors import limits
from actors.errors import Conflict
from actors.outcomes import Done
from actors.resources.mail import AskForVerification, ConfirmAddress, DoubtAddress, EndMail, Mailbox
from actors.resources.user_events import PREFERENCES_UPDATED
from storage.journal import results, user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.mail.reading import A, mailbox
from storage.resources.notifications import writing as notifications
from storage.resources.preferences.reading import of_user
from storage.schema import models, notification_models

_U, _P = models.User, notification_models.Preference


@writes(AskForVerification)
def ask(tx: Transaction, command: AskForVerification) -> Done[Mailbox]:
    user_key = command.identity.user.key
    row = rows.first(tx.database, A.select(A.asked_at).where(A.user == user_key))
    if row is not None and row[0] <= tx.now < row[0] + limits.MAIL_ASKED_SECONDS * 1000:
        raise Conflict("A mail was sent to this address within the last minute; look there, or ask again later.")
    known = mailbox(tx.database, command.identity)
    if row is None:
        tx.execute(A.insert(user=user_key, address=known.address, asked_at=tx.now))
    else:
        columns = {"address": known.address, "asked_at": tx.now, "verified_at": known.verified_at}
        tx.execute(A.update(columns).where(A.user == user_key))
    return Done(known)


@writes(ConfirmAddress)
def confirm(tx: Transaction, command: ConfirmAddress) -> Done[int]:
    same = (_U.uid == command.user_id) & (_U.email == command.address) & (_U.status == "ACTIVE")
    row = rows.first(tx.database, _U.select(_U.id).where(same))
    if row is None:
        return Done(0)
    known = (A.user == row[0]) & (A.address == command.address)
    return Done(tx.execute(A.update(verified_at=tx.now).where(known)))


@writes(DoubtAddress)
def doubt(tx: Transaction, command: DoubtAddress) -> Done[None]:
    tx.execute(A.update(verified_at=None).where(A.user == command.user_key))
    return Done(None)


@writes(EndMail)
def end(tx: Transaction, command: EndMail) -> Done[int]:
    row = rows.first(tx.database, _U.select(_U.id).where(_U.uid == command.user_id))
    if row is None:
        return Done(0)
    before = of_user(tx.database, row[0])
    if "email" not in before.deliver:
        return Done(0)
    left = orjson.dumps([way for way in before.deliver if way != "email"]).decode()
    tx.execute(_P.update(deliver=left, version=_P.version + 1).where(_P.user == row[0]))
    notifications.withdraw_ways(tx, row[0], ["email"])
    after = of_user(tx.database, row[0])
    return Done(1, user_events=user_log.tell(tx, [Entry(row[0], PREFERENCES_UPDATED, after, {})]))


PERSONAL = (Personal(A.user, withheld="whether the address, which the export shows, was confirmed"),)

results.keep(Mailbox, refer=lambda _: {}, load=lambda tx, identity, _: mailbox(tx.database, identity))
