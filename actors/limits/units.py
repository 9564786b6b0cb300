"""Bytes in a KiB and a MiB."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
