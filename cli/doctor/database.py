"""The database: its schema, its audit log, its newest time; and users whom no setting allows."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from actors import limits
from cli.doctor.check import Check
from cli.settings import Settings
from cli.terminal.console import count, plain

if TYPE_CHECKING:
    from storage.resources.audit.reading import Verdict

BUILT = 1_767_225_600
"""The first second of 2026: a clock before it is wrong."""


def checked(chosen: Settings) -> Iterator[Check]:
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
