"""Settings that work, but weaken the server: what they mean, and what would be better."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from actors import limits
from cli.settings import Settings
from storage.blobs.location import S3Location, parse

PUBLIC_PROVIDERS = (
    "google.com", "googleapis.com", "microsoftonline.com", "apple.com", "facebook.com", "linkedin.com", "github.com",
    "githubusercontent.com", "gitlab.com",
)  # fmt: skip
"""Anyone can have an account there."""


@dataclass(frozen=True, slots=True)
class Hint:
    setting: str
    found: str
    advice: str

    @property
    def sentence(self) -> str:
        return f"{self.setting}: {self.found}. {self.advice}"


def hints(chosen: Settings) -> Iterator[Hint]:
    for look in LOOKING:
        yield from look(chosen)


def secret_hints(chosen: Settings) -> Iterator[Hint]:
    secret = chosen["jwt_secret"]
    if secret is not None and len(secret.encode()) < limits.SECRET_BYTES:
        yield Hint(
            "JWT_SECRET", f"{len(secret.encode())} bytes",
            f"Use a random one of at least {limits.SECRET_BYTES} bytes (openssl rand -base64 48), see RFC 7518: "
            "a short secret can be guessed, which allows signing in as any user.",
        )  # fmt: skip
    if secret is not None and len(set(secret)) < limits.SECRET_CHARACTERS_LEAST:
        yield Hint(
            "JWT_SECRET", f"{len(set(secret))} different characters",
            "Use a random one (openssl rand -base64 48): guessing it allows signing in as any user.",
        )  # fmt: skip


def _parties(chosen: Settings) -> Iterator[Hint]:
    if chosen["jwt_jwks_url"] is None:
        return
    if chosen["jwt_issuer"] is None:
        yield Hint(
            "JWT_ISSUER", "not set, while JWT_JWKS_URL is",
            "Set it: if several tenants share keys, each of them can issue tokens for this server.",
        )  # fmt: skip
    if chosen["jwt_audience"] is None:
        yield Hint(
            "JWT_AUDIENCE", "not set, while JWT_JWKS_URL is",
            "Set it: otherwise the issuer's tokens for other applications are accepted, too.",
        )  # fmt: skip


def _roles(chosen: Settings) -> Iterator[Hint]:
    host = urlsplit(chosen["jwt_jwks_url"] or "").hostname or ""
    public = any(host == provider or host.endswith(f".{provider}") for provider in PUBLIC_PROVIDERS)
    if public and chosen["trust_role_claim"]:
        yield Hint(
            "TRUST_ROLE_CLAIM", f"on, for the tokens of {host}",
            "Set it to off: a public issuer should not decide who administers this server.",
        )  # fmt: skip


def _domains(chosen: Settings) -> Iterator[Hint]:
    if not chosen["allowed_domains"]:
        yield Hint("ALLOWED_DOMAINS", "none", "List the domains of your users: nobody can sign in.")


def _cookies(chosen: Settings) -> Iterator[Hint]:
    if not chosen["cookie_secure"] and not _is_loopback(chosen["host"]):
        yield Hint(
            "COOKIE_SECURE", f"off, while HOST is {chosen['host']}",
            "Use HTTPS and set it to on: session cookies are sent unencrypted.",
        )  # fmt: skip


def _origins(chosen: Settings) -> Iterator[Hint]:
    for origin in chosen["allowed_origins"]:
        parts = urlsplit(origin)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            yield Hint(
                "ALLOWED_ORIGINS", f"{origin} is not encrypted",
                "Allow only https: an attacker on the network can change that page, and act as its users.",
            )  # fmt: skip


def _proxies(chosen: Settings) -> Iterator[Hint]:
    for network in chosen["trusted_proxies"]:
        if network.prefixlen == 0:
            yield Hint(
                "TRUSTED_PROXIES", f"{network} is any address",
                "List only your proxies: any client can claim another address, in rate limits and the audit log.",
            )  # fmt: skip


def _rates(chosen: Settings) -> Iterator[Hint]:
    if not chosen["rate_limits"]:
        yield Hint("RATE_LIMITS", "off", "Set it to on if others can reach the server: passwords can be guessed.")


def _file_store(chosen: Settings) -> Iterator[Hint]:
    location = parse(chosen["blob_url"] or "")
    endpoint = (location.endpoint if isinstance(location, S3Location) else None) or ""
    if endpoint.startswith("http://") and not _is_loopback(urlsplit(endpoint).hostname or ""):
        yield Hint(
            "BLOB_URL", f"{endpoint} is not encrypted",
            "Use https, except in a network of your own: files pass readable between server and store.",
        )  # fmt: skip


def _backups(chosen: Settings) -> Iterator[Hint]:
    makes = next((key for key in ("backup_schedule", "backup_continuous") if chosen[key] is not None), None)
    if makes is None:
        return
    if not chosen["backup_key"]:
        yield Hint(
            "BACKUP_KEY", f"not set, while {makes.upper()} is",
            "Set it (openssl rand -base64 32), and keep it elsewhere: who can read the backups reads everything.",
        )  # fmt: skip
    if chosen["backup_url"] is None:
        yield Hint(
            "BACKUP_URL", f"not set, while {makes.upper()} is",
            "Set it to another disk or a bucket: backups in DATA_DIR are lost with the database.",
        )  # fmt: skip


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


LOOKING: tuple[Callable[[Settings], Iterator[Hint]], ...] = (
    secret_hints, _parties, _roles, _domains, _cookies, _origins, _proxies, _rates, _file_store, _backups,
)  # fmt: skip
