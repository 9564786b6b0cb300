"""What is sent without a request: webhooks, notifications by push and mail, scheduled messages."""

import click

from actors.resources.outbox import Way
from cli.settings import Settings
from server.api.services import Services
from server.outbound.mail import mailer as mailing
from server.outbound.mail.digests import DigestMailer
from server.outbound.mail.letters import Letters
from server.outbound.mail.links import MailLinks
from server.outbound.mail.mailer import Mailer
from server.outbound.mail.notices import Notices
from server.outbound.outbox.dispatcher import OutboxDispatcher, Sending
from server.outbound.posting import Poster
from server.outbound.push.pusher import Pusher
from server.outbound.push.vapid import KEY_FILE, Vapid, load_key
from server.outbound.webhooks.dispatcher import Dispatcher
from server.outbound.webhooks.sender import Sender
from server.scheduling.dispatcher import Scheduler


def webhook_dispatcher(services: Services) -> Dispatcher:
    directory = services.directory
    sender = Sender(services.webhook_addresses, services.version, tracer=services.tracer)
    return Dispatcher(
        services.reads, services.write, sender, services.measures,
        commits=lambda: directory.journal.batches, changes=lambda: directory.changes,
        must_be_allowed=services.sign_ins.must_be_allowed,
    )  # fmt: skip


def outbox(services: Services, chosen: Settings) -> OutboxDispatcher:
    directory = services.directory
    try:
        key = load_key(chosen["data_dir"] / KEY_FILE)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{error}.") from error
    vapid = Vapid(key, _push_contact(chosen))
    poster = Poster(services.webhook_addresses, tracer=services.tracer)
    services.pusher = Pusher(services.reads, services.write, poster, vapid, services.tracer)
    ways: dict[Way, Sending] = {"web_push": services.pusher}
    mailer = _mailer(services, chosen)
    if mailer is not None:
        links = MailLinks(services.sign_ins.own_key, chosen["public_url"])
        gathered = chosen["mail_delay_minutes"] * 60
        services.digests = ways["email"] = DigestMailer(
            services.reads, services.write, mailer, links, gathered=gathered
        )
        services.letters = Letters(
            services.reads, services.write, mailer, chosen["public_url"], services.sign_ins, services.measures
        )
        services.notices = Notices(
            services.reads, services.write, mailer, chosen["public_url"], services.measures,
            commits=lambda: directory.changes, must_come_in=services.sign_ins.must_come_in,
        )  # fmt: skip
    return OutboxDispatcher(
        services.reads, services.write, ways, services.measures,
        commits=lambda: directory.changes, must_come_in=services.sign_ins.must_come_in,
        is_active=lambda user_key: services.activity.status(user_key) == "online",
    )  # fmt: skip


def _mailer(services: Services, chosen: Settings) -> Mailer | None:
    """None: no mail is sent. Raises `click.ClickException`."""
    if chosen["smtp_url"] is None:
        return None
    for name in ("mail_from", "public_url"):
        if chosen[name] is None:
            raise click.ClickException(f"SMTP_URL requires {name.upper()}, too.")
    try:
        return Mailer(chosen["smtp_url"], chosen["mail_from"], services.tracer)
    except mailing.MissingExtra as error:
        raise click.ClickException(f"{error}.") from error


def _push_contact(chosen: Settings) -> str | None:
    public = chosen["public_url"]
    of_server = public if public is not None and public.startswith("https://") else None
    return chosen["push_contact"] or of_server


def scheduler(services: Services) -> Scheduler:
    directory = services.directory
    return Scheduler(
        services.reads, services.write, directory.ask, must_come_in=services.sign_ins.must_come_in,
        commits=lambda: directory.changes,
    )  # fmt: skip
