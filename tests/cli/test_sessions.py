"""`xp session`."""

import pytest

from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal, sign_in


def test_those_that_go_on_the_newest_first(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 2)
    ana, bo = ledger.user("ana"), ledger.user("bo")
    made = [sign_in(ledger, who).id for who in (ana, bo, ana, ana)]
    ended = sign_in(ledger, bo).id
    assert xp("session", "end", ended).code == 0
    found = xp("session", "list", "--json").json
    assert [session["id"] for session in found] == made[::-1]
    assert found[0]["user_id"] == ana.user.id
    assert (found[0]["method"], found[0]["address"], found[0]["user_agent"]) == ("PASSWORD", "10.0.0.1", "Firefox")
    theirs = xp("session", "list", "--user", "bo@example.com", "--json").json
    assert [session["id"] for session in theirs] == [made[1]]
    shown = xp("session", "list").out
    assert made[0] in shown
    assert "ana (ana@example.com)" in shown
    assert ended not in shown


def test_one_is_ended(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    session, other = sign_in(ledger, ana), sign_in(ledger, ana)
    said = f"Session {session.id} of user {ana.user.id} has ended: ended by an administrator.\n"
    assert xp("session", "end", session.id).out == said
    assert xp("session", "end", session.id).out == said  # once ended it stays so
    assert [s["id"] for s in xp("session", "list", "--json").json] == [other.id]
    assert audited(ledger) == [by_terminal("end_session", session.id)]


def test_all_are_ended(xp: Xp, ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    for who in (ana, ana, bo):
        sign_in(ledger, who)
    assert xp("session", "end-all", "ana@example.com").out == "Ended 2 sessions of ana (ana@example.com).\n"
    assert xp("session", "end-all", "ana@example.com").out == "Ended 0 sessions of ana (ana@example.com).\n"
    assert [s["user_id"] for s in xp("session", "list", "--json").json] == [bo.user.id]
    assert audited(ledger) == [by_terminal("end_sessions", ana.user.id)]


def test_what_is_not_there(xp: Xp, ledger: Ledger) -> None:
    assert xp("session", "end", "nothing").sentence == "There is no session 'nothing'."
    assert xp("session", "end-all", "nobody").sentence == "There is no user 'nobody'."
    assert xp("session", "list", "--user", "nobody").sentence == "There is no user 'nobody'."
    assert xp("session", "list", "--json").json == []


def test_user_agents_cannot_write_to_the_terminal(xp: Xp, ledger: Ledger) -> None:
    sign_in(ledger, ledger.user("ana"))
    ledger.sql("UPDATE session SET user_agent = ?", "\x1b[2J")
    assert "\x1b" not in xp("session", "list").out
