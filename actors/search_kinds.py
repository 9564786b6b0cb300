"""Everything that a search may find, as the resources declare it."""

from typing import Final

import actors.resources
from actors.modules import declared_in
from actors.resources.search import SearchKind

SEARCH_KINDS: Final = declared_in(actors.resources, SearchKind)
BY_PLURAL: Final = {kind.plural: kind for kind in SEARCH_KINDS}
