"""The keys that tokens are verified with: the secret, and what the issuer publishes."""

from dataclasses import dataclass, replace
from pathlib import Path

import click

from cli.settings import Settings
from server.auth.secret_file import load_or_create_secret
from server.auth.token_minting import own_key
from server.auth.tokens import KeySet, TokenRules, TokenVerifier
from server.outbound.jwks import JwksRefresher
from storage.private_files import make_folder

SECRET_FILE = "jwt-secret"  # noqa: S105 - a file's name


@dataclass(frozen=True, slots=True)
class Keys:
    verifier: TokenVerifier
    own_key: bytes
    """Signs the tokens of our own sessions."""
    refresher: JwksRefresher | None

    async def close(self) -> None:
        if self.refresher is not None:
            await self.refresher.close()


async def open_keys(chosen: Settings) -> Keys:
    """Raises `click.ClickException` with a sentence."""
    keys = KeySet()
    url = chosen["jwt_jwks_url"]
    try:
        own = own_key(secret_of(chosen) or _secret_of_data_folder(chosen))
        verifier = TokenVerifier(replace(rules_of(chosen, keys if url else None), own_key=own))
        refresher = JwksRefresher(url, keys) if url else None
    except ValueError as error:
        raise click.ClickException(f"{error}.") from error
    if refresher is not None:
        await refresher.start()
    return Keys(verifier, own, refresher)


def rules_of(chosen: Settings, keys: KeySet | None) -> TokenRules:
    return TokenRules(
        allowed_domains=chosen["allowed_domains"],
        secret=secret_of(chosen),
        keys=keys,
        issuer=chosen["jwt_issuer"],
        audience=chosen["jwt_audience"],
        trust_role_claim=chosen["trust_role_claim"],
    )


def secret_of(chosen: Settings) -> bytes | None:
    """The secret that was set; without any key at all one is made in the data folder, so that nothing need be set."""
    if chosen["jwt_secret"] is not None:
        return str(chosen["jwt_secret"]).encode()
    return None if chosen["jwt_jwks_url"] is not None else _secret_of_data_folder(chosen)


def source_of(chosen: Settings) -> str:
    """What tokens are signed by, in one word; see `storage.lock`."""
    if chosen["jwt_secret"] is not None:
        return "JWT_SECRET"
    return "JWT_JWKS_URL" if chosen["jwt_jwks_url"] is not None else SECRET_FILE


def existing_secret(chosen: Settings) -> bytes:
    """The secret that a server with these settings takes tokens by, to mint one; none is made here, for no server would
    know it. Raises `click.ClickException`."""
    from storage.lock import holder, holders_keys

    folder, mine = chosen["data_dir"], source_of(chosen)
    theirs = holders_keys(folder)
    if theirs == "JWT_SECRET" and mine != theirs:
        raise click.ClickException(
            f"The server that uses {folder} (pid {holder(folder)}) has JWT_SECRET set; set the same here."
        )
    if "JWT_JWKS_URL" in (mine, theirs) and mine != "JWT_SECRET":
        raise click.ClickException("Tokens come from the issuer of JWT_JWKS_URL here; set JWT_SECRET to mint some too.")
    if mine == SECRET_FILE and not (folder / SECRET_FILE).exists():
        raise click.ClickException(
            f"{folder.absolute()} has no {SECRET_FILE}: `xp serve` creates it. "
            "Give the server's folder with --data-dir, or set the same JWT_SECRET."
        )
    secret = secret_of(chosen)
    assert secret is not None
    return secret


def _secret_of_data_folder(chosen: Settings) -> bytes:
    folder: Path = chosen["data_dir"]
    try:
        make_folder(folder)
        secret, made = load_or_create_secret(folder / SECRET_FILE)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or folder}: {error.strerror}; DATA_DIR must be writable."
        ) from error
    except ValueError as error:
        raise click.ClickException(f"{error}.") from error
    if made:
        click.echo(f"Generated a secret for tokens in {folder / SECRET_FILE}; `xp token` uses it, too.", err=True)
    return secret
