"""`xp why notified`: the cause of a notification, and what of it left the server."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from cli.opening.database import data_dir_option, reading
from cli.terminal.console import json_option, print_facts, print_json, print_table, short_time

if TYPE_CHECKING:
    from actors.resources.notifications import Preferences
    from actors.resources.outbox import OutboxTrace, RowTrace

CAUSES: Final = {
    "acknowledgement": "{actor} asked the user to acknowledge {subject}",
    "mention": "{actor} mentioned the user in {subject}",
    "reply": "{actor} replied to the user, with {subject}",
    "reaction": "{actor} reacted to {subject} of the user",
    "added": "{actor} added the user to the thread",
    "reminder": "the user wanted to be reminded",
}
ERRORS: Final = {
    "no_recipient": "no device, or no confirmed address",
    "not_allowed": "the user may not sign in",
    "refused": "the push service or mail server refused it",
    "unreachable": "the push service or mail server did not take it",
    None: "",
}
COLUMNS = ("way", "state", "attempts", "due", "why")


@click.command("notified")
@click.argument("notification", metavar="ID")
@data_dir_option
@json_option
def command(notification: str, data_dir: str | None, as_json: bool) -> None:
    """Say why a user was notified, and by what ways that left the server. No text of a message is shown.

    Example: xp why notified cmwtj2zqi000059b8tfy744ms
    """
    from storage.resources.outbox.tracing import trace

    with reading(data_dir) as database:
        found = trace(database, notification)
    if as_json:
        print_json(_json(found))
        return
    print_facts(_facts(found))
    print_table(COLUMNS, map(_row, found.rows))


def cause(found: "OutboxTrace") -> str:
    notification = found.notification
    comment = notification.comment_id
    subject = f"message {notification.message_id}" if comment is None else f"comment {comment}"
    return CAUSES[notification.kind].format(actor=notification.actor.name, subject=subject)


def _facts(found: "OutboxTrace") -> list[tuple[str, object]]:
    notification = found.notification
    return [
        ("id", notification.id), ("user", f"{found.user_name} ({found.user_id})"), ("because", cause(found)),
        ("thread", notification.thread_id or "none"), ("at", short_time(notification.created_at)),
        ("read", "no" if notification.read_at is None else short_time(notification.read_at)),
        ("ways now chosen", ", ".join(found.preferences.deliver) or "none"), ("quiet hours", _quiet(found.preferences)),
        ("devices", found.devices), ("address confirmed", "yes" if found.has_address else "no"),
    ]  # fmt: skip


def _quiet(preferences: "Preferences") -> str:
    start, end = preferences.quiet_from, preferences.quiet_to
    if start is None or end is None:
        return "none"
    return f"{start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02}, {preferences.time_zone}"


def _row(row: "RowTrace") -> tuple[object, ...]:
    return row.way, row.state, row.attempts, short_time(row.due_at), ERRORS[row.error]


def _json(found: "OutboxTrace") -> dict[str, object]:
    from server.api.render import iso_time, maybe_time

    notification = found.notification
    return {
        "id": notification.id, "user_id": found.user_id, "because": cause(found), "kind": notification.kind,
        "thread_id": notification.thread_id, "message_id": notification.message_id,
        "artifact_id": notification.artifact_id, "comment_id": notification.comment_id,
        "created_at": iso_time(notification.created_at), "read_at": maybe_time(notification.read_at),
        "deliver": list(found.preferences.deliver), "devices": found.devices, "has_address": found.has_address,
        "rows": [asdict(row) | {"due_at": iso_time(row.due_at)} for row in found.rows],
    }  # fmt: skip
