"""What an export is: a file, and what is to be said of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exported:
    name: str
    media_type: str
    body: bytes
    pages: int | None = None
    missing_scripts: str | None = None
    """Scripts that the server's fonts lack: `Han, Arabic`."""
    undrawn: int = 0
    """Charts whose data stand in their place."""
    threads: tuple[str, ...] = ()
    """What it shows stands in these: who fetches it must still see them."""
    left_out: int = 0
    """Older messages of a thread than are in it."""
