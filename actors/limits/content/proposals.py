"""Proposals to change artifacts, and comments on them."""

from typing import Final

from actors.limits.units import KIB

PROPOSALS_OPEN: Final = 50
"""Of one artifact: members could not review more."""
PROPOSALS_KEPT: Final = 100
"""Resolved proposals of one artifact that keep their patches; of older ones there stays what became of them."""
PROPOSALS_ERASED: Final = 50
"""In one step, when what a user has said is erased."""
PROPOSAL_HUNKS: Final = 200
"""Places that one proposal changes: each is compared with each change that was made meanwhile."""
PROPOSAL_BYTES: Final = 256 * KIB
"""Of what a proposal takes away and puts in its place, as JSON."""
PROPOSAL_LINES: Final = 2_000
"""Of a text whose lines are matched, which takes 0.1 s; a longer one is compared from both ends."""
PROPOSAL_REWRITTEN: Final = 1_000
"""Hunks between base and newest version, beyond which all of a proposal is in conflict: it is another content."""
COMMENT_CHARS: Final = 4_000
"""Of a comment on an artifact, and of what a proposal says about itself: a page."""
