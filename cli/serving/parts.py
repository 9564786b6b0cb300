"""Parts of the server, each as the settings want it."""

import logging
import socket
from typing import TYPE_CHECKING

import click

from actors import limits
from actors.blobs import BlobStore
from actors.queries import Reads
from cli.opening.keys import Keys
from cli.serving.descriptors import connections_at_most
from cli.serving.listening import listen
from cli.settings import Settings
from server.auth.authentication import BrowserRules
from server.auth.passwords import Passwords
from server.auth.sign_ins import SignIns
from server.http.headers.peers import Proxies
from server.limits.password_tries import PasswordTries
from server.limits.rate_classes import RATE_CLASSES
from server.limits.rate_limits import RateLimiter
from server.limits.sockets import SocketLimits
from server.realtime.hub import Hub
from server.telemetry.metrics_access import MetricsAccess

if TYPE_CHECKING:  # it loads an HTTP client, which a server without a provider does not need
    from server.outbound.oidc import OidcClient
    from server.telemetry.tracing.opening import Tracing

logger = logging.getLogger("cli.serve")


def traced_reads(reads: Reads, tracing: "Tracing") -> Reads:
    from server.telemetry.tracing.reads import TracedReads

    return TracedReads(reads, tracing.tracer)


def traced_blobs(blobs: BlobStore, tracing: "Tracing") -> BlobStore:
    from server.telemetry.tracing.blobs import TracedBlobs

    return TracedBlobs(blobs, tracing.tracer)


def metrics_listener(chosen: Settings) -> socket.socket | None:
    port = chosen["metrics_port"]
    return None if port is None else listen(chosen["host"], port)


def metrics_access(chosen: Settings) -> MetricsAccess:
    return MetricsAccess(chosen["metrics"], chosen["metrics_token"], chosen["metrics_port"] is not None)


def sign_ins(chosen: Settings, keys: Keys, limiter: RateLimiter | None) -> SignIns:
    return SignIns(
        keys.own_key, chosen["auth_cookie"], keys.verifier.must_be_allowed, Passwords(), PasswordTries(limiter),
        _provider(chosen, keys),
    )  # fmt: skip


def limiter(chosen: Settings) -> RateLimiter:
    return RateLimiter({kind: chosen[f"rate_{kind}"] for kind in RATE_CLASSES})


def hub(chosen: Settings) -> Hub:
    if not chosen["rate_limits"]:
        return Hub(ping_seconds=chosen["ping_interval"])
    return Hub(
        ping_seconds=chosen["ping_interval"],
        per_user=chosen["max_connections_per_user"],
        per_address=chosen["max_connections_per_address"],
    )


def socket_limits(chosen: Settings) -> SocketLimits:
    in_all = connections_at_most()
    logger.info("at most %d connections, from the limit of file descriptors", in_all)
    if not chosen["rate_limits"]:
        return SocketLimits(in_all)
    of_address = chosen["max_connections_per_address"] + limits.SOCKETS_BESIDE
    return SocketLimits(in_all, min(of_address, max(1, in_all * 3 // 4)))


def _provider(chosen: Settings, keys: Keys) -> "OidcClient | None":
    if chosen["oidc_client_id"] is None:
        return None
    if chosen["public_url"] is None:
        raise click.ClickException("OIDC_CLIENT_ID requires PUBLIC_URL: the provider redirects browsers there.")
    from server.outbound.oidc import OidcClient, OidcSettings

    redirect_uri = chosen["public_url"].rstrip("/") + "/api/v1/auth/oauth/google/callback"
    try:
        provider = OidcSettings(
            chosen["oidc_issuer"], chosen["oidc_client_id"], chosen["oidc_client_secret"], redirect_uri,
            trusts_addresses=chosen["oidc_issuer"] in chosen["trusted_email_issuers"],
        )  # fmt: skip
        return OidcClient(provider, sealing_key=keys.own_key)
    except ValueError as error:
        raise click.ClickException(f"OIDC_ISSUER: {error}.") from error


def browser_rules(chosen: Settings) -> BrowserRules:
    return BrowserRules(
        chosen["auth_cookie"],
        frozenset(chosen["allowed_origins"]),
        chosen["auth_url"],
        public_url=chosen["public_url"],
        secure_cookies=chosen["cookie_secure"],
        proxies=Proxies(chosen["trusted_proxies"]),
    )
