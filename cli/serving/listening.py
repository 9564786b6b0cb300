"""The socket that the server listens on: its own, or one that systemd opened for it.

With a socket unit, connections that come while the server restarts wait in the socket instead of being refused.
Protocol: sd_listen_fds(3), sd_notify(3).
"""

import os
import socket
from typing import Final

import click

_FIRST_PASSED: Final = 3
"""Number of the first file descriptor that systemd passes."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is touched. Raises `ClickException`."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another with --host and --port."
        ) from error
    return listener


def passed_socket() -> socket.socket | None:
    """The socket that systemd passed to this process; None without one. Raises `ClickException`.

    The variables are removed: processes that this one starts must not take the socket for theirs.
    """
    is_ours = os.environ.pop("LISTEN_PID", None) == str(os.getpid())
    count = os.environ.pop("LISTEN_FDS", "0")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not is_ours or count == "0":
        return None
    if count != "1":
        raise click.ClickException(
            f"Expected one socket from systemd, got {count}: keep one Listen… in the socket unit."
        )
    os.set_inheritable(_FIRST_PASSED, False)
    passed = socket.socket(fileno=_FIRST_PASSED)
    if passed.family not in (socket.AF_INET, socket.AF_INET6) or passed.type != socket.SOCK_STREAM:
        raise click.ClickException("Expected a TCP socket from systemd: use ListenStream=ADDRESS:PORT.")
    return passed


def notify(state: str) -> None:
    """Report `READY=1` or `STOPPING=1` to systemd, where it asks for that. A lost report harms nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reports:
        try:
            reports.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError as error:
            click.echo(f"Could not report {state} to systemd: {error.strerror}.", err=True)
