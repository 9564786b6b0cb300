"""Why a user may not sign in, by the rules of the server."""

from typing import TYPE_CHECKING

import click

from cli.settings import Settings

if TYPE_CHECKING:
    from actors.resources.users import User


def why_not(user: "User", chosen: Settings) -> list[str]:
    """A sentence for each reason; none where they may."""
    from actors.errors import XpError
    from server.auth.tokens import TokenRules, TokenVerifier

    reasons = [] if user.status == "ACTIVE" else [f"The account is {user.status}."]
    try:
        TokenVerifier(TokenRules(chosen["allowed_domains"])).must_be_allowed(user.domain, user.email)
    except XpError as error:
        reasons.append(error.detail)
    return reasons


def warn(user: "User", chosen: Settings) -> None:
    """On stderr, where they may not come in with what was just made for them."""
    for reason in why_not(user, chosen):
        click.echo(f"The user may not sign in: {reason}", err=True)
