"""What an operator allows of files."""

from dataclasses import dataclass

from actors import limits
from actors.errors import UnsupportedMedia
from actors.resources.files.file import NO_QUOTAS, Quotas
from actors.resources.files.retention import KEEP_ALL, Retention
from server.files.types.media_types import Sniffed
from server.files.types.type_rules import TypeLists


@dataclass(frozen=True, slots=True)
class FileRules:
    """What an operator allows."""

    limit: int = limits.FILE_BYTES
    """Bytes of one file."""
    quotas: Quotas = NO_QUOTAS
    allowed: tuple[str, ...] = ()
    """Patterns of media types; empty: all."""
    blocked: tuple[str, ...] = ()
    scans: bool = False
    """Whether a scanner looks at a file before it can be downloaded."""
    previews: bool = False
    retention: Retention = KEEP_ALL

    def must_allow(self, found: Sniffed, name: str) -> None:
        """Raises `UnsupportedMedia`."""
        refusal = TypeLists(self.allowed or ("*/*",), self.blocked).refusal(found, name)
        if refusal is not None:
            raise UnsupportedMedia(refusal, code="file_type_refused")
