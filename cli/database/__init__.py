"""`xp db`: the database, from its schema to its backups."""

import click

from cli.group import LazyGroup

COMMANDS = {
    "migrate": ("cli.database.migrations:migrate_command", "Bring the schema up to this version of the server"),
    "rollback": ("cli.database.migrations:rollback_command", "Undo the newest migrations"),
    "status": ("cli.database.migrations:status_command", "List the migrations, and which are applied"),
    "new": ("cli.database.migrations:new_command", "Begin the next migration, for those who develop the server"),
    "info": ("cli.database.inspection:info_command", "Show where the database is, how large, and what it holds"),
    "tables": ("cli.database.inspection:tables_command", "List the tables with their rows and sizes"),
    "query": ("cli.database.inspection:query_command", "Ask the database in SQL"),
    "check": ("cli.database.check:command", "Check everything that must hold"),
    "backup": ("cli.database.copies:backup_command", "Copy the database, while a server runs"),
    "restore": ("cli.database.copies:restore_command", "Put a backup in the place of the database"),
    "export": ("cli.database.export:command", "Write every table as JSON lines"),
    "fresh": ("cli.database.copies:fresh_command", "Start over with an empty database"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Migrate, inspect, check, copy and restore the database.

    Example: xp db backup experience-backup.db
    """
