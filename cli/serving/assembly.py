"""All layers, put together, and taken apart again in order."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version

import click

from actors import limits
from actors.auth.access_changes import GetNewestAccessChange, ListAccessChanges, ListRevokedTokens
from actors.auth.access_watch import AccessWatch
from actors.auth.actor import AuthActor, VerifiedTokens
from actors.auth.credential_lookups import FindCredentials
from actors.delivery.live_channels import LiveChannels
from actors.journal.housekeeper import Housekeeper
from actors.journal.retention import Retention
from actors.queries import Reads
from actors.resources.log import GetLogHead
from actors.resources.message_streams import ListThreadsBeingWritten
from actors.runtime.fair_pool import FairPool
from actors.runtime.loop_actor import Stage
from actors.threads.directory import Directory
from actors.threads.state import LoadThread
from actors.users.directory import Users
from cli.opening.files import file_rules, open_library, open_processing
from cli.opening.keys import Keys, open_keys
from cli.opening.retention import retention_rules
from cli.serving import alerting, log_lines, parts, senders
from cli.serving.backup_schedule import BackupSchedule
from cli.serving.handover.relay import Relay
from cli.serving.shipping import Shipping
from cli.serving.traces import open_traces
from cli.settings import Settings
from cli.settings.hints import hints, secret_hints
from server.api import events
from server.api.services import COMPUTING, Services
from server.exports.jobs import ExportJobs
from server.exports.printer import Printer
from server.files.keeper import Keeper
from server.files.library import Library
from server.files.store_watch import StoreWatch
from server.http.server import HttpServer
from server.outbound.addresses import AddressRules
from server.realtime.protocol import codes as protocol
from server.telemetry.error_file import ErrorFile
from server.telemetry.own_port import serving_metrics
from server.telemetry.sentry import MissingExtra, Sentry
from server.telemetry.status.sampling import findings, sample
from storage.database import FILE_NAME, DatabaseOptions
from storage.journal.store import JournalStore
from storage.readers.reads import SqliteReads

logger = logging.getLogger("cli.serve")
VERSION = version("experience-server")
EXPORTS = "exports"
"""Folder in DATA_DIR of exports that were made as jobs; nothing in it lasts longer than a day."""


@contextlib.asynccontextmanager
async def running(chosen: Settings, listener: socket.socket, relay: Relay | None = None) -> AsyncIterator[Services]:
    """Bottom-up: storage, actors, services, HTTP; top-down on the way out. `relay`: takes the connections that are open
    at the end, where another server goes on with them."""
    relay = relay or Relay()
    for hint in secret_hints(chosen):
        logger.warning("%s", hint.sentence)
    options = DatabaseOptions(
        chosen["data_dir"] / FILE_NAME, synchronous=chosen["synchronous"].upper(),
        cache_kib=chosen["database_cache"] >> 10,
    )  # fmt: skip
    tracing = open_traces(chosen, VERSION)
    stage = Stage()
    stage.tracer = None if tracing is None else tracing.tracer
    pool = SqliteReads(options, budget=chosen["rate_limits"])
    reads = pool if tracing is None else parts.traced_reads(pool, tracing)
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
        if tracing is not None:
            closing.push_async_callback(tracing.close)
        keys = await open_keys(chosen)
        closing.push_async_callback(keys.close)
        shipping = Shipping(chosen)
        closing.push_async_callback(_end_shipping, shipping, relay)  # after the last commit
        closing.callback(stage.stop_all)
        closing.push_async_callback(directory.journal.close)  # the last to close it folds the WAL into the database
        closing.callback(pool.close)
        closing.callback(directory.stop)
        housekeeper = Housekeeper(directory.journal)
        closing.callback(housekeeper.stop)
        await directory.open()
        housekeeper.start()
        epoch, _ = await reads.ask(GetLogHead())
        library = open_library(chosen, rules, directory.journal, reads)
        if tracing is not None:
            library.blobs = parts.traced_blobs(library.blobs, tracing)
        closing.push_async_callback(library.close)
        keeper = Keeper(library)
        closing.push_async_callback(keeper.stop)
        printer = Printer(workers=chosen["export_workers"], fonts=chosen["font_dir"])
        closing.push_async_callback(printer.close)
        retention = Retention(directory.journal.append, reads, retention_rules(chosen))
        closing.push_async_callback(retention.stop)
        retention.start()
        export_jobs = ExportJobs(chosen["data_dir"] / EXPORTS, time.time)
        closing.push_async_callback(export_jobs.stop)
        services = await _services(chosen, stage, directory, users, reads, keys, library, printer, export_jobs, epoch)
        services.tracer = None if tracing is None else tracing.tracer
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
        services.backups.shipping = shipping.state
        shipping.start()
        backups = BackupSchedule(chosen, services.backups)
        closing.push_async_callback(backups.stop)
        backups.start()
        closing.callback(services.history.stop)
        services.history.start(lambda healthy: sample(services, is_healthy=healthy), lambda: findings(services))
        alerter = alerting.alerter(services, chosen)
        closing.push_async_callback(alerter.stop)
        alerter.start()
        dispatcher = senders.webhook_dispatcher(services)
        closing.push_async_callback(dispatcher.stop)
        dispatcher.start()
        outbox = senders.outbox(services, chosen)
        closing.push_async_callback(outbox.stop)
        outbox.start()
        if services.letters is not None:
            closing.push_async_callback(services.letters.stop)
            services.letters.start()
        if services.notices is not None:
            closing.push_async_callback(services.notices.stop)
            services.notices.start()
        scheduler = senders.scheduler(services)
        closing.push_async_callback(scheduler.stop)
        scheduler.start()
        await closing.enter_async_context(serving_metrics(services, parts.metrics_listener(chosen)))
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
        http = HttpServer(services, stage, parts.browser_rules(chosen), sockets=parts.socket_limits(chosen))
        await http.start(listener)
        relay.http = http
        try:
            yield services
        finally:
            await _drain(services, http, relay)


async def _services(
    chosen: Settings, stage: Stage, directory: Directory, users: Users, reads: Reads, keys: Keys,
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
    limiter = parts.limiter(chosen) if chosen["rate_limits"] else None
    services = Services(
        computing=FairPool(1, "computing", COMPUTING, budget=chosen["rate_limits"]),
        directory=directory,
        reads=reads,
        auth=stage.start(auth),
        tokens=tokens,
        hub=parts.hub(chosen),
        sign_ins=parts.sign_ins(chosen, keys, limiter),
        live_channels=LiveChannels(stage),
        users=users,
        files=library,
        printer=printer,
        export_jobs=export_jobs,
        live_patterns=chosen["live_channels"],
        verify_channel=keys.verifier.verify_channel,
        epoch=epoch,
        version=VERSION,
        problem_base=chosen["problem_base"].rstrip("/"),
        rate_limits=chosen["rate_limits"],
        limiter=limiter,
        metrics_access=parts.metrics_access(chosen),
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


async def _end_shipping(shipping: Shipping, relay: Relay) -> None:
    """Requests wait for a successor, which ships what is left."""
    if relay.is_leaving:
        await shipping.stop(limits.SHIPPING_HANDOVER_SECONDS)
    else:
        await shipping.stop()


async def _drain(services: Services, http: HttpServer, relay: Relay) -> None:
    """Stop accepting, tell everyone to come back, let requests in flight end. What was appended is committed after."""
    services.draining = True
    await http.stop_accepting()
    seconds = limits.HANDOVER_CLOSE_SECONDS if relay.is_leaving else limits.DRAIN_SECONDS
    async with asyncio.TaskGroup() as ends:
        if relay.is_leaving:
            ends.create_task(http.release_connections(relay.connections))
        left = await services.hub.drain(*protocol.SHUTDOWN, seconds=seconds)
    if left:
        logger.warning("%d clients did not disconnect within %s s and were closed", left, seconds)
    services.hub.stop()
    if relay.is_leaving:
        http.cut_upgraded()
    await http.close()
