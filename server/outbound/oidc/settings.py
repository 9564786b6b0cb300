"""What was agreed with the provider when this server was registered there."""

from dataclasses import dataclass, field

from server.outbound.jwks import _is_safe as is_safe


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Raises `ValueError`, with a sentence for an operator, for what cannot work or could be tampered with."""

    issuer: str
    """As the provider spells it, to the last slash: `https://accounts.google.com`."""
    client_id: str
    client_secret: str = field(repr=False)
    """Empty for a public client."""
    redirect_uri: str
    trusts_addresses: bool = False
    """Whether an e-mail address counts as verified where the provider does not say so: Entra ID never does."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")

    def __post_init__(self) -> None:
        if not is_safe(self.issuer) or "?" in self.issuer or "#" in self.issuer:
            raise ValueError(
                f"the issuer must be https (http only on loopback), without query or fragment, got {self.issuer!r}"
            )
        if not self.client_id:
            raise ValueError("the client id must not be empty")
        if "openid" not in self.scopes:
            raise ValueError(f"the scopes must name `openid`, got {' '.join(self.scopes)!r}")
