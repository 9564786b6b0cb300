"""Addresses in the store: confirmed, doubted and changed; and the end of mail to a user."""

import pytest

from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.identifiers import new_id
from actors.resources.mail import AskForVerification, ConfirmAddress, DoubtAddress, EndMail, GetMailbox
from actors.resources.notifications import Preferences, UpdatePreferences
from actors.resources.users import UpdateUser
from storage.journal import transaction
from storage.readers.answers import answer
from tests.builders import Ledger


def is_verified(ledger: Ledger, who: Identity) -> bool:
    return ledger.ask(answer, GetMailbox(who)).verified_at is not None


def confirmed(ledger: Ledger, who: Identity, address: str = "") -> object:
    return ledger.do(ConfirmAddress(who.user.id, address or who.user.email)).result


@pytest.fixture
def asked(ledger: Ledger, ana: Identity) -> None:
    ledger.do(AskForVerification(identity=ana))


@pytest.mark.usefixtures("asked")
def test_an_address_is_confirmed_until_it_is_doubted_or_changed(ledger: Ledger, ana: Identity, root: Identity) -> None:
    assert not is_verified(ledger, ana)
    assert confirmed(ledger, ana) == 1
    assert is_verified(ledger, ana)
    ledger.do(DoubtAddress(ana.user.key))
    assert not is_verified(ledger, ana)
    assert confirmed(ledger, ana) == 1
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, email="other@example.com"))
    assert not is_verified(ledger, ana)


@pytest.mark.usefixtures("asked")
def test_a_link_to_another_address_or_of_one_who_may_not_sign_in_confirms_nothing(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity
) -> None:
    assert confirmed(ledger, ana, bo.user.email) == 0
    assert confirmed(ledger, bo) == 0, "who did not ask"
    assert ledger.do(ConfirmAddress(new_id(), ana.user.email)).result == 0
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, status="DEACTIVATED"))
    assert confirmed(ledger, ana) == 0
    assert not is_verified(ledger, ana)


@pytest.mark.usefixtures("asked")
def test_a_second_mail_waits_for_a_minute(ledger: Ledger, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    since = ledger.one("SELECT asked_at FROM mail_address")
    monkeypatch.setattr(transaction, "now_ms", lambda: since + 59_999)
    with pytest.raises(Conflict, match="within the last minute"):
        ledger.do(AskForVerification(identity=ana))
    monkeypatch.setattr(transaction, "now_ms", lambda: since + 60_000)
    assert confirmed(ledger, ana) == 1
    ledger.do(AskForVerification(identity=ana))
    assert is_verified(ledger, ana), "it is confirmed as long as it stays the same"


def test_the_end_of_mail_is_another_version_of_the_preferences(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    before = ledger.do(UpdatePreferences(identity=ana, deliver=("push", "email"))).result
    assert isinstance(before, Preferences)
    done = ledger.do(EndMail(ana.user.id))
    (event,) = done.user_events
    after = event.data
    assert isinstance(after, Preferences)
    assert (done.result, after.deliver, after.version) == (1, ("push",), before.version + 1)
    for user_id in (ana.user.id, bo.user.id, new_id()):
        done = ledger.do(EndMail(user_id))
        assert (done.result, done.user_events) == (0, ()), "there was none"


@pytest.fixture
def both(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    """Have asked, and have confirmed their addresses."""
    for who in (bo, ana):
        ledger.do(AskForVerification(identity=who))
        confirmed(ledger, who)


@pytest.mark.usefixtures("both")
def test_a_doubt_is_about_one_address(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    assert ledger.do(DoubtAddress(ana.user.key)).result is None
    assert (is_verified(ledger, ana), is_verified(ledger, bo)) == (False, True)


def test_an_address_is_confirmed_for_one_user(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    for who in (bo, ana):
        ledger.do(AskForVerification(identity=who))
    assert confirmed(ledger, ana) == 1
    assert (is_verified(ledger, ana), is_verified(ledger, bo)) == (True, False)


@pytest.mark.usefixtures("both")
def test_a_changed_address_is_asked_about_anew(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = ledger.one("SELECT max(asked_at) FROM mail_address") + 60_000
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, email="other@example.com"))
    monkeypatch.setattr(transaction, "now_ms", lambda: now)
    found = ledger.do(AskForVerification(identity=ana)).result
    assert (found.address, found.verified_at) == ("other@example.com", None)
    columns = "SELECT address, asked_at = ?, verified_at IS NULL FROM mail_address ORDER BY user_id"
    assert sorted(ledger.sql(columns, now)) == [("bo@example.com", 0, 0), ("other@example.com", 1, 1)]
    assert confirmed(ledger, ana) == 0, "a link to the old one"
    assert confirmed(ledger, ana, "other@example.com") == 1
    assert not ledger.one("SELECT verified_at IS NULL FROM mail_address WHERE user_id = ?", ana.user.key)


def test_with_the_end_of_mail_goes_what_waits_to_be_sent_by_it(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread, other = ledger.thread(ana, bo), ledger.thread(ana, bo)
    for who in (ana, bo):
        ledger.do(UpdatePreferences(identity=who, deliver=("web_push", "email")))
    ledger.post(ana, thread, "@bo, look")
    ledger.sql("UPDATE outbox SET state = 'sent'")
    ledger.post(bo, thread, "@ana, what?")
    ledger.post(ana, other, "@bo, look here")
    ledger.do(EndMail(bo.user.id))
    left = ledger.sql("SELECT user_id, kind, state FROM outbox WHERE kind = 'email' OR user_id = ?", bo.user.key)
    assert sorted(left) == sorted([
        (ana.user.key, "email", "pending"), (bo.user.key, "email", "sent"),
        (bo.user.key, "web_push", "sent"), (bo.user.key, "web_push", "pending"),
    ])  # fmt: skip
    kept = dict(ledger.sql("SELECT user_id, deliver FROM preference"))
    assert kept == {ana.user.key: '["web_push","email"]', bo.user.key: '["web_push"]'}
