"""The built-in user System, in whose name the server and the terminal act: events and the audit log have an author."""

from dataclasses import replace
from typing import Final

from actors.auth.identity import FOREVER, Identity
from actors.resources.users import SYSTEM_SUBJECT, EnsureUser, User

ENSURE_SYSTEM: Final = EnsureUser(
    subject=SYSTEM_SUBJECT, email="", name="System", domain="", role="ADMIN", kind="SERVICE"
)  # fmt: skip


def system_identity(user: User, credential: str = "") -> Identity:
    """`user`: what `ENSURE_SYSTEM` answers. The identity is an ADMIN in any role of that user; the audit log has it as
    `token:<credential>`."""
    return Identity(replace(user, role="ADMIN"), user.author, FOREVER, token_id=credential)
