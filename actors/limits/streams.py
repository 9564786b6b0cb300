"""Streamed messages."""

from typing import Final

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
