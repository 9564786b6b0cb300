"""Commands become rows and log entries, inside the journal's transaction."""
