"""Records of other resources that threads carry, as these declare them."""

from typing import Final

import actors.resources
from actors.modules import declared_in
from actors.resources.threads import ThreadPart

THREAD_PARTS: Final = declared_in(actors.resources, ThreadPart)
FIELDS: Final = tuple(field for part in THREAD_PARTS for field in part.fields)
BY_RECORD: Final = {part.record: part for part in THREAD_PARTS}
