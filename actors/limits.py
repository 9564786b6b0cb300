"""Every limit in one place, each with its reason. Settings may move those an operator would want to move."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# What a message may hold
CONTENT_BYTES: Final = 64 * KIB
"""A long answer of an assistant is ~10 KiB; a pasted file belongs in `files`."""
BLOCKS: Final = 50
"""As the block format has it."""
BLOCKS_BYTES: Final = 256 * KIB
"""50 blocks of rich text fit; more would make one event dominate every subscriber's outbox."""
METADATA_BYTES: Final = 16 * KIB
"""For ids and flags of the application; documents belong in artifacts."""
MEMORY_BYTES: Final = 64 * KIB
"""Facts, summary and pins of a conversation."""
TITLE_CHARS: Final = 255
NAME_CHARS: Final = 200
URL_CHARS: Final = 2048
EMAIL_CHARS: Final = 254
"""RFC 5321's path limit."""
EMOJI_CHARS: Final = 64
"""The longest RGI emoji sequence has 10 code points; shortcodes reach 60."""
REACTIONS_PER_MESSAGE: Final = 100
"""Different emoji on one message: keeps the summary that every reader gets small."""
REACTION_USERS_SHOWN: Final = 10
REVISIONS_KEPT: Final = 100
MEMBERS_PER_THREAD: Final = 10_000
"""A thread's members are held in memory by its actor: ~200 bytes each."""
INITIAL_MEMBERS: Final = 100
JSON_DEPTH: Final = 32
"""Deeper than any block layout; stops a body made to exhaust a parser's stack."""
IDEMPOTENCY_KEY_CHARS: Final = 255
IDEMPOTENCY_SECONDS: Final = 24 * 3600

# HTTP
BODY_BYTES: Final = 512 * KIB
"""The largest valid message (content, blocks, metadata), escaped, with room."""
FIELD_ERRORS: Final = 200
"""Told one by one. A body can have 60,000 wrong fields: a sentence for each takes 0.25 s and 2.6 MB."""
PAGE_DEFAULT: Final = 30
PAGE_MAX: Final = 100
RETRY_AFTER_SECONDS: Final = 1

# Admission control
COMMANDS_PER_THREAD: Final = 2_000
"""In flight in one thread. At 20,000 commits/s that is 0.1 s of queue: more would only be latency."""
COMMANDS_IN_ALL: Final = 20_000
"""In flight in the journal: about a second of work."""
COMMANDS_PER_CONNECTION: Final = 256
"""Unanswered commands of one WebSocket; beyond it the socket is not read until some are answered."""
JOURNAL_BATCH: Final = 1024
"""Commands in one transaction: past it a commit's latency grows faster than its throughput."""

# Actors
TURN_MESSAGES: Final = 256
"""Messages an actor handles in one turn of the event loop before others get theirs."""
THREAD_IDLE_SECONDS: Final = 300.0
"""A thread actor without subscribers or work is retired after this."""
THREAD_RECENT_EVENTS: Final = 128
"""Encoded events a thread actor keeps, so that a short reconnect is answered from memory."""
THREAD_RECENT_BYTES: Final = 256 * KIB

# Realtime
FRAME_BYTES: Final = 64 * KIB
CHANNELS_PER_CONNECTION: Final = 128
CHANNEL_CHARS: Final = 255
OUTBOX_BYTES: Final = 1 * MIB
"""What waits for one slow reader; beyond it the connection is closed with 3008 and comes back with its cursor."""
SOCKET_BUFFER_BYTES: Final = 64 * KIB
"""What is handed to the transport before its reader has taken it; the rest waits in the outbox, counted."""
PUBLICATIONS_BYTES: Final = 256 * KIB
"""Of events that are encoded together: one frame carries them, and official SDKs take frames of up to 1 MiB."""
RECOVERY_EVENTS: Final = 300
"""Beyond it a client reloads: replaying more is slower than reading the newest page."""
RECOVERY_BYTES: Final = 512 * KIB
"""Of publications in one reply: official SDKs take frames of up to 1 MiB."""
HISTORY_EVENTS: Final = 100
PING_SECONDS: Final = 25
PONG_SECONDS: Final = 8
CONNECT_SECONDS: Final = 10.0
TIMER_SECONDS: Final = 7 * 24 * 3600.0
"""The longest timer; a token that lives longer is looked at again then."""
COMMANDS_PER_SECOND: Final = 20
COMMANDS_BURST: Final = 100
FEED_EVENTS: Final = 5_000
"""What a stream may gather while its replay is read."""
SSE_HEARTBEAT_SECONDS: Final = 20.0
SSE_THREADS: Final = 128
SSE_RETRY_MS: Final = 1_000

# Authentication
TOKEN_BYTES: Final = 8 * KIB
"""Headers of that size are refused by most proxies already."""
TOKEN_LEEWAY_SECONDS: Final = 30
TOKENS_CACHED: Final = 50_000
SECRET_BYTES: Final = 32
"""RFC 7518 3.2: an HS256 key has at least the size of the hash."""

# Shutdown
DRAIN_SECONDS: Final = 8.0
"""Of the 10 s in which the process must be gone: the rest is for the last commit and closing the database."""
