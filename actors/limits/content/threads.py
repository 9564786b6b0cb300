"""Threads: titles, members, commands in flight, and how long their actors live."""

from typing import Final

TITLE_CHARS: Final = 255
"""A line; a longer text is a message."""
MEMBERS_PER_THREAD: Final = 10_000
"""A thread's members are held in memory by its actor: ~200 bytes each."""
INITIAL_MEMBERS: Final = 100
"""Of the request that creates a thread: more are added in further ones."""
COMMANDS_PER_THREAD: Final = 2_000
"""In flight in one thread. At 20,000 commits/s that is 0.1 s of queue: more would only be latency."""
THREADS_LIVE: Final = 10_000
"""Beyond it idle thread actors are retired at once: 3 KiB each, and their members. Those with subscribers or work
stay."""
THREAD_IDLE_SECONDS: Final = 300.0
"""A thread actor without subscribers or work is retired after this."""
THREADS_RETIRED_PER_START: Final = 2
"""Idle actors that are looked at for each that is started beyond the limit: so their number falls, in small steps."""
MEMBERSHIPS_ENDED: Final = 500
"""Memberships that one statement ends."""
