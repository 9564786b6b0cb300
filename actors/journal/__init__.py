"""The one writer of the database, and what follows and tidies what it has written."""
