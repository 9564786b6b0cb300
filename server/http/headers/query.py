"""The query of requests to endpoints, whose parameters are few texts."""

from collections import Counter
from collections.abc import Collection

from aiohttp import web

from actors.errors import ValidationFailed


def must_know(request: web.Request, known: Collection[str]) -> None:
    """Raises `ValidationFailed` for other parameters in the query, and for one that is given twice."""
    if not request.query_string:
        return
    counted = Counter(name for name, _ in request.query.items())  # `keys()` has each once
    wrong = {name: ["This query parameter is not known here."] for name in counted if name not in known}
    wrong |= {
        name: ["This query parameter was given more than once."] for name, number in counted.items() if number > 1
    }
    if wrong:
        raise ValidationFailed(wrong)
