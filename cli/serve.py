"""`xp serve`: reads the settings, puts all layers together, and takes them apart again in order."""

import asyncio
import contextlib
import gc
import logging
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvloop

from actors import limits
from actors.auth.access_changes import GetNewestAccessChange, ListAccessChanges, ListRevokedTokens
from actors.auth.access_watch import AccessWatch
from actors.auth.actor import AuthActor, VerifiedTokens
from actors.auth.credentials import FindCredentials
from actors.delivery.live_channels import LiveChannels
from actors.journal.housekeeper import Housekeeper
from actors.resources.log import GetLogHead
from actors.resources.outbox import Way
from actors.resources.streams import ListThreadsBeingWritten
from actors.runtime.fair_pool import FairPool
from actors.runtime.loop_actor import Stage
from actors.threads.directory import Directory
from actors.threads.state import LoadThread
from actors.users.directory import Users
from cli import settings
from cli.opening.files import file_rules, open_library, open_processing
from cli.opening.keys import SECRET_FILE, Keys, open_keys, source_of
from cli.serving import log_lines
from cli.serving.backup_schedule import BackupSchedule
from cli.serving.descriptors import connections_at_most
from cli.serving.listening import listen, notify, passed_socket
from cli.serving.published_settings import published
from cli.settings import Settings
from cli.settings.hints import hints, secret_hints
from server.api import events
from server.api.services import COMPUTING, Services
from server.auth.authentication import BrowserRules
from server.auth.passwords import Passwords
from server.auth.sign_ins import SignIns
from server.exports.jobs import ExportJobs
from server.exports.printer import Printer
from server.files.keeper import Keeper
from server.files.library import Library
from server.files.store_watch import StoreWatch
from server.http.headers.peers import Proxies
from server.http.server import HttpServer
from server.limits.password_tries import PasswordTries
from server.limits.rate_classes import RATE_CLASSES
from server.limits.rate_limits import RateLimiter
from server.limits.sockets import SocketLimits
from server.outbound.addresses import AddressRules
from server.outbound.mail import mailer as mailing
from server.outbound.mail.links import MailLinks
from server.outbound.mail.mailer import Mailer
from server.outbound.mail.post import Post
from server.outbound.outbox.dispatcher import OutboxDispatcher, Sending
from server.outbound.posting import Poster
from server.outbound.push.pusher import Pusher
from server.outbound.push.vapid import KEY_FILE, Vapid, load_key
from server.outbound.webhooks.dispatcher import Dispatcher
from server.outbound.webhooks.sender import Sender
from server.realtime.hub import Hub
from server.realtime.protocol import codes as protocol
from server.scheduling.dispatcher import Scheduler
from server.telemetry.error_file import ErrorFile
from server.telemetry.metrics_access import MetricsAccess
from server.telemetry.own_port import serving_metrics
from server.telemetry.sentry import MissingExtra, Sentry
from server.telemetry.status.sampling import findings, sample
from storage.database import FILE_NAME, DatabaseOptions, DatabaseProblem
from storage.journal.store import JournalStore
from storage.lock import data_folder_lock
from storage.readers.reads import SqliteReads

if TYPE_CHECKING:  # it loads an HTTP client, which a server without a provider does not need
    from server.outbound.oidc import OidcClient

logger = logging.getLogger("cli.serve")
EXPORTS = "exports"
"""Folder in DATA_DIR of exports that were made as jobs; nothing in it lasts longer than a day."""


@click.command()
@settings.options()
def command(**flags: str | None) -> None:
    """Start the server.

    Every setting is a flag, or an environment variable of the name in brackets.

    Example: xp serve --port 8787 --data-dir ./data
    """
    chosen = settings.load(flags)
    log_lines.configure(chosen["log_level"], chosen["log_format"])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(chosen))
    except DatabaseProblem as problem:
        raise click.ClickException(str(problem)) from problem


async def _serve(chosen: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (
        data_folder_lock(chosen["data_dir"], source_of(chosen)),
        passed_socket() or listen(chosen["host"], chosen["port"]) as listener,
        published(chosen),
    ):
        async with running(chosen, listener):
            _greet(chosen, listener)
            _relax_collector()
            notify("READY=1")
            await stop.wait()
            notify("STOPPING=1")
            click.echo("Stopping: no new connections; clients are asked to reconnect.", err=True)


def _relax_collector() -> None:
    """What is there now lives as long as the process, and requests leave few cycles: collecting after every 700 new
    objects, as Python does, took a tenth of the throughput."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@contextlib.asynccontextmanager
async def running(chosen: Settings, listener: socket.socket) -> AsyncIterator[Services]:
    """Bottom-up: storage, actors, services, HTTP; top-down on the way out."""
    for hint in secret_hints(chosen):
        logger.warning("%s", hint.sentence)
    options = DatabaseOptions(chosen["data_dir"] / FILE_NAME, synchronous=chosen["synchronous"].upper())
    stage = Stage()
    reads = SqliteReads(options, budget=chosen["rate_limits"])
    rules = file_rules(chosen)
    directory = Directory(
        stage,
        JournalStore(options, quotas=rules.quotas, artifact_versions=chosen["artifact_versions"]),
        load=lambda thread_id: reads.ask(LoadThread(thread_id)),
        encode=events.event_json,
        reads=reads,
    )
    users = directory.users = Users(stage, reads, events.user_event_json, directory.live_thread)
    async with contextlib.AsyncExitStack() as closing:
        keys = await open_keys(chosen)
        closing.push_async_callback(keys.close)
        closing.callback(stage.stop_all)
        closing.push_async_callback(directory.journal.close)  # the last to close it folds the WAL into the database
        closing.callback(reads.close)
        closing.callback(directory.stop)
        housekeeper = Housekeeper(directory.journal)
        closing.callback(housekeeper.stop)
        await directory.open()
        housekeeper.start()
        epoch, _ = await reads.ask(GetLogHead())
        library = open_library(chosen, rules, directory.journal, reads)
        closing.push_async_callback(library.close)
        keeper = Keeper(library)
        closing.push_async_callback(keeper.stop)
        printer = Printer(workers=chosen["export_workers"], fonts=chosen["font_dir"])
        closing.push_async_callback(printer.close)
        export_jobs = ExportJobs(chosen["data_dir"] / EXPORTS, time.time)
        closing.push_async_callback(export_jobs.stop)
        services = await _services(chosen, stage, directory, users, reads, keys, library, printer, export_jobs, epoch)
        closing.callback(services.computing.close)
        await export_jobs.start()
        await keeper.end_forms()
        keeper.start()
        store_watch = StoreWatch(library)
        closing.push_async_callback(store_watch.stop)
        store_watch.start()
        processing = open_processing(chosen, library)
        closing.push_async_callback(processing.stop)
        processing.start()
        services.measured_files = {"database": options.path, "wal": options.path.with_name(f"{FILE_NAME}-wal")}
        closing.callback(services.loop_watch.stop)
        services.loop_watch.start()
        closing.callback(services.log_level.restore)
        closing.enter_context(log_lines.noted_errors(services.error_groups))
        errors = ErrorFile(chosen["data_dir"], services.error_groups)
        closing.push_async_callback(errors.stop)
        errors.start()
        closing.enter_context(_sentry(chosen, services))
        backups = BackupSchedule(chosen, services.backups)
        closing.push_async_callback(backups.stop)
        backups.start()
        closing.callback(services.history.stop)
        services.history.start(lambda healthy: sample(services, is_healthy=healthy), lambda: findings(services))
        dispatcher = _dispatcher(services)
        closing.push_async_callback(dispatcher.stop)
        dispatcher.start()
        outbox = _outbox(services, chosen)
        closing.push_async_callback(outbox.stop)
        outbox.start()
        scheduler = _scheduler(services)
        closing.push_async_callback(scheduler.stop)
        scheduler.start()
        await closing.enter_async_context(serving_metrics(services, _metrics_listener(chosen)))
        closing.push_async_callback(services.sign_ins.close)
        services.rooms.rest_seconds = chosen["document_version_seconds"]
        closing.push_async_callback(services.rooms.stop)
        closing.callback(services.live_channels.stop)
        closing.callback(services.access.stop)
        services.access.start()
        for thread_id in await reads.ask(ListThreadsBeingWritten(limits.STREAMS_RESUMED)):
            directory.thread(thread_id)  # it ends what its author does not go on with
        closing.callback(services.activity.stop)
        services.activity.start()
        http = HttpServer(services, stage, _browser(chosen), sockets=_sockets(chosen))
        await http.start(listener)
        try:
            yield services
        finally:
            await _drain(services, http)


async def _services(
    chosen: Settings, stage: Stage, directory: Directory, users: Users, reads: SqliteReads, keys: Keys,
    library: Library, printer: Printer, export_jobs: ExportJobs, epoch: str,
) -> Services:  # fmt: skip
    # Before what has changed is read: nothing can come in between.
    newest_change = await reads.ask(GetNewestAccessChange())
    tokens = VerifiedTokens()
    auth = AuthActor(
        verifier=keys.verifier, refresher=keys.refresher, journal=directory.journal,
        read=lambda asked: reads.ask(FindCredentials(asked)), tokens=tokens,
        revoked=await reads.ask(ListRevokedTokens()),
        must_be_allowed=lambda user: keys.verifier.must_be_allowed(user.domain, user.email),
    )  # fmt: skip
    limiter = _limiter(chosen) if chosen["rate_limits"] else None
    services = Services(
        computing=FairPool(1, "computing", COMPUTING, budget=chosen["rate_limits"]),
        directory=directory,
        reads=reads,
        auth=stage.start(auth),
        tokens=tokens,
        hub=_hub(chosen),
        sign_ins=_sign_ins(chosen, keys, limiter),
        live_channels=LiveChannels(stage),
        users=users,
        files=library,
        printer=printer,
        export_jobs=export_jobs,
        live_patterns=chosen["live_channels"],
        verify_channel=keys.verifier.verify_channel,
        epoch=epoch,
        version=version("experience-server"),
        problem_base=chosen["problem_base"].rstrip("/"),
        rate_limits=chosen["rate_limits"],
        limiter=limiter,
        metrics_access=_metrics_access(chosen),
        status_is_public=chosen["status_page"] == "public",
        webhook_addresses=AddressRules(chosen["webhook_networks"]),
    )
    services.warnings = tuple(hint.sentence for hint in hints(chosen))
    services.access = AccessWatch(
        newest=newest_change, read=lambda number: reads.ask(ListAccessChanges(number)), tell=services.access_changed
    )
    return services


@contextlib.contextmanager
def _sentry(chosen: Settings, services: Services) -> Iterator[None]:
    """Unhandled errors are sent there, too, while inside."""
    if chosen["sentry_dsn"] is None:
        yield
        return
    try:
        sentry = Sentry(chosen["sentry_dsn"], services.version)
    except (MissingExtra, ValueError) as error:
        raise click.ClickException(f"{error}.") from error
    services.error_groups.on_error = sentry.send
    try:
        yield
    finally:
        sentry.close()


def _dispatcher(services: Services) -> Dispatcher:
    journal = services.directory.journal
    sender = Sender(services.webhook_addresses, services.version)
    return Dispatcher(
        services.reads, services.write, sender, services.measures, commits=lambda: journal.batches,
        must_be_allowed=services.sign_ins.must_be_allowed,
    )  # fmt: skip


def _outbox(services: Services, chosen: Settings) -> OutboxDispatcher:
    journal = services.directory.journal
    try:
        key = load_key(chosen["data_dir"] / KEY_FILE)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{error}.") from error
    vapid = Vapid(key, _push_contact(chosen))
    services.pusher = Pusher(services.reads, services.write, Poster(services.webhook_addresses), vapid)
    ways: dict[Way, Sending] = {"web_push": services.pusher}
    services.post = _post(services, chosen)
    if services.post is not None:
        ways["email"] = services.post
    return OutboxDispatcher(
        services.reads, services.write, ways, services.measures,
        commits=lambda: journal.batches, must_come_in=services.sign_ins.must_come_in,
        is_active=lambda user_key: services.activity.status(user_key) == "online",
    )  # fmt: skip


def _post(services: Services, chosen: Settings) -> Post | None:
    """Raises `click.ClickException`."""
    if chosen["smtp_url"] is None:
        return None
    for name in ("mail_from", "public_url"):
        if chosen[name] is None:
            raise click.ClickException(f"SMTP_URL requires {name.upper()}, too.")
    try:
        mailer = Mailer(chosen["smtp_url"], chosen["mail_from"])
    except mailing.MissingExtra as error:
        raise click.ClickException(f"{error}.") from error
    links = MailLinks(services.sign_ins.own_key, chosen["public_url"])
    gathered = chosen["mail_delay_minutes"] * 60
    return Post(services.reads, services.write, mailer, links, gathered=gathered)


def _push_contact(chosen: Settings) -> str | None:
    public = chosen["public_url"]
    of_server = public if public is not None and public.startswith("https://") else None
    return chosen["push_contact"] or of_server


def _scheduler(services: Services) -> Scheduler:
    directory = services.directory
    return Scheduler(
        services.reads, services.write, directory.ask, must_come_in=services.sign_ins.must_come_in,
        commits=lambda: directory.journal.batches,
    )  # fmt: skip


def _metrics_listener(chosen: Settings) -> socket.socket | None:
    port = chosen["metrics_port"]
    return None if port is None else listen(chosen["host"], port)


def _metrics_access(chosen: Settings) -> MetricsAccess:
    return MetricsAccess(chosen["metrics"], chosen["metrics_token"], chosen["metrics_port"] is not None)


def _sign_ins(chosen: Settings, keys: Keys, limiter: RateLimiter | None) -> SignIns:
    return SignIns(
        keys.own_key, chosen["auth_cookie"], keys.verifier.must_be_allowed, Passwords(), PasswordTries(limiter),
        _provider(chosen, keys),
    )  # fmt: skip


def _limiter(chosen: Settings) -> RateLimiter:
    return RateLimiter({kind: chosen[f"rate_{kind}"] for kind in RATE_CLASSES})


def _hub(chosen: Settings) -> Hub:
    if not chosen["rate_limits"]:
        return Hub(ping_seconds=chosen["ping_interval"])
    return Hub(
        ping_seconds=chosen["ping_interval"],
        per_user=chosen["max_connections_per_user"],
        per_address=chosen["max_connections_per_address"],
    )


def _sockets(chosen: Settings) -> SocketLimits:
    in_all = connections_at_most()
    logger.info("at most %d connections, from the limit of file descriptors", in_all)
    if not chosen["rate_limits"]:
        return SocketLimits(in_all)
    of_address = chosen["max_connections_per_address"] + limits.SOCKETS_BESIDE
    return SocketLimits(in_all, min(of_address, max(1, in_all * 3 // 4)))


def _provider(chosen: Settings, keys: Keys) -> "OidcClient | None":
    if chosen["oidc_client_id"] is None:
        return None
    if chosen["public_url"] is None:
        raise click.ClickException("OIDC_CLIENT_ID requires PUBLIC_URL: the provider redirects browsers there.")
    from server.outbound.oidc import OidcClient, OidcSettings

    redirect_uri = chosen["public_url"].rstrip("/") + "/api/v1/auth/oauth/google/callback"
    try:
        provider = OidcSettings(
            chosen["oidc_issuer"], chosen["oidc_client_id"], chosen["oidc_client_secret"], redirect_uri,
            trusts_addresses=chosen["oidc_issuer"] in chosen["trusted_email_issuers"],
        )  # fmt: skip
        return OidcClient(provider, sealing_key=keys.own_key)
    except ValueError as error:
        raise click.ClickException(f"OIDC_ISSUER: {error}.") from error


def _browser(chosen: Settings) -> BrowserRules:
    return BrowserRules(
        chosen["auth_cookie"],
        frozenset(chosen["allowed_origins"]),
        chosen["auth_url"],
        public_url=chosen["public_url"],
        secure_cookies=chosen["cookie_secure"],
        proxies=Proxies(chosen["trusted_proxies"]),
    )


async def _drain(services: Services, http: HttpServer) -> None:
    """Stop accepting, tell everyone to come back, let requests in flight end. What was appended is committed after."""
    services.draining = True
    await http.stop_accepting()
    left = await services.hub.drain(*protocol.SHUTDOWN, seconds=limits.DRAIN_SECONDS)
    if left:
        logger.warning("%d clients did not disconnect within %s s and were closed", left, limits.DRAIN_SECONDS)
    services.hub.stop()
    await http.close()


def _greet(chosen: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}"  # noqa: S104 - compared, not bound
    click.echo(f"Serving on {url}  (data in {chosen['data_dir']}, stop with Ctrl-C)")
    click.echo(_hint(chosen, url))


def _hint(chosen: Settings, url: str) -> str:
    """A command that works as it stands, in any shell and folder of this machine."""
    if source_of(chosen) != SECRET_FILE or not chosen["allowed_domains"]:
        return f"Try:  curl {url}/health   (tokens are signed by what {source_of(chosen)} names)"
    words = [*_this_command(), "token", "--data-dir", str(chosen["data_dir"].absolute())]
    words += ["--domain", next((domain for domain in chosen["allowed_domains"] if domain != "*"), "localhost")]
    for key in ("jwt_issuer", "jwt_audience"):
        if chosen[key] is not None:
            words += [f"--{key.replace('_', '-')}", chosen[key]]
    return f'Try:  curl -H "Authorization: Bearer $({shlex.join(words)})" {url}/api/v1/users/me'


def _this_command() -> list[str]:
    """As it can be called again: by its name where a shell finds the same file by that."""
    called, found = Path(sys.argv[0]), shutil.which("xp")
    if called.name != "xp":
        return [sys.executable, "-m", "cli.main"]
    return ["xp"] if found and Path(found).resolve() == called.resolve() else [str(called.absolute())]
