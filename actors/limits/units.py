"""Bytes in a KiB and a MiB."""

from typing import Final

KIB: Final = 1024
"""Bytes in it."""
MIB: Final = 1024 * KIB
"""Bytes in it."""
