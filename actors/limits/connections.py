"""Connections: WebSockets and streams together, and sockets of any kind."""

from typing import Final

SPARE_FILES: Final = 64
"""File descriptors that are never connections: the database's own, those of backups, fetching an issuer's keys."""
OPERATOR_SOCKETS: Final = 16
"""Connections that only this machine itself may make, so that its operator gets in when all others are taken."""
SOCKETS_BESIDE: Final = 256
"""Of an address, beside its WebSockets and streams: keep-alive connections of as many browsers."""
SOCKETS_LOOKED_AT: Final = 64
"""Connections among which an idle one is sought for a new one: 20 µs."""
CONNECTIONS_PER_USER: Final = 100
"""Tabs, phones, and a few assistants under one account."""
CONNECTIONS_PER_ADDRESS: Final = 2_000
"""A large office behind one address. A proxy has to be named in TRUSTED_PROXIES, or all of its clients count as one."""
