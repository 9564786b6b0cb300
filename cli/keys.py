"""The keys that tokens are verified with: the secret, and what the issuer publishes."""

from dataclasses import dataclass, replace
from pathlib import Path

import click

from cli.settings import Settings
from server.outbound.jwks import JwksRefresher
from server.secret_file import load_or_create_secret
from server.token_minting import own_key
from server.tokens import KeySet, TokenRules, TokenVerifier
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
        click.echo(f"Made a secret for tokens in {folder / SECRET_FILE}; `xp token` uses the same one.", err=True)
    return secret
