"""A worker process that looks into archives: it says of each whether it is a bomb, and why."""

from typing import Final

from server.files.archives.bombs import inspect
from server.previews.job import Job
from server.previews.kinds import add_maker
from server.previews.preview import Preview
from server.previews.worker import main

ARCHIVE: Final = "archive"
"""The media type of its jobs."""
BOMB: Final = "bomb"


def look(job: Job) -> Preview:
    bomb = inspect(job.path).bomb
    return Preview(metadata={} if bomb is None else {BOMB: bomb})


if __name__ == "__main__":
    add_maker(ARCHIVE, look)
    main()
