"""The scanner of files against malware, as the core sees it; `server/outbound/scanner/` implements it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Clean:
    pass


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    """Of what was found, as the scanner calls it: one printable line, at most `limits.SCAN_NAME_CHARS`."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No verdict: the file is as suspect as before."""

    reason: str
    """One sentence, for operators."""
    retry_after: float
    """Seconds. An hour where the scanner's configuration has to change first."""


Verdict = Clean | Found | Unavailable


class ScannerUnavailable(Exception):
    """The text says what was expected, what came, and what to do."""


class Scanner(Protocol):
    async def scan(self, path: Path) -> Verdict:
        """Never raises; takes `limits.SCAN_SECONDS` at most, after its turn has come."""
        ...

    async def check(self) -> str:
        """What answers, and its version; raises `ScannerUnavailable`."""
        ...
