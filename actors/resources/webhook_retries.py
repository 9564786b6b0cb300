"""When a delivery is tried again, and when it is given up. Pure."""

from actors import limits
from actors.resources.backoff import pause


def next_attempt(now: int, attempts: int, retry_after: float | None, chance: float) -> int | None:
    """When to try again after `attempts` failures, in milliseconds; None: not again."""
    most = limits.WEBHOOK_RETRY_AFTER_SECONDS
    seconds = pause(limits.WEBHOOK_DELAYS, attempts, retry_after, most=most, spread=0.1, chance=chance)
    return None if seconds is None else now + round(seconds * 1000)


def breaker_pause(failures: int) -> int:
    """Seconds for which a receiver that failed so often in a row gets nothing; 0: its circuit is closed."""
    beyond = failures - limits.WEBHOOK_FAILURES
    if beyond < 0:
        return 0
    return int(min(limits.WEBHOOK_PAUSE_SECONDS * 2 ** min(beyond, 16), limits.WEBHOOK_PAUSE_SECONDS_MAX))
