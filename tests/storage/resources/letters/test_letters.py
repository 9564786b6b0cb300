"""Letters in the store: which are still sent when their turn comes, and when one is tried again."""

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.identifiers import new_id
from actors.resources.api_keys import CreateApiKey
from actors.resources.letters import AskForLink, EndLetter, Letter, SealLetter
from actors.resources.mail import AskForVerification
from actors.resources.members import AddMember, RemoveMember
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import CreateUser, UpdateUser
from tests.builders import Ledger
from tests.storage.clock import NOW, Clock


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


HERE = Origin("127.0.0.1", "a test", "")


def ask(ledger: Ledger, address: str) -> object:
    return ledger.do(AskForLink(address, "/path", HERE)).result


def test_only_who_may_sign_in_gets_a_link(ledger: Ledger, ana: Identity, bo: Identity, root: Identity) -> None:
    ledger.do(UpdateUser(identity=root, user_id=bo.user.id, status="DEACTIVATED"))
    for address in ("nobody@example.com", bo.user.email):
        assert ask(ledger, address) == "unknown"
    assert ledger.sql("SELECT * FROM letter") == []
    assert ask(ledger, ana.user.email) == "asked"
    assert ledger.sql("SELECT kind, user_id, address, return_to, state FROM letter") == [
        ("sign_in", ana.user.key, ana.user.email, "/path", "pending")
    ]  # fmt: skip
    noted = "SELECT target_id, actor_id FROM audit WHERE action = 'ask_for_sign_in_link'"
    assert ledger.sql(noted) == [(ana.user.id, None)]


def test_links_are_asked_for_after_a_pause_and_few_an_hour(
    ledger: Ledger, ana: Identity, bo: Identity, clock: Clock
) -> None:
    pause = limits.LETTER_PAUSE_SECONDS * 1000
    for number in range(limits.LETTERS_PER_HOUR):
        clock.now = NOW + number * pause
        assert ask(ledger, ana.user.email) == "asked"
        clock.now += pause - 1
        assert ask(ledger, ana.user.email) == "too_soon"
    assert ask(ledger, bo.user.email) == "asked", "others have not"
    clock.now = NOW + 3_600_000 - 1
    assert ask(ledger, ana.user.email) == "too_soon"
    clock.now = NOW + 3_600_000
    assert ask(ledger, ana.user.email) == "asked", "the first is an hour old"


def test_a_clock_that_was_ahead_keeps_nobody_from_mails(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has dated would be of the last hour, or day, until it gets there."""
    monkeypatch.setattr(limits, "NOTICES_PER_HOUR", 1)

    def mails() -> int:
        ledger.do(AskForVerification(identity=ana))
        assert ask(ledger, ana.user.email) == "asked"
        ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, invite=True))
        ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
        ledger.do(
            CreateApiKey(
                identity=ana, user_id=ana.user.id, name="a key", scopes=("read",), expires_at=None, prefix="xp_",
                key_hash=new_id().encode(),
            )
        )  # fmt: skip
        return int(ledger.one("SELECT (SELECT count(*) FROM letter) + (SELECT count(*) FROM notice)"))

    clock.now = NOW + 30 * 86_400_000
    assert mails() == 3
    clock.now = NOW
    assert mails() == 6


def test_an_invitation_is_no_link_that_was_asked_for(ledger: Ledger, bo: Identity, invitation: int) -> None:
    assert ask(ledger, bo.user.email) == "asked"


def test_few_invitations_to_threads_are_sent_a_day(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INVITATIONS_PER_DAY", 2)

    def invited() -> int:
        """How many letters Bo has after one more thread."""
        thread = ledger.thread(ana)
        ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, invite=True))
        return int(ledger.one("SELECT count(*) FROM letter WHERE user_id = ?", bo.user.key))

    assert [invited() for _ in range(3)] == [1, 2, 2]
    made = ledger.do(CreateUser(identity=root, email="cy@example.com", name="Cy", invite=True)).result
    assert ledger.one("SELECT count(*) FROM letter WHERE user_id = ?", made.key) == 1, "others have not"
    clock.now += limits.LETTER_DAY_SECONDS * 1000
    assert invited() == 3


@pytest.mark.parametrize("kind", ["sign_in", "invitation"])
def test_the_link_of_a_letter_is_stored_while_it_is_of_use(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, clock: Clock, kind: str
) -> None:
    if kind == "sign_in":
        other, key, user = asked(ledger, ana), asked(ledger, bo), bo
        most, good = limits.LETTER_SECONDS, limits.LETTER_SECONDS
    else:
        other = asked(ledger, ana)
        ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, invite=True))
        key, user = newest(ledger), bo
        most, good = limits.LETTER_DAY_SECONDS, limits.LETTER_INVITATION_SECONDS
    clock.now = NOW + most * 1000 - 1
    letter = ledger.do(SealLetter(key, b"hash")).result
    assert letter is not None
    inviter = ("", None) if kind == "sign_in" else ("ana", "plans")
    assert (letter.key, letter.kind, letter.user, letter.return_to) == (key, kind, ledger.refreshed(user).user, "")
    assert (letter.inviter, letter.thread) == inviter
    assert ledger.sql("SELECT user_id, hash, created_at, expires_at, used_at FROM sign_in_link") == [
        (user.user.key, b"hash", clock.now, clock.now + good * 1000, None)
    ]  # fmt: skip
    clock.now += 1
    assert sealed(ledger, key) is None
    assert ledger.one("SELECT count(*) FROM sign_in_link") == 1
    found = dict(ledger.sql("SELECT id, state FROM letter"))
    assert (found[other], found[key]) == ("pending", "failed")
    assert sealed(ledger, key) is None, "it was given up"


def test_an_attempt_is_of_one_letter(ledger: Ledger, ana: Identity, bo: Identity, clock: Clock) -> None:
    other, key = asked(ledger, ana), asked(ledger, bo)
    assert ledger.do(EndLetter(key, "failed")).result == "failed", "it is not to be tried again"
    assert states(ledger) == [("pending", 0), ("failed", 1)]
    assert ledger.do(EndLetter(other, "failed", retry=True)).result == "pending"
    assert ledger.do(EndLetter(other, "sent")).result == "sent"
    assert states(ledger) == [("sent", 2), ("failed", 1)]
    assert sealed(ledger, other) is None
