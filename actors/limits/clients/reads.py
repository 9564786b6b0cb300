"""Time of the readers that a user may take."""

from typing import Final

READ_SECONDS_PER_SECOND: Final = 0.5
"""Of an OS thread that reads, for each user: 150 of the largest pages a second, or one and a half of the largest
contexts."""
READ_SECONDS_BURST: Final = 2.0
"""What a user may use of it at once."""
READS_WAITING: Final = 512
"""Of one user, whose connections may all come back at once, with a few reads each: past it they are refused."""
READ_WAIT_SECONDS: Final = 5.0
"""After that a browser's user has given up."""
READ_HEAVY_SECONDS: Final = 0.05
"""Used lately, from which on a user's reads wait for those of others: some thirty pages of messages."""
READ_SECONDS_LEAST: Final = 0.001
"""Of a budget, to read once more."""
