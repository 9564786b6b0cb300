"""Uploads and downloads by blocking sockets: the generator's part of a transfer is what the kernel does.

python -m bench.uploading PORT TOKEN COUNT SECONDS keeps so many uploads going, one after another on each connection,
and prints how many bytes were taken. A process of its own with a low priority, so that it delays no other client.
"""

import itertools
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

SIZE = 100_000_000
BOUNDARY = b"bench-boundary-c5a1"
_PATIENCE = 60
_BLOCK = os.urandom(1_000_000)
_numbers = itertools.count()


def content() -> Iterator[bytes]:
    """100 MB that no blob has yet."""
    yield b"%16d" % (next(_numbers) + (os.getpid() << 24)) + _BLOCK[16:]
    for _ in range(SIZE // len(_BLOCK) - 1):
        yield _BLOCK


class Line:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self._headers = b"Host: 127.0.0.1\r\n"
        if token:
            self._headers += b"Authorization: Bearer %b\r\n" % token.encode()

    def close(self) -> None:
        self._socket.close()

    def ask(
        self, request: str, headers: str = "", body: bytes = b"", *, refusals: bool = False
    ) -> tuple[dict[str, str], bytes]:
        """Answers (headers, body); `refusals`: a status of 4xx is an answer, too."""
        self._begin(request, headers, len(body))
        self._socket.sendall(body)
        return self._answer(b"24" if refusals else b"2")

    def form(self, path: str) -> bytes:
        begin = b"--%b\r\nContent-Disposition: form-data; name=file; filename=a.bin\r\n\r\n" % BOUNDARY
        end = b"\r\n--%b--\r\n" % BOUNDARY
        kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n"
        return self._send(f"POST {path}", kind, begin, end)

    def put(self, path: str) -> bytes:
        return self._send(f"PUT {path}", "Content-Type: application/octet-stream\r\n")

    def tus(self, path: str) -> bytes:
        spoken = "Tus-Resumable: 1.0.0\r\n"
        named = f"{spoken}Upload-Length: {SIZE}\r\nUpload-Metadata: filename YS5iaW4=\r\n"
        created, _ = self.ask(f"POST {path}", named)
        kind = "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
        return self._send(f"PATCH {created['location']}", spoken + kind)

    def _send(self, request: str, headers: str, begin: bytes = b"", end: bytes = b"") -> bytes:
        self._begin(request, headers, len(begin) + SIZE + len(end))
        for piece in itertools.chain([begin], content(), [end]):
            self._socket.sendall(piece)
        return self._answer()[1]

    def _begin(self, request: str, headers: str, length: int) -> None:
        head = f"{request} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n"
        self._socket.sendall(head.encode() + self._headers + b"\r\n")

    def _answer(self, statuses: bytes = b"2") -> tuple[dict[str, str], bytes]:
        headers, came = self._head(statuses)
        length = int(headers.get("content-length", 0))
        while len(came) < length:
            came += self._more()
        return headers, came

    def _head(self, statuses: bytes = b"2") -> tuple[dict[str, str], bytes]:
        """`statuses`: first digits of those that are expected."""
        came = b""
        while b"\r\n\r\n" not in came:
            came += self._more()
        head, _, rest = came.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 ") or head[9] not in statuses:
            raise ConnectionError(came[:500].decode(errors="replace"))
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        return {name.lower(): value for name, value in lines}, rest

    def _more(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def get(self, path: str) -> None:
        """All of it, and nothing is kept."""
        self._begin(f"GET {path}", "", 0)
        headers, came = self._head()
        left, room = int(headers["content-length"]) - len(came), bytearray(1_000_000)
        while left:
            count = self._socket.recv_into(room, min(left, len(room)))
            if not count:
                raise ConnectionError("the server closed the connection")
            left -= count


@contextmanager
def line(port: int, token: str = "") -> Iterator[Line]:
    opened = Line(port, token)
    try:
        yield opened
    finally:
        opened.close()


def created_file(on: Line) -> str:
    """The path of a new record's content."""
    kind = "Content-Type: application/json\r\n"
    _, body = on.ask("POST /api/v1/files", kind, b'{"name":"a.bin"}')
    return f"/api/v1/files/{orjson.loads(body)['data']['id']}/content"


def main() -> None:
    port, token, count, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    os.nice(10)
    ends, taken = time.monotonic() + seconds, [0] * count

    def keep(number: int) -> None:
        with line(port, token) as mine:
            while time.monotonic() < ends:
                mine.form("/api/v1/files")
                taken[number] += SIZE

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sum(taken)))


if __name__ == "__main__":
    main()
