"""After which segment a backup goes on: a note beside it on the shelf.

The database of the backup is of some moment between two looks of the process that ships. A segment holds pages as they
are at its end, so it does no harm to apply those again that the backup has already. Segments are applied from the first
that was not yet captured when the copy began; from the first look that began after it on, the state is one that was.
"""

import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from actors import limits
from storage.backups.continuous import state as states
from storage.backups.continuous.segments import pack, unpacked
from storage.backups.continuous.state import State
from storage.backups.keys import SealingKey
from storage.database import DatabaseProblem
from storage.private_files import private

CONTINUED = ".continued"
"""After the name of a backup: its mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    lineage: str
    after: int
    """Segments with a higher number are applied."""
    whole_from: int
    """The first after which the database is as it was at one moment; `after` where that is the backup itself."""


def write(path: Path, mark: Mark, keys: tuple[SealingKey, ...]) -> None:
    with open(path, "wb", opener=private) as target:
        pack(io.BytesIO(json.dumps(asdict(mark)).encode()), target, keys)


def read(path: Path, keys: tuple[SealingKey, ...], *, named: str) -> Mark:
    """Raises `DatabaseProblem`."""
    try:
        return Mark(**json.loads(b"".join(unpacked(path, keys, named=named))))
    except (ValueError, TypeError) as error:
        raise DatabaseProblem(f"{named}: it is damaged ({error}).") from error


class Marking:
    """Of one backup that is made beside the process that ships."""

    def __init__(self, data_dir: Path, *, is_expected: bool) -> None:
        self._data_dir = data_dir
        self._is_expected = is_expected
        """Whether changes are shipped at all."""
        self._before: State | None = None
        self.mark: Mark | None = None
        """None where this backup is not continued."""

    def begin(self) -> None:
        """Before the database is copied."""
        if self._is_expected:
            self._before = self._waited(lambda now: bool(now.lineage), limits.SHIPPING_START_SECONDS)

    def note(self) -> None:
        """After it was copied: wait for the end of a look that has begun since. One may run now, so for the second."""
        if self._before is None:
            return
        now = states.read(self._data_dir)
        later = self._waited(lambda found: found.look >= now.look + 2, limits.SHIPPING_LOOK_SECONDS)
        if later is not None and now.lineage == later.lineage == self._before.lineage:
            self.mark = Mark(later.lineage, self._before.number, later.number)

    def _waited(self, condition: Callable[[State], bool], seconds: float) -> State | None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = states.read(self._data_dir)
            if found.is_live and condition(found):
                return found
            time.sleep(limits.SHIPPING_POLL_SECONDS)
        return None
