"""What goes through the pipeline beside the operations: bytes, streams, sockets of documents, pages. Each is declared
once, under the name that it has in OpenAPI."""

from dataclasses import dataclass

from actors.auth.identity import Identity, Scope
from server.api.registry import must_have_scope
from server.files.downloads.signed_urls import SIGNED_BY
from server.limits.rate_classes import Access, RateClass


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    """Of its operation in OpenAPI; refusals are kept under it."""
    scope: Scope = "read"
    """What an API key must be allowed."""
    rate: RateClass = "read"
    """Which bucket it draws from. `write` is activity of the user."""
    access: Access = "user"
    """`open` with `takes_signature`: nothing but the signature is asked for."""
    takes_signature: bool = False
    parameters: tuple[str, ...] | None = ()
    """Of its query, beside those of a signature. None for a page: links collect more of them, which do no harm."""

    @property
    def known(self) -> tuple[str, ...] | None:
        """All parameters of its query; None where all are taken."""
        if self.parameters is None or not self.takes_signature:
            return self.parameters
        return (*self.parameters, *SIGNED_BY)

    def must_allow(self, identity: Identity) -> None:
        """Raises `Forbidden` where the credential (not the user) may not."""
        if self.access in ("user", "admin"):
            must_have_scope(identity, self.scope, self.name)
