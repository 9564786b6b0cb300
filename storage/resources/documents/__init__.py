"""Documents that several people edit at once: what is written, and how they are read."""
