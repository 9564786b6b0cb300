"""`xp webhooks test` and `xp webhooks replay`: both queue, and a running server sends."""

import time
from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading, writing
from cli.terminal.times import Duration

if TYPE_CHECKING:
    from actors.resources.webhooks import Delivery


@click.command("test")
@click.argument("webhook", metavar="ID")
@click.option("--wait", "seconds", type=Duration(), default="20s", help="Time to wait for the answer.  [default: 20s]")
@data_dir_option
def test_command(webhook: str, seconds: int, data_dir: str | None) -> None:
    """Queue a test event, and wait for what comes of it.

    Example: xp webhooks test cmwtj2zqi000059b8tfy744ms
    """
    from actors.resources.webhooks import QueueTest

    with writing(data_dir) as writer:
        queued: Delivery = writer.do(QueueTest(identity=writer.system(), webhook_id=webhook))
    until = time.monotonic() + seconds
    while not (found := _delivery(data_dir, webhook, queued)).log and time.monotonic() < until:
        time.sleep(limits.XP_SENDING_SECONDS)  # until the next look at what another process writes
    if not found.log:
        raise click.ClickException(f"{queued.id} was not sent within {seconds} s; a running server sends it.")
    attempt = found.log[-1]
    if attempt.error is not None:
        answer = f" ({attempt.status})" if attempt.status else ""
        raise click.ClickException(f"{queued.id}: {attempt.error}{answer} after {attempt.milliseconds} ms.")
    click.echo(f"Delivered {queued.id}: {attempt.status} after {attempt.milliseconds} ms.")


def _delivery(data_dir: str | None, webhook: str, queued: "Delivery") -> "Delivery":
    from storage.resources.webhooks import reading as webhooks

    with reading(data_dir) as database:
        page = webhooks.deliveries(database, everyone(), webhook, state=None, limit=1, before=queued.key + 1)
        return page.items[0]


@click.command("replay")
@click.argument("webhook", metavar="ID")
@click.argument("deliveries", nargs=-1, metavar="[DELIVERY]...")
@data_dir_option
def replay_command(webhook: str, deliveries: tuple[str, ...], data_dir: str | None) -> None:
    """Deliver dead letters again: all of a webhook, or those that are named.

    Example: xp webhooks replay cmwtj2zqi000059b8tfy744ms
    """
    from actors.resources.webhooks import ReplayDeliveries

    with writing(data_dir) as writer:
        command = ReplayDeliveries(identity=writer.system(), webhook_id=webhook, delivery_ids=deliveries or None)
        count: int = writer.do(command)
    click.echo(f"{count} deliveries are pending again.")
