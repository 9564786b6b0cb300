"""The schema of retention: the log of its runs. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, IntegerField, TextField

from storage.schema.models import Base


class RetentionRun(Base):
    """A run of a rule that took something."""

    rule = TextField()
    started_at = BigIntegerField(index=True)  # what is older than a year goes
    items = IntegerField()
    rows = IntegerField()
    size = BigIntegerField()

    class Meta:
        table_name = "retention_run"


MODELS: tuple[type[Base], ...] = (RetentionRun,)
"""Every table of this module."""
