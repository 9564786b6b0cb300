"""Notices: to whom they are written, and when they are given up."""

from typing import Any

import pytest

from actors import limits
from actors.resources.notices import DropNotices, EndNotice, GetNotice, ListDueNotices, next_attempt
from actors.resources.users import CreateUser, EnsureUser, UpdateUser
from storage.journal import transaction
from storage.readers.answers import answer
from tests.builders import Ledger
from tests.storage.test_integrity import findings

ISSUER = "https://login.example.com"


def kinds(ledger: Ledger) -> list[tuple[str, str, str]]:
    return ledger.sql("SELECT kind, address, doer FROM notice ORDER BY id")


def token(subject: str, email: str, **more: Any) -> EnsureUser:
    return EnsureUser(
        subject=subject, email=email, name="Ana", domain="example.com", role=None, kind="HUMAN", issuer=ISSUER, **more
    )


def test_a_token_with_another_address_is_told_to_the_old_one(ledger: Ledger) -> None:
    ledger.do(token("ana", "ana@example.com"))
    assert kinds(ledger) == [], "a new user has nothing to be told"
    ledger.do(token("ana", "ana@other.com"))
    assert kinds(ledger) == [("email_changed", "ana@example.com", "provider")]


def test_the_first_token_of_a_user_that_an_administrator_has_made(ledger: Ledger) -> None:
    root = ledger.admin("root")
    ledger.do(CreateUser(identity=root, email="ana@example.com", name="Ana"))
    ledger.do(token("ana", "ana@example.com"))
    assert kinds(ledger) == [("account_linked", "ana@example.com", "provider")]


@pytest.mark.parametrize("column", ["email = ''", "status = 'DEACTIVATED'", "shares_email = 1"])
def test_who_gets_none(ledger: Ledger, column: str) -> None:
    """No address, no right to sign in, or an address that another user has, too."""
    root = ledger.admin("root")
    user = ledger.do(CreateUser(identity=root, email="ana@example.com", name="Ana")).result
    ledger.sql(f"UPDATE user SET {column} WHERE id = ?", user.key)
    ledger.do(UpdateUser(identity=root, user_id=user.id, email="new@example.com"))
    assert kinds(ledger) == []


def test_what_waits_is_given_up_after_a_day_or_a_restore(ledger: Ledger) -> None:
    root = ledger.admin("root")
    users = [ledger.do(CreateUser(identity=root, email=f"{n}@example.com", name="Ana")).result for n in range(2)]
    for user in users:
        ledger.do(UpdateUser(identity=root, user_id=user.id, email=f"new-{user.email}"))
    first, second = ledger.ask(answer, ListDueNotices())
    ledger.sql("UPDATE notice SET created_at = created_at - ? WHERE id = ?", limits.NOTICE_DAY_SECONDS * 1000, first)
    assert ledger.ask(answer, GetNotice(first)) is None
    assert ledger.ask(answer, GetNotice(second)).address == "1@example.com"
    assert ledger.do(DropNotices()).result == 2
    assert ledger.ask(answer, GetNotice(second)) is None
    assert ledger.ask(answer, ListDueNotices()) == []
    assert ledger.do(EndNotice(second, "sent")).result == "failed", "it was given up meanwhile"
    assert findings(ledger.path) == {}


def test_attempts_end_within_a_day() -> None:
    now, attempts = 0, 1
    while (again := next_attempt(0, attempts, now)) is not None:
        now, attempts = again, attempts + 1
    assert 8 * 3_600_000 < now < limits.NOTICE_DAY_SECONDS * 1000


def states(ledger: Ledger) -> list[tuple[str, int]]:
    return ledger.sql("SELECT state, attempts FROM notice ORDER BY id")


def test_an_attempt_is_of_one_notice(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    root = ledger.admin("root")
    users = [ledger.do(CreateUser(identity=root, email=f"{n}@example.com", name="Ana")).result for n in range(3)]
    for user in users:
        ledger.do(UpdateUser(identity=root, user_id=user.id, email=f"new-{user.email}"))
    _, second, third = ledger.ask(answer, ListDueNotices())
    now = ledger.one("SELECT max(created_at) FROM notice")
    monkeypatch.setattr(transaction, "now_ms", lambda: now)
    created, kept = "SELECT created_at FROM notice WHERE id = ?", "SELECT not_before FROM notice WHERE id = ?"
    assert ledger.do(EndNotice(second, "failed", retry=True)).result == "pending"
    assert ledger.one(kept, second) == next_attempt(ledger.one(created, second), 1, now)
    assert states(ledger) == [("pending", 0), ("pending", 1), ("pending", 0)]
    assert ledger.do(EndNotice(second, "sent")).result == "sent"
    assert ledger.do(EndNotice(third, "failed")).result == "failed"
    assert states(ledger) == [("pending", 0), ("sent", 2), ("failed", 1)]
    assert ledger.do(DropNotices()).result == 1
    assert states(ledger) == [("failed", 0), ("sent", 2), ("failed", 1)]
