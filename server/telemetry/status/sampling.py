"""From the services to a sample, and to what is wrong with each part."""

import resource
import time
from typing import Final

from server.api.services import Services
from server.telemetry.backup_state import BackupState
from server.telemetry.memory import resident_bytes
from server.telemetry.status.history import Finding
from server.telemetry.status.samples import Sample, total

SERVER_FAULTS: Final = frozenset({"internal", "storage_unavailable", "storage_full", "overloaded"})
"""Codes of errors that count against the service level: the others are the client's."""


def sample(services: Services, *, is_healthy: bool) -> Sample:
    measures, core = services.measures, services.stage.measures
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Sample(
        at=time.time(),
        operations=total(measures.operation_seconds.values()),
        errors=sum(count for (_, _, code), count in measures.operation_errors.items() if code in SERVER_FAULTS),
        commits=tuple(core.commit_seconds.counts),
        lags=tuple(services.loop_watch.lag_seconds.counts),
        events=core.events,
        sent_bytes=core.bytes_sent,
        connections=services.hub.size,
        memory=resident_bytes(),
        cpu=used.ru_utime + used.ru_stime,
        is_healthy=is_healthy,
        given_up=measures.given_up(),
    )


def findings(services: Services) -> list[Finding]:
    failure = services.directory.journal.failure
    return [
        Finding("database", True, None if failure is None else failure.detail),
        Finding("server", True, "draining" if services.draining else None),
        Finding("files", False, services.files.store_failure),
        Finding("backups", False, _failing_backups(services.backups)),
    ]


def _failing_backups(state: BackupState) -> str | None:
    shipping = state.shipping
    if shipping.is_on and shipping.failing_since is not None:
        return f"changes are not shipped: {shipping.reason}"
    return None if state.failing_since is None else state.reason or "the last one failed"
