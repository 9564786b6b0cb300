"""`xp doctor`: are this machine, the folder and the database fit to serve? What is not comes with what to do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors import limits
from cli import settings
from cli.settings import Settings
from cli.terminal.console import count, json_option, plain, print_json, print_table, size
from storage.blobs.location import FolderLocation

if TYPE_CHECKING:
    from storage.resources.audit.reading import Verdict

BUILT = 1_767_225_600
"""The first second of 2026: a clock before it is wrong."""
SQLITE = (3, 35, 0)
"""RETURNING."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    good: bool
    found: str
    advice: str = ""
    hint: bool = False
    """Nothing that keeps a server from running, but something to think about."""

    @property
    def mark(self) -> str:
        return "!" if self.hint else "✓" if self.good else "✗"

    @property
    def shown_advice(self) -> str:
        """The advice, where there is need of it."""
        return self.advice if self.hint or not self.good else ""


@click.command("doctor")
@settings.options("data_dir", "host", "port")
@json_option
def command(as_json: bool, **flags: str | None) -> None:
    """Check the machine, the settings and the data; exit code 1 if a check fails.

    Settings that work but weaken the server come with a hint (!), which does not change the exit code.

    Example: xp doctor --data-dir ./data
    """
    chosen = settings.load(flags)
    looks = [look for looking in CHECKS for look in looking(chosen)]
    if as_json:
        print_json([asdict(look) for look in looks])
    else:
        rows = ((look.mark, look.name, look.found, look.shown_advice) for look in looks)
        print_table(("", "what", "found", "what to do"), rows)
    click.get_current_context().exit(0 if all(look.good for look in looks) else 1)


def _versions(_: Settings) -> Iterator[Check]:
    import platform
    import sqlite3
    import sys

    yield Check("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or newer.")
    wanted = ".".join(map(str, SQLITE))
    yield Check(
        "SQLite", sqlite3.sqlite_version_info >= SQLITE, sqlite3.sqlite_version,
        f"Use a Python that comes with SQLite {wanted} or newer.",
    )  # fmt: skip


def _limits(_: Settings) -> Iterator[Check]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = soft == resource.RLIM_INFINITY
    yield Check(
        "open files", endless or soft >= limits.DOCTOR_OPEN_FILES, "unlimited" if endless else f"{soft:,} at most",
        f"Raise the limit (ulimit -n {hard if hard > 0 else 65_536}): each connection takes one.",
    )  # fmt: skip


def _folder(chosen: Settings) -> Iterator[Check]:
    import os
    import shutil

    folder: Path = chosen["data_dir"]
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    more = _user_of(folder) if folder.exists() else ", created at the first start"
    yield Check("data folder", writable, f"{folder}{more}", "Give this user write access, or set another DATA_DIR.")
    free = shutil.disk_usage(there).free
    yield Check(
        "free disk space", free >= limits.DOCTOR_FREE_BYTES, size(free),
        f"Free some; below {size(limits.DOCTOR_FREE_BYTES)} writes may soon fail.",
    )  # fmt: skip


def _blobs(chosen: Settings) -> Iterator[Check]:
    import asyncio

    from actors.blobs import BlobStoreError
    from cli.opening.blobs import location_of, open_blobs

    where = location_of(chosen)
    if isinstance(where, FolderLocation) and not where.path.exists():
        yield Check("file store", True, f"{where}, created with the first file")
        return

    async def check() -> None:
        store = open_blobs(chosen)
        try:
            await store.check()
        finally:
            await store.close()

    try:
        asyncio.run(check())
    except BlobStoreError as error:
        yield Check("file store", False, f"{where} cannot be used", str(error))
    else:
        yield Check("file store", True, f"{where}: written, read and deleted a probe")


def _scanner(chosen: Settings) -> Iterator[Check]:
    import asyncio

    from actors.scanner import ScannerUnavailable
    from server.outbound.scanner.location import parse
    from server.outbound.scanner.opening import open_scanner

    if chosen["scan_url"] is None:
        return
    try:
        yield Check("scanner", True, asyncio.run(open_scanner(parse(chosen["scan_url"])).check()))
    except ScannerUnavailable as error:
        yield Check("scanner", False, "It cannot be used: files stay in quarantine.", str(error))


def _private(chosen: Settings) -> Iterator[Check]:
    """What is in the data folder is as private as the secret in it."""
    from storage.database import FILE_NAME
    from storage.private_files import is_open_to_others

    folder: Path = chosen["data_dir"]
    files = sorted(folder.glob(f"{FILE_NAME}*")) if folder.is_dir() else []
    seen = [file.name for file in files if is_open_to_others(file)]
    advice = f"Run: chmod go-rwx {folder}/{FILE_NAME}*"
    yield Check(
        "private files",
        not seen,
        f"others can read {', '.join(seen)}" if seen else "only readable by this user",
        advice,
    )
    if folder.is_dir() and is_open_to_others(folder):
        yield Check("private folder", True, "others can list its files", f"Run: chmod 700 {folder}", hint=True)


def _user_of(folder: Path) -> str:
    from storage.lock import holder

    pid = holder(folder)
    return "" if pid is None else f", used by process {pid}"


def _secret(chosen: Settings) -> Iterator[Check]:
    from actors import limits
    from cli.opening.keys import SECRET_FILE

    if chosen["jwt_secret"] is not None:
        length = len(chosen["jwt_secret"].encode())
        yield Check(
            "secret", length >= limits.SECRET_BYTES_LEAST, f"JWT_SECRET, {length} bytes",
            f"It must have at least {limits.SECRET_BYTES_LEAST} bytes, and should have {limits.SECRET_BYTES}.",
        )  # fmt: skip
    elif chosen["jwt_jwks_url"] is not None:
        yield Check("secret", True, "none; the issuer's keys are at JWT_JWKS_URL")
    else:
        yield _secret_file(chosen["data_dir"] / SECRET_FILE)


def _secret_file(path: Path) -> Check:
    import stat

    from server.auth.secret_file import load_or_create_secret

    if not path.exists():
        return Check("secret", True, f"{path}, created at the first start")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check("secret", False, f"{path}, mode {mode:04o}", f"Others can read it; run: chmod 600 {path}")
    try:
        load_or_create_secret(path)
    except (ValueError, OSError) as error:
        return Check("secret", False, str(error), "Replace it, or delete the file to generate a new one.")
    return Check("secret", True, f"{path}, mode {mode:04o}")


def _database(chosen: Settings) -> Iterator[Check]:
    from storage.database import FILE_NAME, DatabaseOptions, DatabaseProblem
    from storage.maintenance import inspection
    from storage.maintenance.opening import one_moment, opened
    from storage.resources.audit import reading as audit
    from storage.schema import check as schema_check
    from storage.schema import migrating as schema

    path = chosen["data_dir"] / FILE_NAME
    newest = None
    if not path.exists():
        yield Check("database", True, f"{path}, created at the first start")
    else:
        try:
            with opened(DatabaseOptions(path), any_schema=True) as database:
                migrations = schema.status(database)
                schema.must_be_ours(database, migrations, path)
                pending = [migration.name for migration in migrations if not migration.applied]
                sound = inspection.quick_check(database)
                newest = None if pending else inspection.newest_time(database)
                with one_moment(database):
                    verdict = audit.verify(database) if sound == "ok" and not pending else None
                changed = schema_check.differences(database)
                domains = {} if pending else inspection.domains(database)
        except DatabaseProblem as problem:
            yield Check("database", False, "It cannot be used.", str(problem))
        else:
            yield Check("database", sound == "ok", f"{path}: {sound}", "Restore a backup: xp db restore FILE")
            yield Check("schema", not pending, f"{len(pending)} migrations pending", "Run: xp db migrate")
            yield Check(
                "unchanged schema", not changed, changed[0] if changed else "matches the migrations",
                "It was changed outside the server: xp db check lists the changes; drop them, or restore a backup.",
            )  # fmt: skip
            if verdict is not None:
                yield _audit(verdict)
            yield from _domains(chosen, domains)
    yield _clock(newest)


def _domains(chosen: Settings, domains: dict[str, int]) -> Iterator[Check]:
    """Users whom an administrator has made, or who came in before the setting was narrowed."""
    allowed = {domain.lower() for domain in chosen["allowed_domains"]}
    outside = {} if "*" in allowed else {domain: n for domain, n in domains.items() if domain.lower() not in allowed}
    if outside:
        named = ", ".join(plain(domain) or "no domain" for domain in list(outside)[:3])
        yield Check(
            "ALLOWED_DOMAINS", True, f"{count(sum(outside.values()), 'user')} of {named} may not sign in",
            f"It is {', '.join(chosen['allowed_domains']) or 'empty'}; add their domains, or * for any.", hint=True,
        )  # fmt: skip


def _audit(verdict: "Verdict") -> Check:
    whole = verdict.broken_at is None
    state = f"head {verdict.head[:12] or '–'}" if whole else f"broken at {verdict.broken_at}"
    removed = f", {verdict.removal.entries:,} before them removed by AUDIT_DAYS" if verdict.removal.entries else ""
    found = f"{count(verdict.entries, 'entry', 'entries')}, {state}{removed}"
    return Check(
        "audit log", whole, found, "It was changed outside the server: xp audit verify; compare with a backup."
    )


def _clock(newest: int | None) -> Check:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if newest is not None and newest / 1000 > now + limits.DOCTOR_DRIFT_SECONDS:
        ahead = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(newest / 1000))
        return Check("clock", False, f"{shown}, but the newest event is from {ahead}", "Set the clock right, by NTP.")
    return Check("clock", now >= BUILT, shown, "Set the clock right, by NTP.")


def _settings(chosen: Settings) -> Iterator[Check]:
    from cli.settings.hints import hints

    found = list(hints(chosen))
    for hint in found:
        yield Check(hint.setting, True, hint.found, hint.advice, hint=True)
    if not found:
        yield Check("settings", True, "nothing that weakens security")


def _port(chosen: Settings) -> Iterator[Check]:
    host, port = chosen["host"], chosen["port"]
    where = f"{host}:{port}"
    if port == 0:
        yield Check("port", True, "any free one")
        return
    problem = _taken(host, port)
    if problem is None:
        yield Check("port", True, f"{where} is free")
        return
    status = _our_server(host, port)
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


def _our_server(host: str, port: int) -> str | None:
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


CHECKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    _versions, _limits, _folder, _blobs, _scanner, _private, _secret, _settings, _database, _port,
)  # fmt: skip
