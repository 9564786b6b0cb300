"""Documents that never change, compressed once. Nothing else is: what mixes secrets with what a stranger may choose
would tell the one by the length of the other (BREACH)."""

import asyncio
import gzip

from actors import limits
from server.api_docs.document import Document

_made: dict[str, bytes] = {}


async def compressed(document: Document) -> bytes | None:
    """By gzip; None where that is not worth it."""
    if len(document.body) < limits.COMPRESSED_BYTES:
        return None
    found = _made.get(document.digest)
    if found is None:
        found = await asyncio.to_thread(gzip.compress, document.body, mtime=0)  # a megabyte takes 50 ms
        if len(_made) < limits.COMPRESSED_KEPT:
            _made[document.digest] = found
    return found
