"""Load tests (`xp bench --scenario`): what they may ask of a machine."""

from typing import Final

LOAD_USERS: Final = 2_000
"""Simulated users, each with a WebSocket: more than one process can read at a rate that says anything."""
LOAD_THREADS: Final = 1_000
"""Threads of a run: they are created one by one before it, and removed after it."""
LOAD_SUBSCRIPTIONS: Final = 100
"""Of one connection, below the 128 channels that the server allows."""
LOAD_RATE: Final = 10_000.0
"""Arrivals a second: the generator itself is late beyond a few thousand, and says so."""
LOAD_SECONDS: Final = 7 * 86_400.0
"""Of a run: a soak over a week."""
LOAD_PHASES: Final = 100
"""Of a scenario: a staircase of rates."""
LOAD_IN_FLIGHT: Final = 5_000
"""Arrivals without an answer. One beyond is counted as `not_started`: a server that hangs does not fill our memory."""
LOAD_SETUP: Final = 20
"""Requests at once while users and threads are prepared, and while they are removed."""
LOAD_PATIENCE_SECONDS: Final = 10.0
"""For answers and deliveries that are missing when the last arrival has started. Later ones count as `no_answer`."""
LOAD_REQUEST_SECONDS: Final = 60.0
"""Of one request: longer than every deadline of the server."""
LOAD_SLOTS: Final = 240
"""Points of a line over time. When they are full, neighbours are merged, so a long run takes no more memory."""
LOAD_ERRORS: Final = 200
"""Pairs of action and error code that are counted apart; the rest are `other`."""
LOAD_RECONNECT_SECONDS: Final = 2.0
"""Longest wait of a client between two attempts to connect, as the SDKs have it at first."""
LOAD_TOKEN_SPARE_SECONDS: Final = 900
"""Tokens expire this long after the run, so that it can end and be cleaned up with them."""
SOAK_SAMPLES: Final = 2_000
"""Of a soak. When they are full, every second one is dropped and the interval doubles."""
SOAK_EVERY_SECONDS: Final = 5.0
"""Between two samples at first."""
SOAK_EVERY_LEAST_SECONDS: Final = 0.1
"""The same in a run of seconds: that many scrapes cost the server a percent."""
SOAK_WARM_UP: Final = 1 / 3
"""Share of the samples that a verdict leaves out: caches fill, arenas of the allocator grow to their size."""
SOAK_SAMPLES_LEAST: Final = 8
"""After the warm-up: fewer say nothing about a slope."""
SOAK_JUDGED_SECONDS_LEAST: Final = 300.0
"""After the warm-up: actors of users who have gone idle end within minutes, so a shorter look takes them for growth."""
SOAK_MEMORY_GROWTH: Final = 0.10
"""Of the median, over the part that is judged: what the trend may add. A cache that still fills adds less."""
SOAK_MEMORY_SLACK_BYTES: Final = 8 * 2**20
"""A growth below it is noise of the allocator, however small the process is."""
SOAK_WAL_SLACK_BYTES: Final = 64 * 2**20
"""The file of the WAL is left at the size that it once needed, up to this (`journal_size_limit`): it grows in steps."""
SOAK_COUNT_SLACK: Final = 8
"""Open files, actors, connections: growth below it is a client that has just come."""
SOAK_POINTS: Final = 300
"""Of a series, evenly chosen, that a trend is taken from: it looks at all pairs of them."""
SCENARIO_FAULTS: Final = 5
"""Of a scenario that are named; the rest are counted."""
