"""The groups of unhandled errors in a file of the data folder: they outlive a restart, and `xp errors` reads them."""

import asyncio
import contextlib
import logging
import os
from collections import deque
from pathlib import Path
from typing import Any

import orjson

from actors import limits
from actors.runtime.periodic import Periodic
from server.telemetry.error_groups import ErrorGroup, ErrorGroups, Occurrence

logger = logging.getLogger("server.errors")

FILE_NAME = "errors.json"


def read(folder: Path) -> list[ErrorGroup]:
    """The most recently seen first; none where there is no file, or one that is no list of groups."""
    try:
        return [_group(each) for each in orjson.loads((folder / FILE_NAME).read_bytes())]
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return []


def write(folder: Path, groups: list[ErrorGroup]) -> None:
    """Whole or not at all, and for the owner alone. Raises `OSError`."""
    partial = folder / f"{FILE_NAME}.partial"
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(groups, default=_jsonable))
    partial.replace(folder / FILE_NAME)


def _jsonable(value: object) -> Any:
    if isinstance(value, deque):
        return list(value)
    raise TypeError(type(value).__name__)


def _group(found: dict[str, Any]) -> ErrorGroup:
    last = deque((Occurrence(**each) for each in found.pop("last")), maxlen=limits.ERROR_OCCURRENCES)
    return ErrorGroup(**{**found, "frames": tuple(found["frames"])}, last=last)


class ErrorFile:
    """Writes the groups a moment after one of them has changed."""

    def __init__(self, folder: Path, groups: ErrorGroups, *, every_seconds: float = limits.ERRORS_KEPT_SECONDS) -> None:
        self._folder = folder
        self._groups = groups
        self._written = 0
        self._periodic = Periodic(
            self._keep, every_seconds=every_seconds, first_seconds=every_seconds, logger=logger, name="keeping errors"
        )

    def start(self) -> None:
        self._groups.restore(read(self._folder))
        self._periodic.start()

    async def stop(self) -> None:
        await self._periodic.stop()
        await self._keep()

    async def _keep(self) -> None:
        if self._groups.total == self._written:
            return
        self._written = self._groups.total
        try:
            await asyncio.to_thread(write, self._folder, self._groups.groups)
        except OSError as error:
            with contextlib.suppress(ValueError):
                logger.warning("the groups of errors could not be written: %s", error.strerror)
