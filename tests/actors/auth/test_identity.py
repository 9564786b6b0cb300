"""What an identity may do, and which changes of access concern it."""

from dataclasses import replace

import pytest

from actors.auth.access_changes import AccessChange, AccessChanges, ChangeKind
from actors.auth.actor import has_other_rights
from actors.auth.identity import Identity
from actors.auth.system import system_identity
from tests.builders import identity, user

ANA, ROOT = identity(1), identity(2, role="ADMIN")
BY_SESSION, BY_KEY, BY_TOKEN = (replace(ANA, **{name: "x"}) for name in ("session_id", "api_key_id", "token_id"))  # type: ignore[arg-type]


def test_its_credential_has_a_name() -> None:
    assert [each.credential for each in (BY_SESSION, BY_KEY, BY_TOKEN)] == ["session:x", "api_key:x", "token:x"]


def test_a_key_may_do_what_its_scopes_say_and_a_user_all_they_may() -> None:
    key = replace(ANA, scopes=frozenset({"read"}))
    assert (key.has_scope("read"), key.has_scope("write")) == (True, False)
    assert (ANA.has_scope("read"), ANA.has_scope("admin")) == (True, True)


def test_what_a_user_became_matters_as_far_as_the_credential_goes() -> None:
    admin = replace(ANA.user, role="ADMIN")
    assert has_other_rights(ANA, admin)
    assert not has_other_rights(replace(ANA, scopes=frozenset({"read"})), admin)
    assert not has_other_rights(ANA, replace(ANA.user, name="Anna"))


def test_its_user_may_change_and_its_credential_stays() -> None:
    admin = replace(ANA.user, role="ADMIN", name="Anna")
    key = replace(BY_KEY, scopes=frozenset({"read"}))
    assert BY_TOKEN.of_user(admin) == replace(BY_TOKEN, user=admin, author=admin.author)
    assert key.of_user(admin) == replace(key, user=replace(admin, role="USER"), author=admin.author)
    assert replace(key, scopes=frozenset({"admin"})).of_user(admin).is_admin


def test_the_system_is_an_admin_whatever_its_user_is() -> None:
    made = system_identity(user(3), "retention")
    assert (made.is_admin, made.credential, made.author) == (True, "token:retention", user(3).author)


def change(kind: ChangeKind, ref: str) -> AccessChange:
    return AccessChange(1, kind, ref, None)


def test_the_end_of_its_credential_goes_before_a_change_of_its_user() -> None:
    of_user, ended = change("user", ANA.user.id), change("session", "x")
    for changes in ([of_user, ended], [ended, of_user]):
        assert AccessChanges(changes).concerning(BY_SESSION) is ended
        assert AccessChanges(changes).concerning(BY_KEY) is of_user
        assert list(AccessChanges(changes)) == changes
    assert AccessChanges([of_user, ended]).concerning(ROOT) is None


@pytest.mark.parametrize(("kind", "who"), [("session", BY_SESSION), ("api_key", BY_KEY), ("token", BY_TOKEN)])
def test_each_credential_ends_by_its_own_name(kind: ChangeKind, who: Identity) -> None:
    ended = change(kind, "x")
    found = [AccessChanges([ended]).concerning(each) for each in (BY_SESSION, BY_KEY, BY_TOKEN)]
    assert found == [ended if each is who else None for each in (BY_SESSION, BY_KEY, BY_TOKEN)]
