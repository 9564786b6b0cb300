"""Limits of loops that send what is due: webhooks, notifications."""

from typing import Final

DUE_LOOK_SECONDS: Final = 0.1
"""Between two looks whether something was committed: a comparison of two numbers."""
DUE_REST_SECONDS: Final = 1.0
"""Between two looks at the database when nothing was committed here: others may have written, a retry be due. As long
after a failure."""
DUE_COUNT_SECONDS: Final = 10.0
"""Between two counts of what waits, for metrics: they read an index of all of it."""
DUE_STOP_SECONDS: Final = 1.0
"""For attempts on their way when the server stops; what was not recorded is sent again."""
DUE_DRIFT_SECONDS: Final = 60
"""Clocks are set back by so little all the time: what is dated further ahead was dated by a clock that was wrong."""
DUE_AHEAD_SECONDS: Final = 27 * 3600
"""The longest pause before a retry, and the longest quiet hours in a night that clocks are put back, end within it."""
