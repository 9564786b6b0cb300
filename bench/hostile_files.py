"""Hostile files, sent one after another: python -m bench.hostile_files PORT TOKEN SECONDS prints how many were sent.

A process of its own with a low priority, so that it delays no other client. The files are those of the tests, made at
run time.
"""

import itertools
import os
import sys
import time

import orjson

from bench.uploading import BOUNDARY, Line, line
from tests.server.files import hostile
from tests.server.previews import corpus

_MOST_BYTES = 1_000_000


def main() -> None:
    os.nice(10)
    port, token, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    files = [each.data for each in corpus.files() if len(each.data) < _MOST_BYTES]
    files += [hostile.overlapping_zip(), hostile.nested_zip(6, width=3), hostile.claiming_zip(0xFFFFFFF0)]
    sent, ends = 0, time.monotonic() + seconds
    with line(port, token) as connection:
        for content in itertools.cycle(files):
            if time.monotonic() >= ends:
                break
            _send(connection, content)
            sent += 1
    sys.stdout.buffer.write(orjson.dumps(sent))


def _send(connection: Line, content: bytes) -> None:
    """Whatever the answer is."""
    begin = b"--%b\r\nContent-Disposition: form-data; name=file; filename=a.bin\r\n\r\n" % BOUNDARY
    body = begin + content + b"\r\n--%b--\r\n" % BOUNDARY
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n"
    connection.ask("POST /api/v1/files", kind, body, refusals=True)


if __name__ == "__main__":
    main()
