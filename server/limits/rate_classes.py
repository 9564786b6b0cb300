"""What of an operation its rate limit depends on."""

from typing import Final, Literal, Protocol, get_args

Access = Literal["open", "optional", "user", "admin"]
"""Open to all; open, with an optional identity; for users; for admins."""
RateClass = Literal["auth", "read", "write", "admin", "audited", "costly"]
"""`audited`: leaves an entry in the audit log for good, or hashes a password. `costly`: looks through much of what
there is. Each has a bucket of its own, beside those of what is cheap."""
RATE_CLASSES: Final[tuple[RateClass, ...]] = get_args(RateClass)


class Limited(Protocol):
    """An operation, as far as its rate is limited."""

    @property
    def name(self) -> str: ...

    @property
    def access(self) -> Access: ...

    @property
    def rate(self) -> RateClass: ...
