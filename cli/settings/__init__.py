"""Settings: `declared` is their table, `values` reads their texts, `load` answers those in force."""

from cli.settings.declared import BY_KEY, SETTINGS, Setting
from cli.settings.loading import Settings, load, shown
from cli.settings.options import options

__all__ = ["BY_KEY", "SETTINGS", "Setting", "Settings", "load", "options", "shown"]
