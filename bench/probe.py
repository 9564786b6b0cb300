"""A light caller in a process of its own, so that it waits for the server and not for the generator's other clients.

python -m bench.probe PORT THREAD TOKEN SECONDS prints the milliseconds from sending to the reply of each message, one
at a time, about 100 a second, as JSON. It needs nothing but the standard library, so that it starts at once.
"""

import json
import socket
import sys
import time

PAUSE = 0.008
CONTENT = "x" * 180
HANDSHAKE = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def main() -> None:
    port, thread, token, seconds = sys.argv[1:5]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(HANDSHAKE)
        _read_until(connection, b"\r\n\r\n")
        connection.sendall(_frame(b'{"id":1,"connect":{"token":"%b"}}' % token.encode()))
        _read_until(connection, b'"connect":')
        times = []
        end = time.perf_counter() + float(seconds)
        number = 2
        while time.perf_counter() < end:
            number += 1
            body = {
                "id": number,
                "rpc": {"method": "create_message", "data": {"thread_id": thread, "content": CONTENT}},
            }
            command = _frame(json.dumps(body).encode())
            started = time.perf_counter()
            connection.sendall(command)
            _read_until(connection, b'{"id":%d,"rpc":' % number)
            times.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE)  # the load that is measured has pauses
    print(json.dumps(times))


def _read_until(connection: socket.socket, mark: bytes) -> None:
    came = b""
    while mark not in came:
        data = connection.recv(65_536)
        if not data or b'"error":{' in data:
            raise ConnectionError((came + data).decode(errors="replace"))
        came += data


def _frame(payload: bytes) -> bytes:
    """Masked with zeros."""
    if len(payload) < 126:
        return bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + b"\0\0\0\0" + payload


if __name__ == "__main__":
    main()
