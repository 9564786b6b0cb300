"""Search over messages, the titles of threads, files, and artifacts."""

from typing import Any

from actors.resources.search import FindHits, Hit, Search
from actors.search_kinds import BY_PLURAL
from server.api import render
from server.api.registry import Call, Operations, Result
from server.resources.search.views import SearchHitView, SearchRequest

operations = Operations("search")


@operations("GET", "/search", response=SearchHitView, paged=True, rate="costly")
async def search(call: Call, request: SearchRequest) -> Result:
    """Find messages, titles of threads, files in threads, and artifacts by their words: what you may see now.

    `metadata.indexed_up_to` is null, or, while an old database is being indexed, the time up to which it is indexed.
    """
    asked = Search(
        text=request.q, thread_id=request.thread_id, author_id=request.author_id, type=request.type,
        kind=BY_PLURAL[request.kind].name if request.kind else None, has=request.has, after=request.after,
        before=request.before, everything=request.all, sort=request.sort,
    )  # fmt: skip
    found = await call.services.ask(FindHits(call.identity, asked, limit=request.limit, cursor=request.cursor))
    return Result(
        [hit_view(hit) for hit in found.hits],
        next_cursor=found.next_cursor,
        limit=request.limit,
        extra={"indexed_up_to": render.maybe_time(found.indexed_up_to)},
    )


def hit_view(hit: Hit) -> dict[str, Any]:
    return {
        "kind": hit.kind,
        "id": hit.id,
        "score": hit.score,
        "snippet": [{"text": piece.text, "hit": piece.hit} for piece in hit.snippet],
        "message": render.message(hit.message) if hit.message else None,
        "thread": {"id": hit.thread_id, "title": hit.title},
    }
