"""`xp webhooks show`."""

from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_facts, print_json, print_table, short_time
from cli.users.rendering import names_of

if TYPE_CHECKING:
    from actors.resources.webhooks import Delivery, Webhook

COLUMNS = ("id", "type", "state", "attempts", "queued", "next attempt", "last answer")


@click.command("show")
@click.argument("webhook", metavar="ID")
@data_dir_option
@json_option
def command(webhook: str, data_dir: str | None, as_json: bool) -> None:
    """Show a webhook and its newest deliveries.

    Example: xp webhooks show cmwtj2zqi000059b8tfy744ms
    """
    from server.resources.webhooks.views import delivery_view, webhook_view
    from storage.resources.webhooks import reading as webhooks

    with reading(data_dir) as database:
        found = webhooks.find(database, webhook)
        page = webhooks.deliveries(database, everyone(), webhook, state=None, limit=limits.XP_DELIVERIES, before=None)
        owner = names_of(database)(found.user_id)
    if as_json:
        print_json(webhook_view(found) | {"deliveries": [delivery_view(each) for each in page.items]})
        return
    print_facts(_facts(found, owner))
    print_table(COLUMNS, map(row, page.items))


def _facts(webhook: "Webhook", owner: str) -> list[tuple[str, object]]:
    threads = "all of its owner's" if webhook.thread_ids is None else ", ".join(webhook.thread_ids) or "none is left"
    because = f" ({webhook.disabled_by})" if webhook.disabled_by else ""
    return [
        ("id", webhook.id), ("user", owner), ("name", webhook.name), ("url", webhook.url),
        ("events", ", ".join(webhook.events)), ("threads", threads), ("ordered", "yes" if webhook.ordered else "no"),
        ("status", f"{webhook.status}{because}"), ("failing since", short_time(webhook.failing_since)),
        ("paused until", short_time(webhook.resumes_at or None)),
    ]  # fmt: skip


def row(delivery: "Delivery") -> tuple[object, ...]:
    last = delivery.log[-1] if delivery.log else None
    answer = "" if last is None else f"{last.status or ''} {last.error or ''}".strip()
    return (
        delivery.id, delivery.type, delivery.state, delivery.attempts, short_time(delivery.created_at),
        short_time(delivery.next_attempt_at), answer,
    )  # fmt: skip
