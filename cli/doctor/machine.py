"""This machine: Python, SQLite, limits, the port."""

from collections.abc import Iterator

from actors import limits
from cli.doctor.check import Check
from cli.settings import Settings

SQLITE = (3, 35, 0)
"""RETURNING."""


def versions(_: Settings) -> Iterator[Check]:
    import platform
    import sqlite3
    import sys

    yield Check("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or newer.")
    wanted = ".".join(map(str, SQLITE))
    yield Check(
        "SQLite", sqlite3.sqlite_version_info >= SQLITE, sqlite3.sqlite_version,
        f"Use a Python that comes with SQLite {wanted} or newer.",
    )  # fmt: skip


def open_files(_: Settings) -> Iterator[Check]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = soft == resource.RLIM_INFINITY
    yield Check(
        "open files", endless or soft >= limits.DOCTOR_OPEN_FILES, "unlimited" if endless else f"{soft:,} at most",
        f"Raise the limit (ulimit -n {hard if hard > 0 else 65_536}): each connection takes one.",
    )  # fmt: skip


def port(chosen: Settings) -> Iterator[Check]:
    host, port = chosen["host"], chosen["port"]
    where = f"{host}:{port}"
    if port == 0:
        yield Check("port", True, "any free one")
        return
    problem = _taken(host, port)
    if problem is None:
        yield Check("port", True, f"{where} is free")
        return
    status = our_server(host, port)
    if status is None:
        yield Check(
            "port", False, f"{where}: {problem}", "Set another PORT (or HOST), or end the process that listens there."
        )
    else:
        yield Check("port", status == "ok", f"this server answers on {where}: {status}", "See its log and /health.")


def _taken(host: str, port: int) -> str | None:
    """What keeps a server from listening there; None where nothing does."""
    import socket

    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def our_server(host: str, port: int) -> str | None:
    """The status that our server gives itself; None where something else, or nothing, answers."""
    import json
    import urllib.request
    from http.client import HTTPException

    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    shown = f"[{reached}]" if ":" in reached else reached
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{shown}:{port}/health", timeout=3) as answer:
            data = json.loads(answer.read(65_536))["data"]
            return str(data["status"]) if "live_threads" in data else None
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return None
