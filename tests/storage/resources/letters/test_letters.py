"""Letters in the store: which are still sent when their turn comes, and when one is tried again."""

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.identifiers import new_id
from actors.resources.letters import AskForLink, EndLetter, Letter, SealLetter
from actors.resources.members import AddMember, RemoveMember
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import UpdateUser
from tests.builders import Ledger


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


@pytest.fixture
def invitation(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> int:
    """Key of a letter that invites Bo to the thread."""
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, invite=True))
    return newest(ledger)


def newest(ledger: Ledger) -> int:
    return int(ledger.one("SELECT max(id) FROM letter"))


def asked(ledger: Ledger, who: Identity) -> int:
    """Key of a letter with a link that signs in."""
    assert ledger.do(AskForLink(who.user.email, "", Origin("127.0.0.1", "a test", ""))).result == "asked"
    return newest(ledger)


def sealed(ledger: Ledger, key: int) -> Letter | None:
    found = ledger.do(SealLetter(key, new_id().encode())).result
    assert found is None or isinstance(found, Letter)
    return found


def states(ledger: Ledger) -> list[tuple[str, int]]:
    return ledger.sql("SELECT state, attempts FROM letter ORDER BY id")


def test_an_invitation_names_who_invites_and_the_thread(ledger: Ledger, invitation: int) -> None:
    letter = sealed(ledger, invitation)
    assert letter is not None
    assert (letter.kind, letter.user.name, letter.inviter, letter.thread) == ("invitation", "bo", "ana", "plans")


def test_nobody_is_invited_to_a_thread_that_was_deleted(
    ledger: Ledger, ana: Identity, thread: Thread, invitation: int
) -> None:
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert sealed(ledger, invitation) is None
    assert states(ledger) == [("failed", 0)]


def test_nobody_is_invited_to_a_thread_that_they_have_left(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, invitation: int
) -> None:
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert sealed(ledger, invitation) is None
    assert states(ledger) == [("failed", 0)]


@pytest.mark.parametrize(
    "change", [{"email": "other@rpotential.ai"}, {"status": "DEACTIVATED"}], ids=lambda each: next(iter(each))
)
def test_one_whose_address_or_right_to_sign_in_has_gone_gets_no_link(
    ledger: Ledger, root: Identity, ana: Identity, change: dict[str, str]
) -> None:
    key = asked(ledger, ana)
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, **change))
    assert sealed(ledger, key) is None
    assert ledger.one("SELECT count(*) FROM sign_in_link") == 0


def test_each_failure_makes_the_pause_before_the_next_attempt_longer(ledger: Ledger, ana: Identity) -> None:
    key = asked(ledger, ana)
    for attempts, seconds in enumerate(limits.LETTER_DELAYS[:3], 1):
        assert ledger.do(EndLetter(key, "failed", retry=True)).result == "pending"
        assert states(ledger) == [("pending", attempts)]
        due = ledger.one("SELECT not_before - created_at FROM letter")
        assert seconds * 1000 <= due < seconds * 1000 + 5_000
    assert ledger.do(EndLetter(key, "sent")).result == "sent"
    assert ledger.do(EndLetter(key, "failed")).result == "failed", "it has ended"
    assert states(ledger) == [("sent", 4)]
