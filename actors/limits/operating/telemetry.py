"""Lines of the log, unhandled errors, and how late the event loop is."""

from typing import Final

LOG_SECONDS: Final = 60.0
"""Between two log lines of a kind that a stranger can cause."""
LOG_STRANGERS: Final = "2/s:50"
"""Lines for requests of strangers that were refused."""
LOG_REFUSED: Final = "10/s:200"
"""Lines for other refusals."""
LOG_SERVED: Final = "2/s:50"
"""Lines for what was served. All three together are 200 MB a day at most."""
LAG_SECONDS: Final = 0.5
"""Between two looks at how late the event loop is: 2 timers a second cost nothing, and a stall of a second shows."""
ERROR_GROUPS: Final = 100
"""Places at which unhandled exceptions were raised: each is a defect, and nobody reads more at once."""
ERRORS_KEPT_SECONDS: Final = 5.0
"""Between two looks whether the file of errors has to be written: what a crash may lose of their counts."""
ERROR_OCCURRENCES: Final = 5
"""The last ones of a group, by whose correlation ids the log is searched."""
REFUSALS_KEPT: Final = 2_000
"""Refusals that are remembered for `/admin`, of all users, in this process: about half a megabyte."""
REFUSALS_SHOWN: Final = 50
"""Of one user, in one answer: a screen."""
TRACE_ENTRIES: Final = 100
"""Of each kind, in a trace."""
ERROR_FRAMES: Final = 6
"""Of the traceback, the innermost: enough to tell two defects apart."""
TRACE_CAUSES: Final = 4_096
"""Newest events and notifications whose command is known to the requests that they cause: webhooks, pushes. About a
megabyte."""
TRACE_FLUSH_SECONDS: Final = 2.0
"""For the last traces at the end of the server: a collector that is there takes them in milliseconds."""
WATCHES: Final = 8
"""Users, threads and connections that are watched live at once, by all administrators: each costs all connections."""
WATCH_SECONDS: Final = 600
"""For so long, unless another time is asked for: who forgets it does not watch for ever."""
WATCH_SECONDS_MOST: Final = 3_600
"""An hour: who needs longer begins again, and is in the audit log again."""
WATCH_PER_SECOND: Final = 200
"""Of what a watch tells: more than anybody reads; what is beyond is counted."""
WATCH_BURST: Final = 1_000
"""At once: all that a client does when it connects."""
