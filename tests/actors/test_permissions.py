"""Who may do what, as tables: every combination, so that a rule that grows looser is seen."""

from collections.abc import Callable
from typing import Any

import pytest

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, XpError
from actors.resources.members import MEMBER_ROLES
from actors.resources.messages import MESSAGE_TYPES
from actors.resources.users import USER_KINDS
from tests.builders import identity

ADMIN, USER = identity(1, role="ADMIN"), identity(2)
ROLES: tuple[Any, ...] = (*MEMBER_ROLES, None)
THREAD = "cthread"


def verdict(rule: Callable[..., None], *args: Any) -> str:
    """The code of the refusal, or "yes"."""
    try:
        rule(*args)
    except XpError as error:
        return error.code
    return "yes"


def table(rule: Callable[[Identity, Any], None]) -> dict[str, str]:
    """Who (admin or user, and their role in the thread) → verdict."""
    return {
        f"{name} {role or 'stranger'}": verdict(rule, who, role)
        for name, who in (("admin", ADMIN), ("user", USER))
        for role in ROLES
    }


def test_seeing() -> None:
    assert table(lambda who, role: permissions.must_see(who, role, THREAD)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "yes",
        "admin stranger": "yes",
        "user OWNER": "yes",
        "user MEMBER": "yes",
        "user VIEWER": "yes",
        "user stranger": "not_found",
    }


@pytest.mark.parametrize("status", ["ACTIVE", "ARCHIVED"])
def test_writing(status: Any) -> None:
    assert table(lambda who, role: permissions.must_write(who, role, THREAD, status)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "not_a_writer",
        "admin stranger": "not_a_writer",
        "user OWNER": "yes",
        "user MEMBER": "yes",
        "user VIEWER": "not_a_writer",
        "user stranger": "not_found",
    }


def test_writing_where_it_is_closed() -> None:
    assert table(lambda who, role: permissions.must_write(who, role, THREAD, "CLOSED")) == {
        "admin OWNER": "thread_closed",
        "admin MEMBER": "thread_closed",
        "admin VIEWER": "not_a_writer",
        "admin stranger": "not_a_writer",
        "user OWNER": "thread_closed",
        "user MEMBER": "thread_closed",
        "user VIEWER": "not_a_writer",
        "user stranger": "not_found",
    }


def test_managing() -> None:
    assert table(lambda who, role: permissions.must_manage(who, role, THREAD)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "yes",
        "admin stranger": "yes",
        "user OWNER": "yes",
        "user MEMBER": "forbidden",
        "user VIEWER": "forbidden",
        "user stranger": "not_found",
    }


def test_editing_ones_own() -> None:
    assert table(lambda who, role: permissions.must_edit(who, role, who.user.key)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "forbidden",
        "admin stranger": "forbidden",
        "user OWNER": "yes",
        "user MEMBER": "yes",
        "user VIEWER": "forbidden",
        "user stranger": "forbidden",
    }


def test_nobody_edits_what_others_wrote() -> None:
    assert set(table(lambda who, role: permissions.must_edit(who, role, 99)).values()) == {"forbidden"}


def test_deleting_ones_own() -> None:
    assert table(lambda who, role: permissions.must_delete(who, role, who.user.key)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "yes",
        "admin stranger": "yes",
        "user OWNER": "yes",
        "user MEMBER": "yes",
        "user VIEWER": "yes",
        "user stranger": "forbidden",
    }


def test_deleting_what_others_wrote() -> None:
    assert table(lambda who, role: permissions.must_delete(who, role, 99)) == {
        "admin OWNER": "yes",
        "admin MEMBER": "yes",
        "admin VIEWER": "yes",
        "admin stranger": "yes",
        "user OWNER": "yes",
        "user MEMBER": "forbidden",
        "user VIEWER": "forbidden",
        "user stranger": "forbidden",
    }


def test_administering() -> None:
    assert verdict(permissions.must_administer, ADMIN) == "yes"
    assert verdict(permissions.must_administer, USER) == "forbidden"


@pytest.mark.parametrize("kind", USER_KINDS)
@pytest.mark.parametrize("role", ["USER", "ADMIN"])
@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_speaking_for_the_application(kind: Any, role: Any, message_type: Any) -> None:
    refused = message_type == "SYSTEM" and kind == "HUMAN" and role == "USER"
    who = identity(1, role=role, kind=kind)
    assert verdict(permissions.must_post_as, who, message_type) == ("forbidden" if refused else "yes")


def test_refusals_say_what_would_be_needed() -> None:
    with pytest.raises(Forbidden, match="requires the role OWNER or MEMBER; you are a VIEWER"):
        permissions.must_write(USER, "VIEWER", THREAD, "ACTIVE")
    with pytest.raises(Forbidden, match="you are not a member"):
        permissions.must_write(ADMIN, None, THREAD, "ACTIVE")
    with pytest.raises(Conflict, match="its owner can set it to ACTIVE"):
        permissions.must_write(USER, "OWNER", THREAD, "CLOSED")
    with pytest.raises(NotFound, match=f"no thread '{THREAD}' that you may see"):
        permissions.must_see(USER, None, THREAD)
