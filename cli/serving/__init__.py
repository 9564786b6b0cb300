"""What only `xp serve` has: its socket, its log, what it starts and publishes."""
