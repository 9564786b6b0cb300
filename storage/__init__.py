"""SQLite through Peewee: the schema, the writing half (the journal's store) and the reading half (history)."""
