"""What can be done to a file."""

from dataclasses import dataclass

from actors.commands import UNSET, Command, Gone, IfVersion, Unset
from actors.resources.files.file import File


@dataclass(slots=True, kw_only=True)
class CreateFile(Command[File]):
    """A record without bytes. Answers the `File`."""

    file_id: str
    name: str
    thread_id: str | None = None
    media_type: str | None = None
    metadata: str = "{}"


@dataclass(slots=True, kw_only=True)
class UpdateFile(Command[File]):
    """Answers the `File`."""

    file_id: str
    name: str | Unset = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class MoveFile(Command[File]):
    """Into another thread, or out of any. Answers the `File`."""

    file_id: str
    thread_id: str | None


@dataclass(slots=True, kw_only=True)
class DeleteFile(Command[Gone]):
    """Answers `Gone`. Its blobs go when nothing else names them."""

    file_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class RestoreVersion(Command[File]):
    """An earlier version's bytes become the newest version. Answers the `File`."""

    file_id: str
    number: int
    if_version: IfVersion = None
