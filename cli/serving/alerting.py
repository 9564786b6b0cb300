"""Alerts of the server itself: by what rules, and who hears of them."""

import socket
from urllib.parse import urlsplit

import click

from cli.settings import Settings
from server.api.services import Services
from server.outbound.mail.mailer import Mailer, MissingExtra
from server.telemetry.alerts.alerter import Alerter
from server.telemetry.alerts.receivers import Receiver, ToMail, ToThread, ToUrl


def alerter(services: Services, chosen: Settings) -> Alerter:
    """Raises `click.ClickException`."""
    made = Alerter(chosen["alerts"], services.history, _receivers(services, chosen))
    services.alerts = made.alerts
    return made


def _receivers(services: Services, chosen: Settings) -> list[Receiver]:
    server = urlsplit(chosen["public_url"] or "").hostname or socket.gethostname()
    found: list[Receiver] = []
    if chosen["alert_webhook"] is not None:
        found.append(ToUrl(chosen["alert_webhook"], server))
    if chosen["alert_mail"]:
        found.append(ToMail(_mailer(services, chosen), chosen["alert_mail"], server))
    if chosen["alert_thread"] is not None:
        found.append(ToThread(chosen["alert_thread"], services.write, services.directory.ask))
    return found


def _mailer(services: Services, chosen: Settings) -> Mailer:
    for name in ("smtp_url", "mail_from"):
        if chosen[name] is None:
            raise click.ClickException(f"ALERT_MAIL requires {name.upper()}, too.")
    try:
        return Mailer(chosen["smtp_url"], chosen["mail_from"], services.tracer)
    except MissingExtra as error:
        raise click.ClickException(f"{error}.") from error
