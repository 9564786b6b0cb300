"""What stays of what a user has streamed when the user is deleted."""

from storage.personal import Personal
from storage.schema.artifact_stream_models import ArtifactStream

PERSONAL = (
    Personal(
        ArtifactStream.author,
        kept="its text is a version of the artifact; what no version has goes where content is to be removed",
        withheld="its text is in the artifact",
    ),
)
