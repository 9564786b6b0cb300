"""The `xp` command: the composition root, and administration from a terminal."""
