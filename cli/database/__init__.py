"""`xp db`: the database, from its schema to its backups."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "migrate": ("cli.database.migrations:migrate_command", "Migrate the schema to this version of the server"),
    "rollback": ("cli.database.migrations:rollback_command", "Undo the newest migrations"),
    "status": ("cli.database.migrations:status_command", "List the migrations, and whether they are applied"),
    "new": ("cli.database.migrations:new_command", "Create a new migration, for developers of the server"),
    "info": ("cli.database.inspection:info_command", "Show path, size and contents of the database"),
    "tables": ("cli.database.inspection:tables_command", "List the tables with their rows and sizes"),
    "query": ("cli.database.inspection:query_command", "Run an SQL query, read-only"),
    "check": ("cli.database.check:command", "Check the invariants of the database"),
    "backup": ("cli.database.copies:backup_command", "Copy the database and the bytes of files, while a server runs"),
    "backups": ("cli.database.backups:backups_command", "List the backups in BACKUP_URL"),
    "rehearse": (
        "cli.database.backups:rehearse_command",
        "Restore the newest state into a scratch file and check it",
    ),
    "ship": ("cli.database.ship:command", "Ship changes of the database to BACKUP_URL until stdin ends"),
    "restore": (
        "cli.database.copies:restore_command",
        "Replace the database by a backup, and bring back the bytes of its files",
    ),
    "export": ("cli.database.export:command", "Write every table as JSON lines"),
    "fresh": ("cli.database.copies:fresh_command", "Replace the database by an empty one"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Migrate, inspect, check, copy and restore the database.

    Example: xp db backup experience-backup.db
    """
