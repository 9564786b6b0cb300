"""What a command opens before it works, as the settings name it: database, files, keys, the running server."""
