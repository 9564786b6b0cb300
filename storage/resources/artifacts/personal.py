"""What stays of a user's artifacts when the user is deleted."""

from actors.resources.artifacts.queries import ListArtifactsBy
from storage.personal import Personal
from storage.schema.artifact_models import Artifact, ArtifactData, ArtifactShare, ArtifactVersion

PERSONAL = (
    Personal(
        Artifact.creator, export=ListArtifactsBy,
        kept="it belongs to the thread, by a nameless creator; it goes where content is to be removed",
    ),
    Personal(ArtifactVersion.author, kept="like its artifact", withheld="its artifact is shown as it is now"),
    Personal(ArtifactData.author, kept="like its artifact", withheld="its artifact names its data sets"),
    Personal(ArtifactShare.creator, kept="a link is good until it ends or is revoked", withheld="a secret of a thread"),
)  # fmt: skip
