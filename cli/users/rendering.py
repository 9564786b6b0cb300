"""A user as commands print them."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli.opening.database import everyone
from cli.terminal.console import plain

if TYPE_CHECKING:
    from actors.resources.users import User
    from storage.database import Database


def rendered(user: "User") -> dict[str, Any]:
    from server.api import render

    return render.user(user, everyone()) | {"subject": user.subject}


def named(user: "User") -> str:
    return plain(f"{user.name} ({user.email or user.id})")


def names_of(database: "Database") -> Callable[[str], str]:
    """User id → what tells people who that is; each is asked once."""
    from storage.resources.users import reading as users

    @functools.cache
    def name(user_id: str) -> str:
        return named(users.one(database, user_id))

    return name
