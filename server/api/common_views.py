"""Answers that several resources share."""

from typing import Literal

from server.api.fields import Id, View


class DeletedView(View):
    id: Id
    deleted: Literal[True]
