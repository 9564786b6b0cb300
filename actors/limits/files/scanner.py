"""The scanner of files."""

from typing import Final

from actors.limits.units import KIB

SCANS_AT_ONCE: Final = 4
"""clamd has ten threads, which others may use too."""
SCAN_CONNECT_SECONDS: Final = 5.0
"""A scanner that is there answers in milliseconds."""
SCAN_SECONDS: Final = 300.0
"""For one file: clamd itself gives up after 120 s of scanning, and 100 MB have to get there first."""
SCAN_SILENT_SECONDS: Final = 30.0
"""For a scanner to take the next piece of a file."""
SCAN_PIECE_BYTES: Final = 256 * KIB
"""Sent to the scanner at once, and held in memory."""
SCAN_ANSWER_BYTES: Final = 64 * KIB
"""Of what a scanner says; the rest is read and dropped."""
SCAN_NAME_CHARS: Final = 200
"""Of what was found, as the scanner calls it: a line."""
SCAN_RETRY_SECONDS: Final = 30.0
"""A scanner that does not answer is asked again then: clamd takes that long to load its signatures."""
SCAN_MISFIT_SECONDS: Final = 3600.0
"""A file beyond the scanner's own limits is tried again then: its operator has to change its configuration first."""
