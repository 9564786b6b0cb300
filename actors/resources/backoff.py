"""How long a failed attempt waits for the next one. Pure."""

from collections.abc import Sequence


def pause(
    delays: Sequence[int], attempts: int, retry_after: float | None, *, most: float, spread: float, chance: float
) -> float | None:
    """Seconds after `attempts` failures; None: there is no other attempt.

    The other side may ask for more time (`retry_after`), at most `most` seconds. `chance` (0 to 1) moves the moment by
    up to `spread` both ways, so that attempts which failed together are not made together again.
    """
    if attempts > len(delays):
        return None
    seconds = delays[attempts - 1] * (1 - spread + 2 * spread * chance)
    return max(seconds, min(retry_after or 0.0, most))
