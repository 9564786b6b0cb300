"""Of administrators one is left, whatever they do to each other, and the built-in user stays what it is."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.auth.identity import Identity, Origin
from actors.errors import Conflict, Forbidden, XpError
from actors.outcomes import Done
from actors.resources.api_keys import CreateApiKey
from actors.resources.sessions import CreateLink, EndSessions, RevokeToken, SetPassword, StartSession
from actors.resources.users import SYSTEM_SUBJECT, CreateUser, DeleteUser, EnsureUser, UpdateUser, User
from tests.builders import Ledger, identity_of

HERE = Origin("", "", "")
Change = Callable[[Identity, User], Any]

ENDS: dict[str, Change] = {
    "demoted": lambda who, whom: UpdateUser(identity=who, user_id=whom.id, role="USER"),
    "deactivated": lambda who, whom: UpdateUser(identity=who, user_id=whom.id, status="DEACTIVATED"),
    "deleted": lambda who, whom: DeleteUser(identity=who, user_id=whom.id),
}
ends = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
"""Ways to lose an administrator."""


def administrators(ledger: Ledger) -> int:
    return int(ledger.one("SELECT count(*) FROM user WHERE role = 'ADMIN' AND status = 'ACTIVE'"))


@ends
@pytest.mark.parametrize("other", ENDS.values(), ids=ENDS.keys())
def test_two_who_end_each_other_at_the_same_time(ledger: Ledger, end: Change, other: Change) -> None:
    ana, bo = ledger.admin("ana"), ledger.admin("bo")
    first, second = ledger.apply(end(ana, bo.user), other(bo, ana.user))
    assert isinstance(first, Done)
    assert isinstance(second, Forbidden)
    assert administrators(ledger) == 1


def test_who_is_no_administrator_any_more_makes_no_user(ledger: Ledger) -> None:
    ana, bo = ledger.admin("ana"), ledger.admin("bo")
    make = CreateUser(identity=bo, email="eve@example.com", name="Eve", domain="example.com")
    _, refused = ledger.apply(UpdateUser(identity=ana, user_id=bo.user.id, role="USER"), make)
    assert isinstance(refused, Forbidden)
    assert ledger.one("SELECT count(*) FROM user WHERE name = 'Eve'") == 0


@pytest.mark.parametrize("end", ["demoted", "deactivated"])
def test_the_only_one_stays(ledger: Ledger, end: str) -> None:
    ana = ledger.admin("ana")
    with pytest.raises(Conflict) as caught:
        ledger.do(ENDS[end](ana, ana.user))
    assert caught.value.code == "last_admin"
    ledger.admin("bo")
    ledger.do(ENDS[end](ana, ana.user))


@ends
def test_the_terminal_s_own_user_and_who_cannot_sign_in_do_not_count(ledger: Ledger, end: Change) -> None:
    system, ana, bo = built_in(ledger), ledger.admin("ana"), ledger.admin("bo")
    ledger.do(ENDS["deactivated"](ana, bo.user))
    with pytest.raises(Conflict) as caught:
        ledger.do(end(system, ana.user))
    assert caught.value.code == "last_admin"


def test_what_changes_no_right_is_the_only_one_s_to_change(ledger: Ledger) -> None:
    ana = ledger.admin("ana")
    changed = ledger.do(UpdateUser(identity=ana, user_id=ana.user.id, name="Ana M", role="ADMIN")).result
    assert isinstance(changed, User)
    assert (changed.name, changed.role) == ("Ana M", "ADMIN")


def claims(role: str | None, name: str = "ana") -> Any:
    return EnsureUser(
        subject="sub-ana", email="ana@example.com", name=name, domain="example.com", role=role, kind="HUMAN"
    )  # type: ignore[arg-type]


def test_a_token_s_claims_demote_no_only_administrator(ledger: Ledger) -> None:
    ana = ledger.admin("ana")
    said = ledger.do(claims("USER", "Ana M")).result
    assert isinstance(said, User)
    assert (said.role, said.name) == ("ADMIN", "Ana M")
    version = said.version
    assert ledger.do(claims("USER", "Ana M")).result.version == version, "said again it changes nothing"  # type: ignore[attr-defined]
    ledger.admin("bo")
    said = ledger.do(claims("USER", "Ana M")).result
    assert isinstance(said, User)
    assert said.role == "USER", "it holds once there is another administrator"
    assert ledger.refreshed(ana).user.role == "USER"


@pytest.mark.parametrize(
    "act",
    [
        lambda ana, bo: CreateUser(identity=ana, email="new@x.org", name="New"),
        lambda ana, bo: UpdateUser(identity=ana, user_id=bo.user.id, name="X"),
        lambda ana, bo: DeleteUser(identity=ana, user_id=bo.user.id),
        lambda ana, bo: EndSessions(identity=ana, user_id=bo.user.id),
        lambda ana, bo: RevokeToken(identity=ana, token_id="t", expires_at=1),
        lambda ana, bo: CreateLink(identity=ana, user_id=bo.user.id, link_hash=b"h", expires_at=2**40),
        lambda ana, bo: CreateApiKey(
            identity=ana, user_id=bo.user.id, name="k", scopes=("read",), expires_at=None, prefix="xpk_", key_hash=b"h"
        ),
    ],
)
def test_who_was_an_administrator_a_moment_ago_is_none(ledger: Ledger, act: Any) -> None:
    ana, bo = ledger.admin("ana"), ledger.admin("bo")
    ended, refused = ledger.apply(ENDS["demoted"](bo, ana.user), act(ana, bo))
    assert isinstance(ended, Done)
    assert isinstance(refused, Forbidden)


# The built-in user


def built_in(ledger: Ledger) -> Identity:
    ensure = EnsureUser(subject=SYSTEM_SUBJECT, email="", name="System", domain="", role="ADMIN", kind="SERVICE")
    found = ledger.do(ensure).result
    assert isinstance(found, User)
    return identity_of(found)


@pytest.mark.parametrize(
    "change",
    [
        *ENDS.values(),
        lambda who, system: UpdateUser(identity=who, user_id=system.id, name="Eve"),
        lambda who, system: UpdateUser(identity=who, user_id=system.id, email="eve@example.com"),
        lambda who, system: UpdateUser(identity=who, user_id=system.id, kind="HUMAN"),
        lambda who, system: UpdateUser(identity=who, user_id=system.id, metadata='{"a":1}'),
        lambda who, system: UpdateUser(identity=who, user_id=system.id, avatar_url="https://x.example/"),
        lambda who, system: CreateLink(identity=who, user_id=system.id, link_hash=b"h", expires_at=2**40),
        lambda who, system: CreateApiKey(
            identity=who, user_id=system.id, name="k", scopes=("read",), expires_at=None, prefix="xpk_", key_hash=b"h"
        ),
        lambda who, system: SetPassword(identity=identity_of(system), password="hash", expected=None),
        lambda who, system: StartSession(user_id=system.id, method="PASSWORD", refresh_hash=b"h", origin=HERE),
        lambda who, system: CreateUser(identity=who, email="e@x.org", name="E", subject=SYSTEM_SUBJECT),
    ],
)
def test_nobody_changes_it_or_comes_in_by_it(ledger: Ledger, change: Change) -> None:
    root, system = ledger.admin("root"), built_in(ledger)
    before = ledger.dump()
    (refused,) = ledger.apply(change(root, system.user))
    assert isinstance(refused, XpError)
    assert refused.code == "built_in_user"
    assert ledger.dump() == before
