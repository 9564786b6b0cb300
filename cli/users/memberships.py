"""The threads a user is in, for the commands that show all of them."""

from typing import TYPE_CHECKING

from actors import limits
from cli.opening.pages import every

if TYPE_CHECKING:
    from actors.resources.members import Membership
    from storage.database import Database


def memberships_of(database: "Database", user_id: str) -> "tuple[Membership, ...]":
    """The oldest thread first."""
    from storage.resources.users import export as people

    return tuple(every(lambda after: people.memberships(database, user_id, limit=limits.XP_PAGE, after=after)))
