"""The database, its log, its backups."""

from actors.limits.storage.backups import *
from actors.limits.storage.database import *
from actors.limits.storage.journal import *
from actors.limits.storage.maintenance import *
from actors.limits.storage.retention import *
