"""Webhooks."""

from typing import Final

WEBHOOKS_PER_USER: Final = 20
"""An integration or two, with a few receivers each."""
WEBHOOK_THREADS: Final = 100
"""Threads that one webhook names; it may name none, and gets all of its owner's."""
WEBHOOK_PENDING: Final = 1_000
"""Deliveries of one webhook that wait. Beyond it its cursor stays where it is, and the log keeps the rest."""
WEBHOOK_SCAN: Final = 1_000
"""Entries of the log that are looked at for webhooks in one read: a millisecond."""
WEBHOOK_LAZY: Final = 200
"""A cursor moves past so many entries that no webhook wants by one write, not by one for each."""
WEBHOOK_GROUPS: Final = 8
"""Different cursors that are read from in one look: webhooks that keep up share one."""
WEBHOOK_AT_ONCE: Final = 4
"""Requests to one receiver at the same time; one where it is failing."""
WEBHOOK_DUE: Final = 64
"""Deliveries of one webhook that are taken by one read."""
WEBHOOKS_AT_ONCE: Final = 64
"""Requests to all receivers: slow ones take no more than these sockets."""
WEBHOOK_SECONDS: Final = 15.0
"""For a whole attempt, from the look-up of the name to the status of the answer."""
WEBHOOK_RETRY_AFTER_SECONDS: Final = 24 * 3600
"""What a receiver may ask for at most."""
WEBHOOK_FAILURES: Final = 5
"""In a row, of any deliveries, before the circuit breaker of a webhook opens."""
WEBHOOK_PAUSE_SECONDS: Final = 30
"""For so long at first, then twice as long after each probe that fails, up to the next."""
WEBHOOK_PAUSE_SECONDS_MAX: Final = 3600
"""An hour: a receiver that is repaired gets its deliveries soon."""
WEBHOOK_GIVE_UP_SECONDS: Final = 4 * 24 * 3600
"""Age at which a delivery that fails is dead, however few attempts the circuit breaker has let through."""
WEBHOOK_FAILING_SECONDS: Final = 5 * 24 * 3600
"""Without a success and with failures for so long, a webhook is disabled."""
WEBHOOK_LOG: Final = 1_000
"""Finished deliveries that one webhook keeps, and as many dead letters."""
WEBHOOK_LOG_SECONDS: Final = 30 * 24 * 3600
"""For a month: as long as anyone looks for a delivery."""
WEBHOOK_ATTEMPTS_LOGGED: Final = 12
"""Of one delivery: all of one round of retries."""
WEBHOOK_OVERLAP_SECONDS: Final = 24 * 3600
"""By default, in which both secrets of a rotation sign: time to give the new one to the receiver."""
WEBHOOK_OVERLAP_SECONDS_MAX: Final = 7 * 24 * 3600
"""A week: an old secret that leaked is not good for longer."""
WEBHOOK_REPLAYED: Final = 100
"""Deliveries named in one request for a replay."""
WEBHOOK_DRAINED_BYTES: Final = 16 * 1024
"""Of an answer that are read and dropped, so that its connection serves the next request."""
WEBHOOK_DRAIN_SECONDS: Final = 0.5
"""For that; a slower receiver gets a new connection."""
WEBHOOK_DELAYS: Final = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 64_800, 86_400)
"""Seconds after each failed attempt, before jitter: three days in all."""
