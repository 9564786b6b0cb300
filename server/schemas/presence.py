"""Presence and typing on the wire."""

from pydantic import Field

from server.schemas.base import Id, Request, View
from server.schemas.users import AuthorView


class PresentView(View):
    user: AuthorView
    connections: int


class PresenceView(View):
    count: int = Field(description="People who are present; also where they are too many to be listed.")
    connections: int
    users: list[PresentView]


class TypingRequest(Request):
    thread_id: Id
    typing: bool = Field(default=True, description="Say it every few seconds while it is so.")


class TypingView(View):
    typing: bool
