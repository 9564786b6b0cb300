"""From a location to its scanner."""

from actors.scanner import Scanner
from server.outbound.scanner.clamd import Clamd
from server.outbound.scanner.command import CommandScanner
from server.outbound.scanner.location import Command, Location


def open_scanner(location: Location) -> Scanner:
    """Reaches nothing yet: `check` does."""
    return CommandScanner(location) if isinstance(location, Command) else Clamd(location)
