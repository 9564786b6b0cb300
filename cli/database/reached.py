"""How far a restore from the shelf went, and what is lost."""

from typing import TYPE_CHECKING, Any

import click

from cli.terminal.console import count

if TYPE_CHECKING:
    from cli.database.copied_files import OpenedBackup
    from storage.backups.restore_check import Rehearsed


def document(opened: "OpenedBackup", at: int | None) -> dict[str, Any]:
    """Only where it is a state of the shelf. `lost_seconds`: of what was shipped and is no good.
    `gap_until`: the first later state that can be restored, where changes before it may be lost."""
    if opened.rehearsed is None:
        return {}
    return {"asked_at": _iso(at) if at is not None else None} | facts(opened.rehearsed)


def facts(done: "Rehearsed") -> dict[str, Any]:
    replayed = done.replayed
    return {
        "reached_at": _iso(reached_at(done)), "segments": replayed.segments,
        "lost_seconds": round(replayed.lost_ms / 1000, 3), "faults": done.faults,
        "gap_until": _iso(done.gap_until) if done.gap_until is not None else None,
    }  # fmt: skip


def reached_at(done: "Rehearsed") -> int:
    """Milliseconds since 1970."""
    from storage.backups.continuous.plans import made_at

    assert done.backup is not None, "something was restored"
    return done.replayed.reached_at or made_at(done.backup)


def tell(opened: "OpenedBackup", at: int | None) -> None:
    if opened.rehearsed is not None:
        click.echo(sentence(opened.rehearsed, at))


def sentence(done: "Rehearsed", at: int | None = None) -> str:
    replayed, reached = done.replayed, reached_at(done)
    what = f"The state is that of {_iso(reached)}"
    if replayed.segments:
        what += f", by {count(replayed.segments, 'segment')} after the backup"
    if at is not None:
        what += f"; the time asked for is {(at - reached) / 1000:,.1f} s later"
    if replayed.fault is not None:
        return f"{what}. {replayed.lost_ms / 1000:,.1f} s of changes after it are lost."
    if done.gap_until is not None:
        return f"{what}. Changes between it and {_iso(done.gap_until)}, if there were any, cannot be restored."
    return f"{what}; no later change was shipped{' by then' if at is not None else ''}."


def _iso(milliseconds: int) -> str:
    from server.api.render import iso_time

    return iso_time(milliseconds)
