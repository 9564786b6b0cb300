"""aiohttp: operations, transports, wire formats, outgoing HTTP."""
