"""`xp user show`."""

from tests.builders import Ledger
from tests.cli.conftest import Xp, sign_in


def test_all_that_an_administrator_asks_first(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana", role="ADMIN")
    thread = ledger.thread(ana, title="Plans")
    session = sign_in(ledger, ana)
    sign_in(ledger, ledger.user("bo"))
    key = xp("key", "create", ana.user.id, "--name", "bot", "--json").json
    found = xp("user", "show", "ana@example.com", "--json", ALLOWED_DOMAINS="example.com").json
    assert found["user"]["role"] == "ADMIN"
    assert (found["may_sign_in"], found["reasons"], found["has_password"]) == (True, [], False)
    assert [item["id"] for item in found["sessions"]] == [session.id]
    assert [item["id"] for item in found["api_keys"]] == [key["id"]]
    assert [(item["thread_id"], item["role"]) for item in found["threads"]] == [(thread.id, "OWNER")]
    shown = xp("user", "show", ana.user.id, ALLOWED_DOMAINS="example.com").out
    for part in ("ana@example.com", session.id, key["id"], thread.id, "Plans", "10.0.0.1", "may sign in  yes"):
        assert part in shown
    assert key["key"] not in shown


def test_one_who_has_nothing(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    shown = xp("user", "show", "ana@example.com").out
    for part in ("Sessions: none", "API keys: none", "Threads: none", "password     none"):
        assert part in shown


def test_why_somebody_may_not_come_in(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    xp("user", "deactivate", "ana@example.com")
    found = xp("user", "show", "ana@example.com", "--json").json
    assert found["may_sign_in"] is False
    assert found["reasons"][0] == "The account is DEACTIVATED."
    assert "ALLOWED_DOMAINS" in found["reasons"][1]
    assert "may sign in  no: The account is DEACTIVATED." in xp("user", "show", "ana@example.com").out


def test_a_password_shows_only_as_there(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.sql("INSERT INTO password (user_id, hash, changed_at) VALUES (?, '$argon2id$x', 1)", ana.user.key)
    assert xp("user", "show", "ana@example.com", "--json").json["has_password"] is True
    assert "argon2" not in xp("user", "show", "ana@example.com").out


def test_nobody(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "show", "nobody").sentence == "There is no user 'nobody'."
