"""When a delivery is tried again, and when it is given up. Pure."""

from actors import limits


def next_attempt(now: int, attempts: int, retry_after: float | None, chance: float) -> int | None:
    """When to try again after `attempts` failures, in milliseconds; None: not again.

    A receiver may ask for more time, at most a day. `chance` (0 to 1) moves the moment by up to a tenth both ways, so
    that deliveries which failed together are not tried together.
    """
    if attempts > len(limits.WEBHOOK_DELAYS):
        return None
    seconds = limits.WEBHOOK_DELAYS[attempts - 1] * (0.9 + 0.2 * chance)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, limits.WEBHOOK_RETRY_AFTER_SECONDS))
    return now + round(seconds * 1000)


def breaker_pause(failures: int) -> int:
    """Seconds for which a receiver that failed so often in a row gets nothing; 0: its circuit is closed."""
    beyond = failures - limits.WEBHOOK_FAILURES
    if beyond < 0:
        return 0
    return int(min(limits.WEBHOOK_PAUSE_SECONDS * 2 ** min(beyond, 16), limits.WEBHOOK_PAUSE_SECONDS_MAX))
