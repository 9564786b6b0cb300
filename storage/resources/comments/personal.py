"""What stays of a user's comments when the user is deleted."""

from actors.resources.comments.comment import ListCommentsBy
from storage.personal import Personal
from storage.schema.comment_models import Comment

PERSONAL = (
    Personal(
        Comment.author,
        export=ListCommentsBy,
        kept="it belongs to its artifact, by a nameless author; it goes where content is to be removed",
    ),
    Personal(Comment.resolver, kept="it is another user's comment", withheld="it is another user's comment"),
)
