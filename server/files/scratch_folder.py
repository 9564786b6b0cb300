"""A folder in TMPDIR for what a worker is given and makes."""

import errno
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.errors import StorageFull, Unavailable

logger = logging.getLogger("server.files")


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Gone in the end. Raises `StorageFull` and `Unavailable` where files cannot be written, or no folder made; the log
    has the reason for the operator."""
    try:
        with tempfile.TemporaryDirectory(prefix=prefix) as folder:
            yield Path(folder)
    except OSError as error:
        logger.warning("TMPDIR (%s) cannot be used: %s", tempfile.tempdir or "no folder found", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The server has no space for temporary files. Retry later.") from error
        raise Unavailable("The server cannot write temporary files right now; retry later.") from error
