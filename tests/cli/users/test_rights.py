"""`xp user set-role`, `deactivate` and `activate`."""

import pytest

from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal, sign_in


def test_a_role_is_written_down_in_the_name_of_the_terminal(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana").user
    assert xp("user", "set-role", "ana@example.com", "ADMIN").out == "ana (ana@example.com) has the role ADMIN.\n"
    assert audited(ledger) == [by_terminal("update_user", ana.id)]
    (entry,) = xp("audit", "list", "--json").json
    assert (entry["before"], entry["after"]) == ({"role": "USER"}, {"role": "ADMIN"})
    assert (entry["actor_name"], entry["address"]) == ("System", "")


def test_a_role_that_they_have_already_is_no_event(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    assert xp("user", "set-role", "ana@example.com", "USER").code == 0
    assert audited(ledger) == []


def test_out_and_in_again(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    session = sign_in(ledger, ana)
    said = xp("user", "deactivate", ana.user.id).out
    assert said == "ana (ana@example.com) is deactivated; their sessions have ended.\n"
    assert ledger.refreshed(ana).user.status == "DEACTIVATED"
    assert ledger.one("SELECT end_reason FROM session WHERE uid = ?", session.id) == "user deactivated"
    assert xp("user", "activate", "ana@example.com", "--json").json["status"] == "ACTIVE"
    assert audited(ledger) == [by_terminal("update_user", ana.user.id)] * 2


@pytest.mark.parametrize("words", [["set-role", "nobody", "USER"], ["deactivate", "nobody"], ["activate", "nobody"]])
def test_nobody(words: list[str], xp: Xp, ledger: Ledger) -> None:
    assert xp("user", *words).sentence == "There is no user 'nobody'."
    assert ledger.one("SELECT count(*) FROM user") == 0  # not even the system user was made


def test_names_cannot_write_to_the_terminal(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.sql("UPDATE user SET name = ?", "\x1b[31mred")
    assert "\x1b" not in xp("user", "deactivate", ana.user.id).out


def test_help_says_when_a_server_goes_by_it(xp: Xp) -> None:
    assert "within a second" in xp("user", "set-role", "--help").out
