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
PEERS_REMEMBERED: Final = 4096
"""Addresses at the other end of a socket that are remembered as trusted or not: parsing one takes microseconds."""
BACKLOG: Final = 4096
"""Thousands of clients come back at once after a restart; the kernel caps it at somaxconn."""
KEEPALIVE_SECONDS: Final = 75.0
"""For an idle connection: longer than proxies keep theirs, so that none sends a request into one that is being
closed."""
CONNECTION_RETRY_SECONDS: Final = 5
"""After which a connection that was refused may be tried again: others have ended by then, or none do."""
CONNECTIONS_LEAST: Final = 8
"""However few file descriptors there are: enough to see what is wrong."""
DESCRIPTORS: Final = 65_536
"""File descriptors that are asked for. Past it memory ends first."""
