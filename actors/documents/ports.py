"""What the actor of a document works with: the CRDT, and an editor's connection."""

from typing import Any, Protocol

from actors.auth.identity import Identity


class Replica(Protocol):
    """A CRDT with the content of an artifact. Confined to the event loop. What is malformed raises `Malformed`."""

    @property
    def size(self) -> int:
        """Bytes of all of it, with what its edits leave behind: as `whole` was last, and the edits since."""
        ...

    def vector(self) -> bytes:
        """Which edits it has."""
        ...

    def missing(self, vector: bytes) -> bytes:
        """The edits that another one, which has `vector`, does not have."""
        ...

    def whole(self) -> bytes:
        """All edits in one."""
        ...

    def apply(self, edit: bytes) -> None: ...

    def content(self) -> Any:
        """As the artifact's content has it."""
        ...

    def towards(self, content: Any) -> bytes:
        """An edit after which `content()` is this one; it is not applied."""
        ...


class Editor(Protocol):
    """One connection to a document."""

    identity: Identity
    is_writer: bool
    """Whether their credential is good for more than reading."""
    may_write: bool
    """Set by the actor, as rights change."""

    def __hash__(self) -> int: ...

    def send(self, frame: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...

    def has_room(self, waiting: int) -> None:
        """`waiting`: bytes of its edits that are not on disk yet."""
        ...
