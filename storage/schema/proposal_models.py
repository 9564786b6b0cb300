"""The schema of proposals. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from actors.resources.proposals.proposal import STATUSES
from storage.schema.artifact_models import Artifact, ArtifactBody
from storage.schema.models import Base, User, one_of


class Proposal(Base):
    uid = TextField(unique=True)  # proposals by public id
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=False)
    base = IntegerField()  # number of a version, which may be dropped meanwhile
    base_body = ForeignKeyField(ArtifactBody, null=True, index=True)  # what refers to a body; null: resolved
    comment = TextField(default="")
    message = TextField(null=True)  # public id
    tool_call = TextField(null=True)
    model = TextField(null=True)
    status = TextField(constraints=[one_of("status", STATUSES)])
    count = IntegerField()  # of its hunks
    patch = TextField(null=True)  # JSON; null: no longer kept
    hunks = TextField(null=True)  # the same
    resolver = ForeignKeyField(User, null=True, index=False)
    resolved_at = BigIntegerField(null=True)
    reason = TextField(default="")
    accepted = TextField(default="[]")  # JSON list of numbers
    version = IntegerField(null=True)  # that has what was accepted
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_proposal"
        indexes = (
            (("artifact", "id"), False),  # proposals of an artifact, newest first
            (("artifact", "status", "id"), False),  # the same, of one status: above all the open ones
            (("author", "id"), False),  # what a user has proposed: for its erasure and export
        )


MODELS: tuple[type[Base], ...] = (Proposal,)
