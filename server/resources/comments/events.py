"""Events about comments, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.comments.comment import COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED, Comment
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.comments import rendering
from server.resources.comments.views import CommentView


def _comment(_: Event, comment: Comment) -> render.Json:
    return rendering.comment(comment)


VIEWS: Final[DataViews] = dict.fromkeys(
    (COMMENT_CREATED, COMMENT_UPDATED, COMMENT_DELETED), DataView(CommentView, _comment)
)
