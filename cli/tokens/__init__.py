"""`xp token`: tokens signed by the server's own secret, what a token says, and revocation."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "mint": ("cli.tokens.mint:command", "Print a token, and nothing else"),
    "inspect": ("cli.tokens.inspect:command", "Show the claims of a token, and whether this server accepts it"),
    "revoke": ("cli.tokens.revoke:command", "Revoke another issuer's token"),
}


class _Minting(LazyGroup):
    """`xp token --ttl 1h` is `xp token mint --ttl 1h`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.entries, *self.get_help_option_names(ctx)):
            args = ["mint", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Minting, entries=COMMANDS)
def command() -> None:
    """Mint, inspect and revoke tokens.

    Without a verb it prints a token of an ADMIN, for testing.

    Example: curl -H "Authorization: Bearer $(xp token)" http://127.0.0.1:8787/api/v1/users/me
    """
