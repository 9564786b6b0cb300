"""A bystander in a process of its own, who reads the newest page of a thread, about 100 times a second.

python -m bench.read_probe PORT THREAD TOKEN SECONDS prints the milliseconds of each read as JSON. Where the server
closes its connection, as it may with any that waits idle, it opens another one; that time counts, too.
"""

import contextlib
import json
import socket
import sys
import time

PAUSE = 0.008


def main() -> None:
    port, thread, token, seconds = sys.argv[1:5]
    request = (
        f"GET /api/v1/threads/{thread}/messages?limit=30 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    connection, times = _connect(int(port)), []
    end = time.perf_counter() + float(seconds)
    while time.perf_counter() < end:
        started = time.perf_counter()
        while not _ask(connection, request):
            with contextlib.suppress(OSError):
                connection = _connect(int(port))
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(PAUSE)  # the load that is measured has pauses
    print(json.dumps(times))


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(connection: socket.socket, request: bytes) -> bool:
    """Whether it was served; a refusal is an error of the case."""
    try:
        connection.sendall(request)
        came = connection.recv(65_536)
        while b"\r\n\r\n" not in came:
            if not (more := connection.recv(65_536)):
                return False
            came += more
        if not came.startswith(b"HTTP/1.1 200"):
            raise SystemExit(came.decode(errors="replace"))
        head, _, body = came.partition(b"\r\n\r\n")
        left = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]) - len(body)
        while left > 0:
            left -= len(connection.recv(65_536))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
