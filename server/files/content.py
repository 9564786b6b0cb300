"""What of a file may be sent to a reader."""

from dataclasses import dataclass

from actors.errors import FileNotReady, FileQuarantined, XpError
from actors.resources.files.file import File, FilePreview, FileVersion


@dataclass(frozen=True, slots=True)
class Content:
    """What may be sent to a reader."""

    file: File
    version: FileVersion
    preview: FilePreview | None = None

    @property
    def digest(self) -> str:
        return self.preview.digest if self.preview else self.version.digest

    @property
    def size(self) -> int:
        return self.preview.size if self.preview else self.version.size

    @property
    def media_type(self) -> str:
        return self.preview.media_type if self.preview else self.version.media_type


def unreadable_version(version: FileVersion, *, closed: bool) -> XpError | None:
    """`closed`: what was not scanned yet is not given out."""
    if version.scan == "found":
        return FileQuarantined("This version is in quarantine: the scanner found something in it.")
    if version.scan == "due" and closed:
        return FileNotReady("This version is being scanned; try again in a moment.")
    return None
