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
