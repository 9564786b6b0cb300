"""When backups are made, and which are kept: rules alone."""
