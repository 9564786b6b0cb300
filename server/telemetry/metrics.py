"""Every metric of `/metrics`, declared once: name, type, labels, meaning, and where its value is read.

The documentation, the alert rules and the dashboards are held against this list by tests.
"""

import contextlib
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from actors.measures import Histogram
from server.api.services import Services
from server.telemetry.memory import open_files, parts_of_memory, resident_bytes

Kind = Literal["counter", "gauge", "histogram"]
Sample = tuple[tuple[str, ...], float | Histogram]
"""Values of the labels, and the value."""
Read = Callable[[Services], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    """Without the suffixes (`_total`, `_bucket`) of the text format."""
    kind: Kind
    help: str
    read: Read
    labels: tuple[str, ...] = ()


def _one(value: float | Histogram) -> Iterable[Sample]:
    return [((), value)]


def _journal(services: Services) -> Iterable[Sample]:
    return _one(1 if services.directory.journal.failure is None else 0)


def _operations(services: Services) -> Iterable[Sample]:
    return list(services.measures.operation_seconds.items())


def _clients(services: Services) -> Iterable[Sample]:
    found = Counter((client.transport, getattr(client, "sdk", "none")) for client in services.hub.clients)
    return list(found.items())


def _subscriptions(services: Services) -> Iterable[Sample]:
    kinds = (channel.partition(":")[0] for client in services.hub.clients for channel in client.channels)
    found = Counter(kind if kind in ("thread", "user") else "live" for kind in kinds)
    return [((kind,), found[kind]) for kind in ("thread", "user", "live")]


def _users(services: Services) -> Iterable[Sample]:
    return _one(len({client.identity.user.key for client in services.hub.clients if client.identity is not None}))


def _inboxes(services: Services) -> Iterable[Sample]:
    return [((kind,), waiting) for kind, (_, waiting) in services.stage.inboxes().items()]


def _actors(services: Services) -> Iterable[Sample]:
    return [((kind,), number) for kind, (number, _) in services.stage.inboxes().items()]


def _open_streams(services: Services) -> Iterable[Sample]:
    measures = services.stage.measures
    return _one(max(0, measures.streams_begun - sum(measures.streams_ended.values())))


def _rate_limited(services: Services) -> Iterable[Sample]:
    refused = {} if services.limiter is None else services.limiter.refused()
    return [((kind,), count) for kind, count in refused.items()]


def _files(services: Services) -> Iterable[Sample]:
    return [((name,), _size(path)) for name, path in services.measured_files.items()]


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _cpu(services: Services) -> Iterable[Sample]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return _one(used.ru_utime + used.ru_stime)


def _per_label(counts: "Counter[str] | Counter[int]") -> Iterable[Sample]:
    return [((str(key),), count) for key, count in counts.items()]


METRICS: Final = (
    Metric("xp_info", "gauge", "Version of the server; always 1.", lambda s: [((s.version,), 1)], ("version",)),
    Metric("xp_uptime_seconds", "gauge", "Since the start.", lambda s: _one(time.time() - s.started_at)),
    Metric("xp_draining", "gauge", "1 while the server shuts down.", lambda s: _one(int(s.draining))),
    Metric(
        "xp_operation_duration_seconds", "histogram",
        "Time to serve an operation, failures included; its count is the rate of requests.", _operations,
        ("operation", "transport"),
    ),
    Metric(
        "xp_operation_errors", "counter", "Operations that failed, by error code.",
        lambda s: list(s.measures.operation_errors.items()), ("operation", "transport", "code"),
    ),
    Metric(
        "xp_other_requests", "counter",
        "Requests to pages, streams, bytes of files and unknown paths, by hundred of the HTTP status.",
        lambda s: [((f"{status}xx",), count) for status, count in s.measures.other_requests.items()], ("status",),
    ),
    Metric("xp_journal_up", "gauge", "1 while the database accepts writes.", _journal),
    Metric(
        "xp_journal_batch_size", "histogram", "Commands in one transaction.",
        lambda s: _one(s.stage.measures.batch_sizes),
    ),
    Metric(
        "xp_journal_commit_seconds", "histogram", "Time of one transaction, fsync included.",
        lambda s: _one(s.stage.measures.commit_seconds),
    ),
    Metric(
        "xp_journal_in_flight", "gauge", "Commands that wait for their commit.",
        lambda s: _one(s.directory.journal.in_flight),
    ),
    Metric(
        "xp_journal_refused", "counter", "Commands refused because too many were in flight.",
        lambda s: _one(s.stage.measures.writes_refused),
    ),
    Metric("xp_events", "counter", "Events committed to the log.", lambda s: _one(s.stage.measures.events)),
    Metric("xp_actors", "gauge", "Actors on the event loop.", _actors, ("kind",)),
    Metric("xp_actor_inbox_messages", "gauge", "Messages that wait for their actor.", _inboxes, ("kind",)),
    Metric(
        "xp_actor_turn_seconds", "histogram", "Time of one turn of an actor, of a sample of the turns.",
        lambda s: [((kind,), histogram) for kind, histogram in s.stage.measures.turn_seconds.items()], ("kind",),
    ),
    Metric(
        "xp_round_seconds", "histogram", "Time of one round of turns, of a sample of the rounds.",
        lambda s: _one(s.stage.measures.round_seconds),
    ),
    Metric(
        "xp_event_loop_lag_seconds", "histogram", "How late the event loop ran a timer.",
        lambda s: _one(s.loop_watch.lag_seconds),
    ),
    Metric(
        "xp_gc_collections", "counter", "Garbage collections.", lambda s: _per_label(s.loop_watch.collections),
        ("generation",),
    ),
    Metric(
        "xp_gc_seconds", "counter", "Time in garbage collection.", lambda s: _one(s.loop_watch.collection_seconds)
    ),
    Metric(
        "xp_connections", "gauge", "WebSockets and streams, by transport and client library.", _clients,
        ("transport", "sdk"),
    ),
    Metric("xp_users_connected", "gauge", "Users with at least one connection.", _users),
    Metric("xp_sockets_open", "gauge", "TCP connections, idle ones too.", lambda s: _one(s.sockets.open)),
    Metric("xp_sockets_most", "gauge", "Limit of TCP connections; 0 for none.", lambda s: _one(s.sockets.most or 0)),
    Metric(
        "xp_sockets_refused", "counter", "TCP connections refused because all were busy.",
        lambda s: _one(s.sockets.refused),
    ),
    Metric("xp_subscriptions", "gauge", "Subscriptions, by kind of channel.", _subscriptions, ("channel",)),
    Metric(
        "xp_deliveries", "counter", "Batches of publications written to one connection.",
        lambda s: _one(s.stage.measures.deliveries),
    ),
    Metric(
        "xp_sent_bytes", "counter", "Bytes written to WebSockets and streams.",
        lambda s: _one(s.stage.measures.bytes_sent),
    ),
    Metric(
        "xp_outbox_bytes", "gauge", "Bytes that slow readers have not taken.",
        lambda s: _one(s.stage.unsent_bytes()),
    ),
    Metric(
        "xp_ephemeral_dropped", "counter", "Ephemeral publications not written to a slow reader.",
        lambda s: _one(s.stage.measures.ephemeral_dropped),
    ),
    Metric(
        "xp_connections_closed", "counter", "Connections closed by the server, by close code.",
        lambda s: _per_label(s.stage.measures.closes), ("code",),
    ),
    Metric(
        "xp_recoveries", "counter", "Clients that came back with a cursor: recovered, or resync.",
        lambda s: _per_label(s.measures.recoveries), ("result",),
    ),
    Metric("xp_threads_live", "gauge", "Threads whose actor is in memory.", lambda s: _one(s.directory.live_threads)),
    Metric("xp_streams_open", "gauge", "Messages that are being streamed.", _open_streams),
    Metric(
        "xp_streams_begun", "counter", "Messages that began to be streamed.",
        lambda s: _one(s.stage.measures.streams_begun),
    ),
    Metric(
        "xp_streams_ended", "counter", "Streamed messages that ended, by reason.",
        lambda s: _per_label(s.stage.measures.streams_ended), ("reason",),
    ),
    Metric(
        "xp_stream_first_piece_seconds", "histogram", "From the start of a streamed message to its first text.",
        lambda s: _one(s.stage.measures.first_piece_seconds),
    ),
    Metric(
        "xp_credentials", "counter", "Credentials that were judged, by kind and result.",
        lambda s: list(s.measures.credentials.items()), ("kind", "result"),
    ),
    Metric("xp_rate_limited", "counter", "Requests over a rate limit, by its kind.", _rate_limited, ("kind",)),
    Metric(
        "xp_webhook_attempts", "counter", "Deliveries to webhooks that were tried, by what came of it.",
        lambda s: _per_label(s.measures.webhook_attempts), ("result",),
    ),
    Metric(
        "xp_webhook_attempt_seconds", "histogram", "Time until a receiver of webhooks answered, or did not.",
        lambda s: _one(s.measures.webhook_seconds),
    ),
    Metric(
        "xp_webhook_deliveries", "gauge", "Deliveries that wait, and dead letters, counted every 10 s.",
        lambda s: [((state,), count) for state, count in s.measures.webhook_deliveries.items()], ("state",),
    ),
    Metric(
        "xp_notifications_sent", "counter", "Notifications to leave the server, by way and what came of it.",
        lambda s: list(s.measures.outbox_sent.items()), ("way", "result"),
    ),
    Metric(
        "xp_letters", "counter", "Mails with a link that signs in and about changes of accounts, by kind and result.",
        lambda s: list(s.measures.letters.items()), ("kind", "result"),
    ),
    Metric(
        "xp_notifications_waiting", "gauge", "Notifications that wait to leave, or were given up lately, every 10 s.",
        lambda s: list(s.measures.outbox_rows.items()), ("way", "state"),
    ),
    Metric(
        "xp_file_scans", "counter", "Files that the scanner was asked about, by what it said.",
        lambda s: _per_label(s.files.scans), ("result",),
    ),
    Metric(
        "xp_previews", "counter", "Files of which previews were to be made, by what came of it.",
        lambda s: _per_label(s.files.previews), ("result",),
    ),
    Metric(
        "xp_backups", "counter", "Backups by schedule: good, incomplete (files are missing), failed.",
        lambda s: _per_label(s.backups.results), ("result",),
    ),
    Metric(
        "xp_backup_age_seconds", "gauge", "Since the newest good backup; absent without one.",
        lambda s: [] if (age := s.backups.age_seconds()) is None else _one(age),
    ),
    Metric(
        "xp_backup_late_seconds", "gauge", "For how long the next good backup has been due.",
        lambda s: _one(s.backups.late_seconds()),
    ),
    Metric("xp_backup_bytes", "gauge", "Of the newest good backup, without files.", lambda s: _one(s.backups.size)),
    Metric(
        "xp_backup_duration_seconds", "gauge", "Time that the newest good backup took, its verification included.",
        lambda s: _one(s.backups.seconds),
    ),
    Metric(
        "xp_backup_lag_seconds", "gauge",
        "Changes that would be lost with the disk: not shipped, or without a backup; absent without continuous backup.",
        lambda s: _one(s.backups.shipping.lag_seconds()) if s.backups.shipping.is_on else [],
    ),
    Metric(
        "xp_backup_segments", "counter", "Shipped by continuous backup.",
        lambda s: _one(s.backups.shipping.segments),
    ),
    Metric(
        "xp_backup_segment_bytes", "counter", "Shipped by continuous backup.", lambda s: _one(s.backups.shipping.bytes)
    ),
    Metric(
        "xp_backup_waiting_bytes", "gauge", "Segments that wait to be shipped.",
        lambda s: _one(s.backups.shipping.waiting),
    ),
    Metric("xp_file_bytes", "gauge", "Size of the database and of its WAL.", _files, ("file",)),
    Metric("xp_cpu_seconds", "counter", "Processor time.", _cpu),
    Metric("xp_open_files", "gauge", "Open files, sockets included.", lambda _: _one(open_files())),
    Metric("xp_resident_memory_bytes", "gauge", "Resident memory.", lambda _: _one(resident_bytes())),
    Metric(
        "xp_memory_bytes", "gauge", "The same by what it holds: mapped pages of files, SQLite's caches, the rest.",
        lambda _: [((part,), size) for part, size in parts_of_memory().items()], ("part",),
    ),
    Metric(
        "xp_unhandled_errors", "counter", "Unhandled exceptions, whatever their group.",
        lambda s: _one(s.error_groups.total),
    ),
)  # fmt: skip
