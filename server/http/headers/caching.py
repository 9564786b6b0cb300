"""What may be kept of an answer: every answer says one of these. Pure.

Whatever is kept is asked for by its ETag each time, so rights are asked anew; only what is the same for everyone for
good, because its address changes with it, is not asked for again.
"""

from typing import Final

NOT_KEPT: Final = "no-store"
"""By default: problems, secrets, what only administrators see, streams, what is counted when it is opened."""
ASKED_FOR: Final = "private, no-cache"
"""What has an ETag may be kept by its reader, who asks each time whether they may still have it, and it is still so:
then 304 answers without the bytes."""
BY_IDENTITY: Final = "Authorization, Cookie"
"""`Vary` of what is kept by its reader: another user of the same browser gets another answer."""
ASKED_FOR_BY_ALL: Final = "public, no-cache"
"""The same of what its URL alone decides: documents, and what a signed URL shows. Caches between may keep it."""
FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""Its URL has a digest of it."""
