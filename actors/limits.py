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
MEMORY_PINS: Final = 50
"""Their messages are read for every context."""
MEMORY_FACT_ID_CHARS: Final = 64
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

# Actions on the blocks of messages
ACTION_STATE_BYTES: Final = 64 * KIB
"""Of the value and the state of inputs together: a form of long texts, as JSON."""
ACTION_ID_CHARS: Final = 255
"""Of a block or an element; or the JSON pointer of one that has no id."""
ACTIONS_PENDING: Final = 20
"""Of one user on one message: who clicks on does not fill the author's list."""
ACTION_SECONDS: Final = 7 * 24 * 3600
"""How long an action waits for its author, who may be down for a weekend."""
ACTIONS_KEPT_SECONDS: Final = 90 * 24 * 3600
"""How long an ended action is kept. An approval stays as long as its message: it counts once."""
ACTION_TEXT_CHARS: Final = 3000
"""Of what the author says to who acted: as a text of a block."""
ACTION_ERRORS: Final = 100
"""Fields that the author finds fault with: a form has as many inputs."""
ACTION_ERROR_CHARS: Final = 300
OPTIONS_SECONDS: Final = 3.0
"""How long an author is waited for while a person looks at an empty list."""
OPTIONS_WAITING_OF_USER: Final = 5
"""A person types on before the first list has come; and has several devices."""
OPTIONS_WAITING: Final = 1_000
"""Of all users: each holds a request of HTTP open."""
OPTIONS_QUERY_CHARS: Final = 150
"""What is typed into a list, as a value of it."""
PATTERN_CHARS: Final = 255
PATTERN_PLACES: Final = 100
"""Of the pattern of an input, repetitions counted: 3000 characters are matched in 30 ms at the most."""
OPTION_VALUE_CHARS: Final = 150
"""As the block format has it."""
INPUT_CHARS: Final = 3000
"""Of a text that is filled in, where its input names no less."""

# What a model is given of a thread
CONTEXT_TOKENS: Final = 8_000
"""By default: fits every model in use, and leaves room for its answer."""
CONTEXT_TOKENS_MAX: Final = 1_000_000
"""The largest windows on offer."""
CONTEXT_MESSAGES: Final = 10_000
"""Looked at for one context: 0.3 s of a reader's time."""
CONTEXT_FILES: Final = 100
"""Of a thread, named in a context: a line of 40 tokens each."""
CONTEXT_BYTES: Final = 512 * KIB
"""Read for any context: the largest message fits."""
CONTEXT_BYTES_PER_TOKEN: Final = 64
"""Read besides for each token that was asked for. Text has 1 to 8; the rest is for blocks that hold little text."""
CONTEXT_STEP: Final = 8
"""Messages in the first step back; each step doubles it, as far as `CONTEXT_STEP_MAX`."""
CONTEXT_STEP_MAX: Final = 128

# Artifacts
ARTIFACT_BYTES: Final = 256 * KIB
"""Of a content as JSON: a report of a hundred pages. With a patch it fits into a request."""
ARTIFACTS_PER_THREAD: Final = 10_000
"""A thread is deleted in small steps; more belong into several threads."""
ARTIFACT_VERSIONS: Final = 100
"""Kept of each artifact, unless ARTIFACT_VERSIONS says otherwise: a day of edits by people."""
ARTIFACT_LABELS: Final = 100
"""Versions with a label, which are kept beside the newest ones."""
LABEL_CHARS: Final = 100
PATCH_OPERATIONS: Final = 1_000
"""Of one JSON Patch; each may look through the document."""
PATCH_TRIES: Final = 5
"""Of a patch without `If-Match`, when others change the artifact at the same moment."""
DATA_SETS: Final = 20
"""Of one artifact: a dashboard of a hundred panels shares them."""
DATA_ROWS: Final = 5_000
"""Of one data set: more points than a chart has pixels."""
DATA_BYTES: Final = 256 * KIB
"""Of its rows as JSON."""
DATA_COLUMNS: Final = 50
DATA_CELL_CHARS: Final = 4_000
EXPORT_SECONDS: Final = 2.0
"""For the Markdown of one exported artifact; what is not rendered by then is shown as it was written."""
EXPORT_TEXT_CHARS: Final = 8_000
"""Of a piece of Markdown that is rendered at once: a longer text is cut where paragraphs end."""
SHARE_SECONDS: Final = 7 * 24 * 3600
"""How long a link to an artifact is good, unless its maker says otherwise."""
SHARE_SECONDS_MAX: Final = 365 * 24 * 3600
SHARES_PER_ARTIFACT: Final = 100
"""Links that are good at once."""
PROVENANCE_CHARS: Final = 200
"""Of a tool call's id, and of a model's name."""

# HTTP
BODY_BYTES: Final = 512 * KIB
"""The largest valid message (content, blocks, metadata), escaped, with room."""
BODY_BUFFER_BYTES: Final = 64 * KIB
"""Of a body that its reader has not taken, twice that: then the socket is read no further. With aiohttp's 256 KiB each
of ten uploads took 760 KB in every round of the event loop, and messages waited for all of that."""
FIELD_ERRORS: Final = 200
"""Told one by one. A body can have 60,000 wrong fields: a sentence for each takes 0.25 s and 2.6 MB."""
PAGE_DEFAULT: Final = 30
PAGE_MAX: Final = 100
PAGE_BYTES: Final = 768 * KIB
"""Of a page, which says that there is more: a hundred of the largest messages are 40 MB. A single resource may be
larger. Over a WebSocket it fits in a frame of 1 MiB, which is what official SDKs take."""
HEAD_BYTES: Final = 64 * KIB
"""A request's first line and headers; a token is at most 8 KiB of it."""
HEAD_LINE_BYTES: Final = 8190
"""As most proxies have it."""
HEADERS: Final = 100
PROXIES_IN_A_ROW: Final = 32
"""As far as X-Forwarded-For is read, from its right end."""

STRANGER_BODY_BYTES: Final = 16 * KIB
"""Of an unauthenticated client: an address, a password, a token."""
UNSENT_BYTES_PER_USER: Final = 16 * MIB
"""Of answers that a user has asked for and does not take: twenty of the largest pages, to clients that read slowly."""
UNSENT_BYTES: Final = 128 * MIB
"""The same of all users together."""
UNFINISHED_BYTES_PER_USER: Final = 32 * MIB
"""Of bodies that have begun and not ended, of a user or an address: sixty of the largest at once."""
UNFINISHED_BYTES: Final = 128 * MIB
SPARE_FILES: Final = 64
"""File descriptors that are never connections: the database's own, those of backups, fetching an issuer's keys."""
OPERATOR_SOCKETS: Final = 16
"""Connections that only this machine itself may make, so that its operator gets in when all others are taken."""
SOCKETS_BESIDE: Final = 256
"""Of an address, beside its WebSockets and streams: keep-alive connections of as many browsers."""
SOCKETS_LOOKED_AT: Final = 64
"""Connections among which an idle one is sought for a new one: 20 µs."""
LOG_SECONDS: Final = 60.0
"""Between two log lines of a kind that a stranger can cause."""

LOG_STRANGERS: Final = "2/s:50"
LOG_REFUSED: Final = "10/s:200"
LOG_SERVED: Final = "2/s:50"
"""Lines for requests of strangers that were refused, of others, and for what was served: 200 MB a day at most."""
COMPRESSED_BYTES: Final = 1 * KIB
"""Documents from this size on are also served compressed."""

# Time that a client may take
FIRST_BYTE_SECONDS: Final = 30.0
"""Browsers open a connection before they need it."""
HEAD_SECONDS: Final = 10.0
"""From a request's first byte to the end of its headers: they fit in a packet or two."""
BODY_SECONDS: Final = 30.0
"""For the largest JSON body: 17 KiB/s, a bad mobile connection. What is larger has to keep up that pace."""
BODY_STEP_SECONDS: Final = 10.0
BODY_STEP_BYTES: Final = 1 * KIB
"""Required in every step, even while the total time is not used up: a client that sends single bytes is cut off."""
ANSWER_SECONDS: Final = 30.0
ANSWER_STEP_BYTES: Final = 16 * KIB
"""What must be taken of an answer in that time, or the connection is cut."""
LINGERING_SECONDS: Final = 5.0
"""For how long the rest of a refused body is read and dropped, so that its sender gets the answer."""
LINGERING_BYTES: Final = BODY_BYTES
"""How much of it: an ordinary one whole. Of what is larger no more is read, and it is cut when that time is over."""

# Text
MARKS_IN_A_ROW: Final = 30
"""Of a text that is normalised: as Unicode's Stream-Safe Text Format has it. What follows counts for nothing."""

MARKDOWN_CHARS: Final = 12_000
"""Of a text that is parsed; a longer one is looked through line by line."""
MARKDOWN_SIGNS: Final = 4_000
"""In it, each 1 µs of parsing; lines and brackets count ten times."""

MARKDOWN_CELLS: Final = 5_000
"""Of tables in a text that is parsed: 201 rows of 20 are 4,020. A short row is filled up to the width of the first."""
RENDERED_CHARS: Final = 128 * KIB
"""Of one message as Markdown, for HTML: the longest content and its blocks. What follows is left out."""
RENDER_SECONDS: Final = 0.1
"""For the HTML of one message; what is not parsed by then is shown as it was written."""
RENDER_PAGE_SECONDS: Final = 0.3
"""For that of a page of messages."""

# Search
SEARCH_CHARS: Final = 500
"""Of a query: a pasted sentence. In every script it fits the first line of a request."""
SEARCH_TERMS: Final = 32
"""Words and phrases of a query: each is looked up on its own."""
SEARCH_WORDS: Final = 64
"""Of a query, in all of its phrases; a character is a word where a script has no spaces. What follows is left out: each
costs a look at every place in which it stands, and a text may consist of it."""
SEARCH_MARKED_SECONDS: Final = 0.5
"""For marking what was found, ten times as long as any page takes; what is not marked by then is shown from its
start."""
SEARCH_FILE_CHARS: Final = 32 * KIB
"""Of the text of a file, 10 pages: what a search among messages and threads looks at, indexed in 1 ms. A list of files
with `q` looks at all that was extracted."""
SEARCH_PREFIX_CHARS: Final = 2
"""Letters before a star: a single one would gather a tenth of the index before anything is found."""

# Admission control
COMMANDS_PER_THREAD: Final = 2_000
"""In flight in one thread. At 20,000 commits/s that is 0.1 s of queue: more would only be latency."""
COMMANDS_IN_ALL: Final = 20_000
"""In flight in the journal: about a second of work."""
COMMANDS_PER_CONNECTION: Final = 256
"""Unanswered commands of one WebSocket; beyond it the socket is not read until some are answered."""
HEAL_SECONDS: Final = 1.0
"""Between two tries whether a database that failed takes something again."""
JOURNAL_STALLED_SECONDS: Final = 20.0
"""Without an answer of the database, then the server is not ready: another process's lock is waited for 5 s."""
JOURNAL_BATCH: Final = 1024
"""Commands in one transaction: past it a commit's latency grows faster than its throughput."""

# Reads
READ_SECONDS_PER_SECOND: Final = 0.5
"""Of an OS thread that reads, for each user: 150 of the largest pages a second, or one and a half of the largest
contexts."""
READ_SECONDS_BURST: Final = 2.0
"""What a user may use of it at once."""
READS_WAITING: Final = 512
"""Of one user, whose connections may all come back at once, with a few reads each: past it they are refused."""
READ_WAIT_SECONDS: Final = 5.0
"""After that a browser's user has given up."""

# Rate limits: `<so many>/<s or min>:<burst>`, for each user or address
RATE_READ: Final = "100/s:400"
"""A busy screen sends ten requests at once; a program that pages through everything reads 10,000 items a second."""
RATE_WRITE: Final = "60/s:300"
"""Nobody types that. An assistant that streams three answers at 20 appends a second does; so does a small import."""
RATE_ADMIN: Final = "20/s:100"
"""By hand, or a script that makes users one by one."""
RATE_AUDITED: Final = "30/min:60"
"""Exports, API keys, passwords: each leaves half a kilobyte in the audit log for good. A person does a few a day."""
RATE_COSTLY: Final = "10/s:100"
"""Searches, pages of an export, the audit log, sums over all tables: a search for each letter that is typed fits."""
RATE_AUTH: Final = "60/min:120"
"""From one address, for each way of signing in, of those attempts that fail: one that is good is given back. An office
behind one address signs in within minutes of nine o'clock."""
RATE_SIGN_IN: Final = "30/min:60"
"""Of one user, those that are good: each makes a session and an audit entry."""
RATE_GUESSES: Final = "5/min:10"
"""Wrong ones for one account from one place: ten tries find a mistyped password, 7,000 a day do not find a good one."""
RATE_GUESSES_FAMILIAR: Final = "30/min:20"
"""The same for an address from which the owner has signed in before: an attacker behind it who tries every two seconds
does not lock the owner out."""
RATE_GUESSES_PLACE: Final = "30/min:60"
"""Wrong passwords from one address for all accounts. Half of RATE_AUTH: the rest remains for other ways to sign in."""
RATE_GUESSES_STRANGERS: Final = "12/min:100"
"""Wrong ones for one account from all places that are new to it: one place alone, or two, never empty it; many are a
guess by many, and then the account is open only to places that it knows."""
RATE_REFUSED: Final = "60/min:200"
"""Tokens that proved no good, from one address: a page with an old token in many tabs meets a few 401s, no more."""
RATE_REFUSALS: Final = "200/s:2000"
"""Refusals of any kind to strangers at one address, 0.3 ms each. Beyond it they are answered late."""
REFUSAL_WAIT_SECONDS: Final = 2.0
"""How late at most: a thousand connections that ask for nothing but refusals get 500 a second."""
AUDIT_REFUSED: Final = "5/s:200"
"""Refused sign-ins from anywhere that get an entry in the audit log: half a kilobyte each, for good."""
RATE_SUBJECTS: Final = 50_000
"""Buckets of each kind, 250 bytes each: the least recently used one is dropped, as if it were full."""

# Connections: WebSockets and streams together
CONNECTIONS_PER_USER: Final = 100
"""Tabs, phones, and a few assistants under one account."""
CONNECTIONS_PER_ADDRESS: Final = 2_000
"""A large office behind one address. A proxy has to be named in TRUSTED_PROXIES, or all of its clients count as one."""

# Actors
TURN_MESSAGES: Final = 256
"""Messages an actor handles in one turn of the event loop before others get theirs."""
CROWD: Final = 64
"""Connections of a channel above which its delivery has low priority: a reply elsewhere does not wait for all of
them."""
MEASURED_ROUNDS: Final = 64
"""Of so many rounds of turns one is timed, turn by turn: timing each costs two reads of the clock a turn."""
LOW_PRIORITY_SECONDS: Final = 0.0001
"""For turns of low priority in one round of the event loop: some 16. Writing their output takes three times as long."""
LOW_PRIORITY_SHARE: Final = 1 / 8
"""Of the time since the last such turns, where that is more: a server that is never idle still serves its crowds."""
THREADS_LIVE: Final = 10_000
"""Beyond it idle thread actors are retired at once: 3 KiB each, and their members. Those with subscribers or work
stay."""
THREAD_IDLE_SECONDS: Final = 300.0
"""A thread actor without subscribers or work is retired after this."""

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
GATE_BYTES: Final = 4 * MIB
"""Of live events that wait for the replay of their channel: more than an outbox could take after it."""
RECOVERY_BYTES: Final = 512 * KIB
"""Of publications in one reply: official SDKs take frames of up to 1 MiB."""
MESSAGES_PLACED: Final = 10_000
"""Of so many it is remembered in which thread they stand."""
RECOVERIES_SECONDS: Final = 10.0
"""How long a recovered range is kept for other clients that reconnect."""
RECOVERIES_BYTES: Final = 16 * MIB
HISTORY_EVENTS: Final = 100
PONG_SECONDS: Final = 8
CONNECT_SECONDS: Final = 10.0
TIMER_SECONDS: Final = 7 * 24 * 3600.0
"""The longest timer; a token that lives longer is looked at again then."""
COMMANDS_PER_SECOND: Final = 20
COMMANDS_BURST: Final = 100
FRAMES_BEFORE_CONNECT: Final = 32
"""Of every kind, from a client that is not known yet: a connect, a few pings, and the pieces of both."""
BYTES_BEFORE_CONNECT: Final = FRAME_BYTES + 2 * KIB
"""One frame with all that may follow connect, and the headers of the frames."""
INTAKE_SECONDS: Final = 10.0
INTAKE_ITEMS: Final = 1_500
"""Frames and commands of one known client in that time. What COMMANDS_PER_SECOND and its burst let through is 300; the
rest is for commands that are refused, which a client sends before it has read the first refusal."""
INTAKE_BYTES: Final = 16 * MIB
"""Twenty commands a second of the largest size, and room."""
FRAMES_IN_A_TURN: Final = 32
"""Of one client, before others get their turn of the event loop."""
FEED_EVENTS: Final = 5_000
"""That an SSE stream keeps while its replay is read."""
SSE_HEARTBEAT_SECONDS: Final = 20.0
SSE_THREADS: Final = 128
SSE_RETRY_MS: Final = 1_000

# Presence and typing
PRESENCE_SECONDS: Final = 1.5
"""Changes within it are published together."""
PRESENCE_LEAVE_SECONDS: Final = 5.0
"""Who comes back within it was never away."""
PRESENCE_USERS: Final = 200
"""Connections to one thread above which only their number is published: two hundred names are not read."""
TYPING_SECONDS: Final = 6.0
"""Clients repeat typing every few seconds; without a repeat it has stopped."""
TYPING_PAUSE_SECONDS: Final = 1.0
"""Between two starts of the same user; a start within it is published when it is over."""
LISTS_REMEMBERED: Final = 10_000
"""Retired threads that are remembered because clients may have lists of present or typing users."""
IDLE_SECONDS: Final = 300.0
"""A connected user without activity for so long is idle."""
ACTIVITY_LOOK_SECONDS: Final = 30.0
"""Between two checks for idle users; new activity is saved then."""
STATUS_SECONDS: Final = 1.0
"""Changes of status within it are published together."""

# Notifications
MENTIONS: Final = 50
"""Users mentioned one by one in one message; more of them are a list, not mentions."""
NOTIFIED_AT_ONCE: Final = 100
"""Rows that one message may write for other users. `@all` in a thread with more members notifies no one: the unread
count shows the message to all."""
HANDLE_CHARS: Final = 64
"""Of the text after an `@`: the length of nearly all names without spaces."""
EXCERPT_CHARS: Final = 200
"""What a notification shows of its message."""
USER_EVENTS: Final = 1_000
"""Entries that a user's own log keeps, for devices that come back."""
USER_EVENT_SECONDS: Final = 30 * 24 * 3600
NOTIFICATION_SECONDS: Final = 90 * 24 * 3600
"""How long a notification stays in the feed, read or not."""
OUTBOX_SECONDS: Final = 7 * 24 * 3600
"""How long something waits for delivery outside: a week later it is no news."""
UNREAD_SECONDS: Final = 0.2
"""Changes of unread counts within it are pushed together."""
UNREAD_AT_ONCE: Final = 16
"""Threads whose members get their counts in one step: 1 ms of the event loop, where each has a reader of its own."""
UNREAD_STEP_SECONDS: Final = 0.005
"""Between two of them: 3,200 threads a second."""
UNREAD_REACH: Final = 10_000
"""Messages that marking a thread unread reaches back: the own ones among them are counted, 6 ms of the journal."""
UNREAD_THREADS: Final = 100
"""Told one by one; the sums are of all."""
USERS_REMEMBERED: Final = 10_000
"""Users without a connection whose log grew lately: on reconnect its head is known without a query."""

# Live channels
LIVE_HISTORY: Final = 100
"""Publications that a live channel keeps for clients that reconnect."""
LIVE_SECONDS: Final = 300.0
"""For how long; then a channel without subscribers is removed."""
LIVE_CHANNELS: Final = 10_000
"""At once, 3 KiB each. A new one takes the place of the one that has been idle for longest; where there is none, it is
refused."""
LIVE_CHANNELS_PER_USER: Final = 2_000
"""Created by one user, so that no user takes the room of all."""
LIVE_BYTES: Final = 64 * MIB
"""Remembered by all channels: the oldest publications are forgotten first."""
LIVE_USER_BYTES: Final = 8 * MIB
"""Of what one user has published: a hundred of the largest, or a screen that is shared by many."""
LIVE_ENTRY_BYTES: Final = 512
"""To remember one publication, whatever it holds."""
LIVE_SWEPT_AT_ONCE: Final = 500
"""Channels that are retired, or publications that are forgotten, in one turn: some 3 ms."""
LIVE_SWEEP_PAUSE_SECONDS: Final = 0.05

# Streamed messages
STREAM_DELTA_SECONDS: Final = 0.04
"""Pieces within it are published together: faster than reading, and 25 writes a second for each viewer."""
STREAM_SAVE_SECONDS: Final = 1.0
"""How much of an answer a crash may take; each step is a write."""
STREAM_SILENT_SECONDS: Final = 60.0
"""An agent that says nothing for so long is gone; a model that thinks sends empty pieces."""
STREAM_RESUME_SECONDS: Final = 10.0
"""How long an agent has after a restart of the server to go on: viewers wait, and most agents do not come back."""
STREAMS_RESUMED: Final = 1_000
"""Threads that are looked at after a restart because something was being written in them; the housekeeper has the
rest."""
STREAM_FIRST_PIECE_SECONDS: Final = 10.0
"""For the first piece of a request that writes a message: until then it holds a place, and has said nothing."""
STREAM_LINES_PER_SECOND: Final = 10_000
"""Read of all requests of one user in which messages are written: 40 answers at 150 tokens a second, or a tenth of a
core. What is more waits in the socket."""
STREAM_LINES_BURST: Final = 10_000
STREAM_LINE_BYTES: Final = 512
"""A line for each so many bytes, where it is longer."""
STREAMS_PER_THREAD: Final = 16
"""At once: each is sent to every viewer."""

# Transfer of files
TRANSFER_PIECE_BYTES: Final = 512 * KIB
"""Read, hashed and written at once: one hop to another OS thread for each. A transfer holds two of them."""
TRANSFER_WRITE_OUT_BYTES: Final = 4 * MIB
"""Written to the disk while the next ones come in: an upload does not end with one long sync of all its bytes."""
TRANSFER_GATHER_SECONDS: Final = 0.05
"""At most, until a piece that is not full is written: what a killed server had of it comes again."""
TRANSFER_THREADS: Final = 4
"""That write and send files, beside those that read the database: a disk that hangs holds up transfers alone."""
TRANSFER_NICENESS: Final = 5
"""Of those OS threads, on Linux: a third of the event loop's share of a core that both want."""
TRANSFER_LOOK_SECONDS: Final = 0.4
"""Between two looks whether a transfer is still allowed and goes on: with ACCESS_LOOK_SECONDS below a second."""
TRANSFER_STEP_SECONDS: Final = 20.0
TRANSFER_STEP_BYTES: Final = 8 * KIB
"""What must come, or be taken, in every step: less is no line, but a client that holds a connection."""
UPLOAD_TAKEOVER_SECONDS: Final = 5.0
"""A client that comes back for its upload ends the request that still writes to it, and waits so long for its end."""
UPLOADS_REMEMBERED: Final = 1_000
"""Uploads whose hash so far is kept between two requests, half a kilobyte each; the others are read again."""
FREE_DISK_BYTES: Final = 128 * MIB
"""Of the disk that uploads leave free: the database is on it, too."""
FORM_PARTS: Final = 100
"""Files and fields of one form."""
FORM_FIELD_BYTES: Final = 16 * KIB
"""As much metadata as a file may have."""
FORM_HEAD_BYTES: Final = 8 * KIB
"""Headers of one part: a name of 255 characters, in any script, escaped."""
RANGES: Final = 32
"""Of one download; more of them cost more than the whole content."""
ZIP_FILES: Final = 1_000
ZIP_BYTES: Final = 2 * 1024 * MIB
"""Of one archive: every program opens it, as nothing in it needs the 64-bit form."""
SIGNED_URL_SECONDS: Final = 300
"""By default: a page that shows pictures asks again when it is opened again."""
SIGNED_URL_SECONDS_MAX: Final = 24 * 3600

# Authentication
TOKEN_BYTES: Final = 8 * KIB
"""Headers of that size are refused by most proxies already."""
TOKEN_LEEWAY_SECONDS: Final = 30
TOKENS_CACHED: Final = 50_000
CREDENTIALS_AT_ONCE: Final = 256
"""Looked up in one read: 15 ms of a reader's time, which has the GIL for a part of it."""
TOKENS_LISTED: Final = 50_000
TOKENS_LISTED_PER_USER: Final = 50
"""Tokens of other issuers that are shown beside sessions; the oldest go. A client that makes one for each request would
fill the memory."""
SECRET_BYTES: Final = 32
"""RFC 7518 3.2: an HS256 key has at least the size of the hash. A shorter JWT_SECRET is warned of, everywhere."""
SECRET_BYTES_LEAST: Final = 16
"""128 bits, where they are random. Systems that have signed with less than 32 bytes for years go on working."""
TOKEN_HEADERS_CACHED: Final = 64
"""Those of one key are all the same; a stranger's push each other out."""

# Accounts
ACCESS_TOKEN_SECONDS: Final = 15 * 60
"""Of tokens that the server issues: how long a leaked one is valid unless its session is ended."""
SESSION_SECONDS: Final = 30 * 24 * 3600
"""Since the last refresh: a user who returns within a month stays signed in."""
SIGN_IN_LINK_SECONDS: Final = 24 * 3600
SEEN_SECONDS: Final = 60
"""How exact `last_seen_at` and `last_used_at` are: each step is a write."""
API_KEYS_PER_USER: Final = 50
API_KEY_CHARS: Final = 128
PASSWORD_CHARS_LEAST: Final = 10
PASSWORD_CHARS: Final = 256
"""Argon2 would hash megabytes, too: that is work for nothing."""
PASSWORDS_AT_ONCE: Final = 2
"""Argon2id takes 64 MiB and a core for a moment, each."""
PASSWORDS_WAITING: Final = 32
"""From one address; beyond it signing in answers `overloaded`: the queue would only grow. Addresses take turns."""
PASSWORDS_WAITING_IN_ALL: Final = 512
PLACES_KNOWN: Final = 200
"""Addresses from which an account has signed in, the newest: what a wrong password from elsewhere does not close."""
REFRESH_GRACE_SECONDS: Final = 10
"""Two tabs that wake at once bring the same refresh token; the second one gets the answer of the first."""
ACCESS_LOOK_SECONDS: Final = 0.4
"""How often the log of access changes is looked at: revocation by another process has to be felt within a second."""
ACCESS_REST: Final = 3
"""Times as long as a look took others until the next one: it is never more than a quarter of what the server does."""
ACCESS_CHANGES_SECONDS: Final = 24 * 3600
"""How long changes of access are kept: every process has seen them long before."""

# Erasure
SCRUB_SECONDS: Final = 60.0
"""After a deletion, until the write-ahead log is emptied of what it took away: each time costs an fsync of the file."""

# Shutdown
DRAIN_SECONDS: Final = 8.0
"""Of the 10 s in which the process must be gone: the rest is for the last commit and closing the database."""

# Files

MESSAGE_FILES: Final = 20
"""Files that one message shows."""
FILES_AT_ONCE: Final = 100
"""Files in one batch, or in one archive: as many as a page has."""
FILE_NAME_CHARS: Final = 1024
"""Of a name as it comes; a name that is kept has at most 255 bytes, as file systems want it."""
MEDIA_TYPE_CHARS: Final = 127
"""As RFC 6838 has it for both parts together."""
UPLOAD_SECONDS: Final = 24 * 3600
"""An upload that is not complete after a day is given up."""
PROGRESS_SECONDS: Final = 0.25
PROGRESS_STEPS: Final = 20
PROGRESS_BYTES: Final = MIB
"""Upload progress is published at most four times a second: every 5 %, or every MiB where the length is unknown."""
REDIRECT_SECONDS: Final = 60
"""A download that is redirected to the store begins within it; so long its URL outlives the rights of its user."""
DIRECT_URL_SECONDS: Final = 3600
"""A direct upload must have begun to send its bytes within it; a slow one may go on."""
FILE_BYTES: Final = 100 * MIB
"""Of one file, unless FILE_BYTES says otherwise."""
BLOB_TRIES: Final = 20
BLOB_GOING_SECONDS: Final = 0.25
"""Bytes that are being deleted from the store are gone in less than 5 s; whoever brings the same waits so long."""
REFUSED_FILES_REMEMBERED: Final = 1_000
"""(user, file) pairs whose refusal is in the audit log already."""
FILES_PROCESSED_AT_ONCE: Final = 4
"""Scans, or previews, that run side by side."""
FILES_DUE: Final = 100
"""Of those that are due, looked at at once: some of them may have to wait."""
PREVIEW_TRIES: Final = 3
PREVIEW_RETRY_SECONDS: Final = 5.0
"""A worker that was killed from outside, or too many files that wait."""
FILES_LOOK_SECONDS: Final = 30.0
"""Between two looks for files that are to be scanned or shown, when none has been announced."""
BLOB_GRACE_SECONDS: Final = 24 * 3600
"""A blob that nothing refers to is kept so long: a backup taken before may still name it."""
FILE_PENDING_DAYS: Final = 7
"""A record whose bytes have not come for so long goes, if nothing shows it: an upload lasts a day."""
FILES_PRUNED_SECONDS: Final = 3600.0
"""Between two runs of the retention rules, which count in days."""
FILES_PRUNED_AT_ONCE: Final = 100
"""Removed in one transaction."""
FILES_LOOKED_AT: Final = 5_000
"""Looked at by one read of the retention rules: a few milliseconds."""
FILES_KEPT_SECONDS: Final = 60.0
"""Between two looks for uploads past their time and for blobs that nothing names."""
STORE_LOOK_SECONDS: Final = 60.0
"""Between two probes of the store of files: three requests to S3 each."""
STORE_ANSWER_SECONDS: Final = 30.0
INCOMING_LOOK_SECONDS: Final = 3600.0
"""Between two looks for bytes of direct uploads that have ended."""
ARCHIVE_LOOKS_WAITING: Final = 100
"""Uploads of archives that wait until a worker has looked into those before; more are asked to retry."""

# Blob store
BLOB_PIECE_BYTES: Final = 256 * KIB
"""Read at once for a download: 400 hops between event loop and OS threads for 100 MB."""
BLOB_DISK_THREADS: Final = 4
"""OS threads for the folder of blobs: an fsync that takes a second holds up none of the other executor's work."""
BLOB_FRESH_SECONDS: Final = 3600
"""A blob stored again within it is not sent to S3 again. Older ones are, so that `modified` is recent, and the cleanup
of unreferenced blobs leaves alone what an upload is about to name."""
BLOB_PARTIAL_SECONDS: Final = 24 * 3600
"""An unfinished copy of this age was left by a process that was killed."""
BLOB_COPIES_AT_ONCE: Final = 4
"""Of a move from store to store: enough to hide the latency of S3, and no more memory than uploads take."""
S3_PART_BYTES: Final = 5 * MIB
"""The least that S3 takes: 10,000 parts are 48 GiB."""
S3_PARTS_AT_ONCE: Final = 1
"""Of one upload, while the next is read: 10 MiB of memory. Two took 30 MiB, and were no faster."""
S3_UPLOADS_AT_ONCE: Final = 2
"""Of those large enough for parts: others wait their turn. More would only share the bandwidth."""
S3_SMALL_UPLOADS_AT_ONCE: Final = 8
"""Of those sent in one request, held in memory as a whole."""
S3_CONNECT_SECONDS: Final = 5.0
S3_SILENT_SECONDS: Final = 30.0
"""Without a byte of an answer a request to S3 fails, and is repeated. A part of 5 MiB goes out in it at 1.4 Mbit/s."""
S3_RETRIES: Final = 4
"""Of one request, with growing pauses and jitter: a restart of MinIO or a throttled moment passes within them."""
S3_RETRY_SECONDS: Final = 60.0
"""After it no new try begins."""
S3_RETRY_PAUSE_SECONDS: Final = 0.1
"""Before the first retry, then up to twice as long each time, at most 5 s."""
S3_CLOCK_SECONDS: Final = 60.0
"""How far the clocks of server and store may be apart where times are compared; beyond 15 minutes S3 refuses all."""
S3_SIGNED_SECONDS: Final = 7 * 24 * 3600
"""The longest that signature version 4 allows for a URL."""

# Scanner
SCANS_AT_ONCE: Final = 4
"""clamd has ten threads, which others may use too."""
SCAN_CONNECT_SECONDS: Final = 5.0
SCAN_SECONDS: Final = 300.0
"""For one file: clamd itself gives up after 120 s of scanning, and 100 MB have to get there first."""
SCAN_SILENT_SECONDS: Final = 30.0
"""For a scanner to take the next piece of a file."""
SCAN_PIECE_BYTES: Final = 256 * KIB
SCAN_ANSWER_BYTES: Final = 64 * KIB
"""Of what a scanner says; the rest is read and dropped."""
SCAN_NAME_CHARS: Final = 200
SCAN_RETRY_SECONDS: Final = 30.0
"""A scanner that does not answer is asked again then: clamd takes that long to load its signatures."""
SCAN_MISFIT_SECONDS: Final = 3600.0
"""A file beyond the scanner's own limits is tried again then: somebody has to change its configuration first."""

LAG_SECONDS: Final = 0.5
"""Between two looks at how late the event loop is: 2 timers a second cost nothing, and a stall of a second shows."""
ERROR_GROUPS: Final = 100
"""Places at which unhandled exceptions were raised: each is a defect, and nobody reads more at once."""
ERRORS_KEPT_SECONDS: Final = 5.0
"""Between two looks whether the file of errors has to be written: what a crash may lose of their counts."""
ERROR_OCCURRENCES: Final = 5
"""The last ones of a group, by whose correlation ids the log is searched."""

# Webhooks
WEBHOOKS_PER_USER: Final = 20
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
WEBHOOK_LOOK_SECONDS: Final = 0.1
"""Between two looks whether something was committed: a comparison of two numbers."""
WEBHOOK_REST_SECONDS: Final = 1.0
"""Between two looks at the database when nothing was committed here: others may have written, a retry be due."""
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
WEBHOOK_GIVE_UP_SECONDS: Final = 4 * 24 * 3600
"""Age at which a delivery that fails is dead, however few attempts the circuit breaker has let through."""
WEBHOOK_FAILING_SECONDS: Final = 5 * 24 * 3600
"""Without a success and with failures for so long, a webhook is disabled."""
WEBHOOK_LOG: Final = 1_000
"""Finished deliveries that one webhook keeps, and as many dead letters."""
WEBHOOK_LOG_SECONDS: Final = 30 * 24 * 3600
WEBHOOK_ATTEMPTS_LOGGED: Final = 12
"""Of one delivery: all of one round of retries."""
WEBHOOK_OVERLAP_SECONDS: Final = 24 * 3600
"""By default, in which both secrets of a rotation sign: time to give the new one to the receiver."""
WEBHOOK_OVERLAP_SECONDS_MAX: Final = 7 * 24 * 3600
WEBHOOK_REPLAYED: Final = 100
"""Deliveries named in one request for a replay."""
WEBHOOK_COUNT_SECONDS: Final = 10.0
"""Between two counts of what waits, for metrics: they read an index of all of it."""
WEBHOOK_STOP_SECONDS: Final = 1.0
"""For attempts on their way when the server stops; what was not recorded is sent again, with the same id."""
