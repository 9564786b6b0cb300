"""The state of a thread, read for its actor."""

import logging
from dataclasses import dataclass

from actors.errors import Internal, XpError
from actors.ports import ThreadLoader
from actors.threads.state import ThreadState

logger = logging.getLogger("actors.thread")


@dataclass(frozen=True, slots=True)
class Loaded:
    state: ThreadState | XpError | None
    """None: there is no such thread. An error: it could not be read now."""


async def load_state(load: ThreadLoader, thread_id: str) -> Loaded:
    """Raises nothing: after a failure, too, each caller of the actor gets a reply."""
    try:
        return Loaded(await load(thread_id))
    except XpError as error:
        return Loaded(error)
    except Exception:
        logger.exception("the state of thread %s could not be read", thread_id)
        return Loaded(Internal())
