"""Streamed messages."""

from typing import Final

from actors.limits.content.messages import CONTENT_BYTES

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
"""What a user may send at once, after a pause: an answer that was buffered."""
STREAM_LINE_BYTES: Final = 512
"""A line for each so many bytes, where it is longer."""
STREAMS_PER_THREAD: Final = 16
"""At once: each is sent to every viewer."""
STREAM_ABANDONED_SECONDS: Final = 3 * int(STREAM_SILENT_SECONDS)
"""A stream that was not saved for so long belonged to a process that has ended."""
STREAM_GATHER_SECONDS: Final = STREAM_DELTA_SECONDS / 2
"""Between two reads of a body: text that arrived meanwhile is appended together. A hundred answers at 150 tokens a
second took a whole core without it, for viewers who get a delta every 40 ms."""
STREAM_SLICE_BYTES: Final = 1024
"""Read at once, before others get their turn: at most some hundred lines, a quarter of a millisecond."""
STREAM_PIECE_CHARS: Final = CONTENT_BYTES // 4
"""Of one piece of a streamed text: in UTF-8 they fit into a message for sure."""
STREAM_END_SECONDS: Final = 5.0
"""For the journal to take the end of a message; it takes it later where the database is away."""
