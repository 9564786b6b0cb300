"""Files of a deleted user: those that no other user needs are removed; those that stay are reported with a reason."""

from dataclasses import dataclass
from typing import Final, Literal

KeptBecause = Literal["in_threads", "shown_by_others", "versions_of_others"]
REASONS: Final[dict[KeptBecause, str]] = {
    "in_threads": "They are in threads, for their members; their owner is shown as a deleted user.",
    "shown_by_others": "Messages or other records of other people name them; their owner is shown as a deleted user.",
    "versions_of_others": "They are versions of files that belong to others.",
}


@dataclass(frozen=True, slots=True)
class FilesKept:
    reason: KeptBecause
    count: int
    """Files, or versions."""
    size: int
    """Bytes, of all versions."""


@dataclass(frozen=True, slots=True)
class FileErasure:
    """As it is decided when the user is deleted; the removal itself goes step by step."""

    removed: int = 0
    size: int = 0
    """Bytes of what is removed."""
    kept: tuple[FilesKept, ...] = ()


@dataclass(frozen=True, slots=True)
class UserGone:
    """What the deletion of a user answers."""

    id: str
    files: FileErasure
