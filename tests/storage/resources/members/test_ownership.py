"""A thread that has members who can sign in has an owner among them."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.resources.members import AddMember, Member, MemberGone
from actors.resources.threads import Thread, UpdateThread
from actors.resources.users import SYSTEM_SUBJECT, DeleteUser, EnsureUser, UpdateUser
from storage.maintenance.integrity import check
from storage.resources.log import reading as log
from tests.builders import Ledger
from tests.storage.resources.members.test_members import remove, roles, update

End = Callable[[Ledger, Identity, Identity], Any]

ENDS: dict[str, End] = {
    "deleted": lambda ledger, root, who: ledger.do(DeleteUser(identity=root, user_id=who.user.id)),
    "erased": lambda ledger, root, who: ledger.do(DeleteUser(identity=root, user_id=who.user.id, content="remove")),
    "deactivated": lambda ledger, root, who: ledger.do(
        UpdateUser(identity=root, user_id=who.user.id, status="DEACTIVATED")
    ),
}
ends = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())


def findings(ledger: Ledger) -> list[Any]:
    return [found for _, found in check(ledger.store.database) if found is not None]


def joined(ledger: Ledger, thread: Thread, *members: Identity) -> None:
    """In this order, however quick it was."""
    for at, who in enumerate(members):
        ledger.sql(
            "UPDATE member SET joined_at = ? WHERE user_id = ? AND thread_id = (SELECT id FROM thread WHERE uid = ?)",
            at, who.user.key, thread.id,
        )  # fmt: skip


@ends
def test_the_longest_member_becomes_owner(ledger: Ledger, end: End) -> None:
    ana, bo, cy, root = ledger.user("ana"), ledger.user("bo"), ledger.user("cy"), ledger.admin("root")
    thread = ledger.thread(ana, bo, (cy, "VIEWER"))
    joined(ledger, thread, ana, cy, bo)
    done = end(ledger, root, ana)
    assert roles(ledger, thread)[cy.user.key] == "OWNER"
    assert done.events[-1].type == "member.updated"
    assert isinstance(done.events[-1].data, Member)
    assert (done.events[-1].data.user, done.events[-1].data.role) == (cy.author, "OWNER")
    page = ledger.ask(log.after_offset, cy, thread.id, 0, limit=100)
    assert [event.offset for event in page.events] == list(range(1, page.head + 1))
    assert findings(ledger) == []
    ledger.do(UpdateThread(identity=cy, thread_id=thread.id, title="Renamed"))


@ends
def test_another_owner_is_enough(ledger: Ledger, end: End) -> None:
    ana, bo, cy, root = ledger.user("ana"), ledger.user("bo"), ledger.user("cy"), ledger.admin("root")
    thread = ledger.thread(ana, cy, (bo, "OWNER"))
    done = end(ledger, root, ana)
    assert not [event for event in done.events if event.type == "member.updated"]
    assert roles(ledger, thread)[cy.user.key] == "MEMBER"


@ends
def test_people_before_assistants_and_nobody_who_cannot_sign_in(ledger: Ledger, end: End) -> None:
    ana, bot, out, bo = (
        ledger.user("ana"),
        ledger.user("bot", kind="ASSISTANT"),
        ledger.user("out"),
        ledger.user("bo"),
    )
    root = ledger.admin("root")
    system = ledger.do(
        EnsureUser(subject=SYSTEM_SUBJECT, email="", name="System", domain="", role="ADMIN", kind="SERVICE")
    ).result
    thread = ledger.thread(ana, bot, out, bo)
    ledger.do(AddMember(identity=root, thread_id=thread.id, user_id=system.id))  # type: ignore[attr-defined]
    ENDS["deactivated"](ledger, root, out)
    joined(ledger, thread, bot, out, ana, bo)
    end(ledger, root, ana)
    assert {key for key, role in roles(ledger, thread).items() if role == "OWNER"} - {ana.user.key} == {bo.user.key}
    end(ledger, root, bo)
    assert roles(ledger, thread)[bot.user.key] == "OWNER"
    end(ledger, root, bot)
    assert findings(ledger) == []


def test_every_thread_of_theirs(ledger: Ledger) -> None:
    ana, bo, root = ledger.user("ana"), ledger.user("bo"), ledger.admin("root")
    threads = [ledger.thread(ana, bo) for _ in range(3)] + [ledger.thread(ana)]
    done = ENDS["deleted"](ledger, root, ana)
    assert [event.type for event in done.events] == ["member.removed", "member.updated"] * 3 + ["member.removed"]
    assert isinstance(done.events[0].data, MemberGone)
    assert [roles(ledger, thread) for thread in threads] == [{bo.user.key: "OWNER"}] * 3 + [{}]
    assert findings(ledger) == []


def test_who_comes_back_or_is_brought_in_owns_what_nobody_could(ledger: Ledger) -> None:
    ana, bo, cy, root = ledger.user("ana"), ledger.user("bo"), ledger.user("cy"), ledger.admin("root")
    thread, other = ledger.thread(ana, bo), ledger.thread(ana)
    ENDS["deactivated"](ledger, root, bo)
    ENDS["deleted"](ledger, root, ana)
    ledger.do(UpdateUser(identity=root, user_id=bo.user.id, status="ACTIVE"))
    assert roles(ledger, thread) == {bo.user.key: "OWNER"}
    ledger.do(AddMember(identity=root, thread_id=other.id, user_id=cy.user.id, role="VIEWER"))
    assert roles(ledger, other) == {cy.user.key: "OWNER"}
    assert findings(ledger) == []


def test_an_owner_who_cannot_sign_in_is_not_the_one_who_stays(ledger: Ledger) -> None:
    ana, bo, root = ledger.user("ana"), ledger.user("bo"), ledger.admin("root")
    thread = ledger.thread(ana, bo)
    ENDS["deactivated"](ledger, root, ana)
    assert roles(ledger, thread) == {ana.user.key: "OWNER", bo.user.key: "OWNER"}
    for attempt in (update(root, thread, bo, role="MEMBER"), remove(bo, thread, bo)):
        with pytest.raises(Conflict) as caught:
            ledger.do(attempt)
        assert caught.value.code == "last_owner"
    ledger.do(remove(root, thread, ana))
    assert findings(ledger) == []


def test_a_database_of_before_is_repaired(ledger: Ledger) -> None:
    """By the migration: ownerless threads, and a built-in user who was deleted."""
    from importlib import import_module

    from storage.schema import models

    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    thread, whole = ledger.thread(ana, bo, cy), ledger.thread(bo, cy)
    joined(ledger, thread, ana, cy, bo)
    ledger.sql("DELETE FROM member WHERE user_id = ?", ana.user.key)
    ledger.do(EnsureUser(subject=SYSTEM_SUBJECT, email="", name="System", domain="", role="ADMIN", kind="SERVICE"))
    ledger.sql(
        "UPDATE user SET subject = ?, role = 'USER', status = 'DEACTIVATED', name = 'Deleted user', deleted_at = 1 "
        "WHERE subject = ?",
        models.forgotten(SYSTEM_SUBJECT), SYSTEM_SUBJECT,
    )  # fmt: skip
    import_module("storage.schema.migrations.0011_owners").up(None, ledger.store.database)
    assert roles(ledger, thread) == {bo.user.key: "MEMBER", cy.user.key: "OWNER"}
    assert roles(ledger, whole) == {bo.user.key: "OWNER", cy.user.key: "MEMBER"}
    system = ledger.sql("SELECT name, role, status, deleted_at FROM user WHERE subject = ?", SYSTEM_SUBJECT)
    assert system == [("System", "ADMIN", "ACTIVE", None)]
    assert findings(ledger) == []
