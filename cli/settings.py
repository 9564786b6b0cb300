"""Settings: environment variables in capitals, and flags of `xp serve` by the same name. One table."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from actors import limits
from server.realtime.throttle import rate

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    """Of the environment variable; the flag is `--` and the same in small letters with dashes."""
    default: str
    read: Callable[[str], Any]
    help: str
    secret: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.lower().replace("_", "-")

    @property
    def key(self) -> str:
        return self.name.lower()


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise ValueError("expected a port from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 10**9):
        raise ValueError("expected a number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("expected a number of seconds") from None
    if not 0 < seconds < 1e9:
        raise ValueError("expected a number of seconds above 0")
    return seconds


def _switch(text: str) -> bool:
    if text.lower() in ("on", "true", "yes", "1"):
        return True
    if text.lower() in ("off", "false", "no", "0"):
        return False
    raise ValueError("expected on or off")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _origins(text: str) -> tuple[str, ...]:
    for origin in _list(text):
        scheme, _, host = origin.partition("://")
        if scheme not in ("http", "https") or not host or set(host) & set("/*@?# "):
            raise ValueError(f"expected origins such as https://app.example.com, joined by commas; got {origin!r}")
    return tuple(origin.lower() for origin in _list(text))  # as browsers send them


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(map(ipaddress.ip_network, _list(text)))
    except ValueError as error:
        raise ValueError(f"expected addresses or networks such as 10.0.0.0/8, joined by commas: {error}") from None


def _optional(text: str) -> str | None:
    return text or None


def _url(text: str) -> str | None:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("expected an http or https URL")
    return text or None


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text.lower()

    return read


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", str, "Address to listen on; 0.0.0.0 for all."),
    Setting("PORT", "8787", _port, "Port to listen on; 0 for any free one."),
    Setting("DATA_DIR", "data", Path, "Folder of the database and of the secret that the server makes for itself."),
    Setting("JWT_SECRET", "", _optional, "Secret of HS256 tokens, from 32 bytes; made in DATA_DIR if unset.", True),
    Setting("JWT_JWKS_URL", "", _url, "Where the issuer publishes its keys (RS256, ES256, EdDSA)."),
    Setting("JWT_ISSUER", "", _optional, "Required `iss` of tokens."),
    Setting("JWT_AUDIENCE", "", _optional, "Required `aud` of tokens."),
    Setting("ALLOWED_DOMAINS", "rpotential.ai,globant.com", _list, "Domains whose users may come in."),
    Setting("TRUST_ROLE_CLAIM", "on", _switch, "Whether a token's `role` and `kind` are taken from its issuer."),
    Setting("AUTH_COOKIE", "rpotential_auth", str, "Name of the cookie that may carry the token."),
    Setting("COOKIE_SECURE", "on", _switch, "off: browsers send the cookies over plain HTTP, too."),
    Setting("PUBLIC_URL", "", _url, "Where browsers find this server, such as https://chat.example.com."),
    Setting("OIDC_ISSUER", "https://accounts.google.com", str, "Identity provider that /auth/oauth/google goes to."),
    Setting("OIDC_CLIENT_ID", "", _optional, "What the provider calls this server; none: no such sign-in."),
    Setting("OIDC_CLIENT_SECRET", "", str, "What this server proves itself with to the provider.", True),
    Setting("AUTH_URL", "", _url, "Where a browser without a token is sent to sign in."),
    Setting("ALLOWED_ORIGINS", "", _origins, "Origins beside the server's own that may use the cookie."),
    Setting("TRUSTED_PROXIES", "", _networks, "Networks of proxies that may say for whom they ask: 10.0.0.0/8, ::1."),
    Setting("LIVE_CHANNELS", "", _list, "Names of live channels open to all who are signed in: cursor:*,ticker:*."),
    Setting("RATE_LIMITS", "on", _switch, "off for benchmarks and tests; connections are not counted then, either."),
    Setting("RATE_READ", limits.RATE_READ, rate, "Reads of one user or API key: so many per s or min, and a burst."),
    Setting("RATE_WRITE", limits.RATE_WRITE, rate, "Writes of one user or API key."),
    Setting("RATE_ADMIN", limits.RATE_ADMIN, rate, "Administration by one user or API key."),
    Setting("RATE_AUTH", limits.RATE_AUTH, rate, "Signing in from one address."),
    Setting("MAX_CONNECTIONS_PER_USER", str(limits.CONNECTIONS_PER_USER), _count, "WebSockets and streams together."),
    Setting("MAX_CONNECTIONS_PER_ADDRESS", str(limits.CONNECTIONS_PER_ADDRESS), _count, "The same, of an address."),
    Setting("PING_INTERVAL", "25", _seconds, "Seconds between pings of a WebSocket."),
    Setting("PROBLEM_BASE", "https://experience.rpotential.dev/problems", str, "Where problem types point to."),
    Setting("SYNCHRONOUS", "FULL", _one_of("full", "normal"), "FULL survives a power cut, NORMAL only a crash."),
    Setting("LOG_LEVEL", "info", _one_of("debug", "info", "warning", "error"), "What is logged; debug adds requests."),
    Setting("LOG_FORMAT", "auto", _one_of("auto", "text", "json"), "auto: text on a terminal, JSON elsewhere."),
)  # fmt: skip
BY_KEY: Mapping[str, Setting] = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked: `settings["port"]`."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    """Key → flag, environment or default."""

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def load(flags: Mapping[str, str | None] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Flags before environment before defaults. Raises `click.ClickException` with one sentence for a wrong one."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        text, sources[setting.key] = _choose(setting, flags or {}, environment)
        try:
            values[setting.key] = setting.read(text)
        except ValueError as error:
            shown = "a secret" if setting.secret else repr(text)
            raise click.ClickException(
                f"{setting.name}: {error}; {shown} came from the {sources[setting.key]}."
            ) from None
    return Settings(values, sources)


def _choose(setting: Setting, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> tuple[str, str]:
    flag = flags.get(setting.key)
    if flag is not None:
        return flag, "flag"
    if setting.name in environment:
        return environment[setting.name], "environment"
    return setting.default, "default"


def options(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Flags for these settings; all of them without a choice. They arrive as text or None, for `load`."""
    chosen = [BY_KEY[key] for key in keys] if keys else list(SETTINGS)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for setting in reversed(chosen):
            default = setting.default or "none"
            shown = f"{setting.help}  [{setting.name}; {default}]"
            command = click.option(setting.flag, setting.key, default=None, metavar="TEXT", help=shown)(command)
        return command

    return decorate
