"""Settings: environment variables in capitals, and flags of `xp serve` by the same name. One table."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from actors import limits
from actors.backups import keeping, schedule
from cli import settings_file
from server.http.origins import origin_of
from server.limits.token_bucket import rate
from server.outbound.scanner import location as scanner
from server.previews.convert_command import parse_convert_command
from storage.backups.keys import parse_keys
from storage.blobs import location

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


def _is_number(text: str) -> bool:
    """Digits of other scripts are decimal to Python, but not to who reads a setting."""
    return text.isascii() and text.isdecimal() and len(text) < 20


def _port(text: str) -> int:
    if not (_is_number(text) and int(text) < 65_536):
        raise ValueError("expected a port from 0 to 65535")
    return int(text)


def _maybe_port(text: str) -> int | None:
    return _port(text) if text else None


def _count(text: str) -> int:
    if not (_is_number(text) and 0 < int(text) < 10**9):
        raise ValueError("expected a number above 0")
    return int(text)


def _maybe_count(text: str) -> int | None:
    return _count(text) if text else None


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
    try:
        return tuple(map(origin_of, _list(text)))  # as browsers send them
    except ValueError as error:
        raise ValueError(f"expected origins such as https://app.example.com, joined by commas: {error}") from None


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(map(ipaddress.ip_network, _list(text)))
    except ValueError as error:
        raise ValueError(f"expected addresses or networks such as 10.0.0.0/8, joined by commas: {error}") from None


def _optional(text: str) -> str | None:
    return text or None


def _url(text: str) -> str | None:
    return _address(text) if text else None


def _address(text: str) -> str:
    """A URL that can be reached: with a host, a port that exists, and no password in it."""
    expected = "expected an http or https URL such as https://chat.example.com"
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        valid = False
    if not valid or set(text) & set(' \\<>"{}|^`'):
        raise ValueError(expected)
    return text


def _url_with_key(text: str) -> str | None:
    """A DSN of Sentry: its key stands where a user name does."""
    if not text:
        return None
    if not re.fullmatch(r"https?://[^@/\s]+@[^@/\s]+(/[^\s]*)?/[0-9]+", text):
        raise ValueError("expected a DSN such as https://KEY@sentry.example.com/1")
    return text


def _base_url(text: str) -> str | None:
    """Paths are joined to it."""
    if set(text) & set("?#"):
        raise ValueError("expected a URL without a query and a fragment")
    return _url(text)


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError("expected an address or a host name, without a port")
    return text


def _cookie_name(text: str) -> str:
    """A token of RFC 6265: anything else would fail in each answer that sets the cookie."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        raise ValueError("expected a name of letters, digits and !#$%&'*+-.^_`|~")
    return text


def _channel_patterns(text: str) -> tuple[str, ...]:
    patterns = _list(text)
    for pattern in patterns:
        if any(map(str.isspace, pattern)) or pattern.startswith(("thread:", "user:", "artifact:")):
            raise ValueError(f"expected names of live channels such as cursor:*, joined by commas; got {pattern!r}")
    return patterns


def _scan_url(text: str) -> str | None:
    if text:
        scanner.parse(text)
    return text or None


def _office_command(text: str) -> str:
    parse_convert_command(text)
    return text


def _folder(text: str) -> Path | None:
    if text and not Path(text).is_dir():
        raise ValueError("expected a folder that is there")
    return Path(text) if text else None


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", text):
        raise ValueError("expected the name of a region such as eu-central-1")
    return text


def _blob_url(text: str) -> str | None:
    if text:
        location.parse(text)
    return text or None


def _schedule(text: str) -> schedule.Schedule | None:
    return schedule.parse(text) if text else None


def size(text: str) -> int:
    """`1500`, `64K`, `100M`, `2G`: bytes, by powers of 1024."""
    match = re.fullmatch(r"([0-9]{1,12})\s*([KMGT]?)i?B?", text, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a number of bytes such as 100M or 2G")
    return int(match[1]) << 10 * " KMGT".index(match[2].upper() or " ")


def _maybe_size(text: str) -> int | None:
    return size(text) if text else None


def _media_types(text: str) -> tuple[str, ...]:
    types = tuple(each.lower() for each in _list(text))
    for each in types:
        if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.+-]+|\*)", each):
            raise ValueError(f"expected media types such as image/*,application/pdf; got {each!r}")
    return types


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text.lower()

    return read


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", _host, "Address to listen on; 0.0.0.0 for all."),
    Setting("PORT", "8787", _port, "Port to listen on; 0 for any free one."),
    Setting("DATA_DIR", "data", Path, "Folder of the database and of the generated secret."),
    Setting("JWT_SECRET", "", _optional, "Secret of HS256 tokens, 32 bytes or more; else one in DATA_DIR.", True),
    Setting("JWT_JWKS_URL", "", _url, "URL of the issuer's public keys (RS256, ES256, EdDSA)."),
    Setting("JWT_ISSUER", "", _optional, "Required `iss` of tokens."),
    Setting("JWT_AUDIENCE", "", _optional, "Required `aud` of tokens."),
    Setting("BLOB_URL", "", _blob_url, "Store of files: a folder, or s3://BUCKET/PREFIX; else DATA_DIR/blobs."),
    Setting("BLOB_REDIRECT", "off", _switch, "on: downloads are redirected to signed URLs of the S3 store."),
    Setting("PREVIEWS", "on", _switch, "off: no previews of files, and no search in their text."),
    Setting("PREVIEW_WORKERS", "2", _count, "Processes that make previews."),
    Setting("OFFICE_COMMAND", "", _office_command, "Makes a PDF: soffice … --outdir {output_dir} {input}."),
    Setting("EXPORT_WORKERS", "1", _count, "Processes that draw charts and make PDF."),
    Setting("FONT_DIR", "", _folder, "Folder of fonts for charts and PDF, beside those of the system."),
    Setting("SCAN_REQUIRED", "on", _switch, "off: while the scanner does not answer, files pass without a look."),
    Setting("FILE_BYTES", "100M", size, "Bytes of one file at most, such as 100M or 2G."),
    Setting("FILE_TYPES", "", _media_types, "Types of files that are taken: image/*,application/pdf; empty: all."),
    Setting("FILE_TYPES_BLOCKED", "", _media_types, "Types of files that are refused."),
    Setting("QUOTA_USER", "", _maybe_size, "Bytes of files of one user at most; empty: no limit."),
    Setting("QUOTA_THREAD", "", _maybe_size, "Bytes of files in one thread at most."),
    Setting("QUOTA_SERVER", "", _maybe_size, "Bytes of files on the server at most."),
    Setting("FILE_VERSIONS", "", _maybe_count, "Newest versions of a file that are kept; empty: all."),
    Setting("FILE_UNUSED_DAYS", "", _maybe_count, "After so long a file that nothing shows goes; empty: never."),
    Setting("FILE_PENDING_DAYS", str(limits.FILE_PENDING_DAYS), _count, "The same, of one whose bytes never came."),
    Setting(
        "ARTIFACT_VERSIONS", "100", _count,
        "Versions kept of each artifact; older ones without a label are dropped, the newest and labelled ones never.",
    ),
    Setting(
        "DOCUMENT_VERSION_SECONDS", "10", _seconds,
        "Seconds without an edit, after which what was edited together becomes a version of the artifact.",
    ),
    Setting("AWS_ACCESS_KEY_ID", "", _optional, "Access key of an S3 store; else as AWS's own tools find one."),
    Setting("AWS_REGION", "us-east-1", _region, "Region of an S3 store whose URL names none."),
    Setting("AWS_SECRET_ACCESS_KEY", "", _optional, "Secret of the access key.", True),
    Setting("AWS_SESSION_TOKEN", "", _optional, "Session token of a temporary access key.", True),
    Setting("SCAN_URL", "", _scan_url, "Scanner of files: clamd://HOST:PORT, clamd+unix:///PATH, exec:/COMMAND."),
    Setting("WEBHOOK_NETWORKS", "", _networks, "Networks inside that webhooks may reach, also by plain HTTP."),
    Setting("ALLOWED_DOMAINS", "rpotential.ai,globant.com", _list, "Domains whose users may sign in; * for any."),
    Setting("TRUST_ROLE_CLAIM", "on", _switch, "Whether `role` and `kind` in a token are trusted."),
    Setting("AUTH_COOKIE", "rpotential_auth", _cookie_name, "Name of the cookie that may carry the token."),
    Setting("COOKIE_SECURE", "on", _switch, "off: browsers also send the cookies over plain HTTP."),
    Setting("PUBLIC_URL", "", _base_url, "URL of this server for browsers, such as https://chat.example.com."),
    Setting("OIDC_ISSUER", "https://accounts.google.com", _address, "Identity provider of /auth/oauth/google."),
    Setting("TRUSTED_EMAIL_ISSUERS", "", _list, "Providers whose e-mail addresses are always trusted."),
    Setting("OIDC_CLIENT_ID", "", _optional, "Client id at the provider; without it no such sign-in."),
    Setting("OIDC_CLIENT_SECRET", "", str, "Client secret at the provider.", True),
    Setting("AUTH_URL", "", _url, "Sign-in page for browsers without a token."),
    Setting("ALLOWED_ORIGINS", "", _origins, "Origins of other pages that may call this server (CORS)."),
    Setting("TRUSTED_PROXIES", "", _networks, "Networks of proxies that set X-Forwarded-*: 10.0.0.0/8, ::1."),
    Setting("LIVE_CHANNELS", "", _channel_patterns, "Live channels open to all signed-in users: cursor:*,ticker:*."),
    Setting("RATE_LIMITS", "on", _switch, "off only for benchmarks and tests; also disables connection limits."),
    Setting("RATE_READ", limits.RATE_READ, rate, "Reads of one user: a rate per s or min, and a burst."),
    Setting("RATE_WRITE", limits.RATE_WRITE, rate, "Writes of one user."),
    Setting("RATE_ADMIN", limits.RATE_ADMIN, rate, "Administration by one user."),
    Setting("RATE_AUDITED", limits.RATE_AUDITED, rate, "Exports, API keys and passwords of one user."),
    Setting("RATE_COSTLY", limits.RATE_COSTLY, rate, "Searches and long lists of one user."),
    Setting("RATE_AUTH", limits.RATE_AUTH, rate, "Failed attempts to sign in from one address."),
    Setting("MAX_CONNECTIONS_PER_USER", str(limits.CONNECTIONS_PER_USER), _count, "WebSockets and streams of a user."),
    Setting("MAX_CONNECTIONS_PER_ADDRESS", str(limits.CONNECTIONS_PER_ADDRESS), _count, "Those of an address."),
    Setting("PING_INTERVAL", "25", _seconds, "Seconds between pings of a WebSocket."),
    Setting("PROBLEM_BASE", "https://experience.rpotential.dev/problems", _base_url, "Base URL of problem types."),
    Setting("SYNCHRONOUS", "FULL", _one_of("full", "normal"), "FULL survives a power cut, NORMAL only a crash."),
    Setting("BACKUP_SCHEDULE", "", _schedule, "Backups: an interval such as 6h, or five fields of cron in UTC."),
    Setting("BACKUP_URL", "", _blob_url, "Where they go: a folder, or s3://BUCKET/PREFIX; else DATA_DIR/backups."),
    Setting("BACKUP_KEY", "", parse_keys, "32 bytes in base64 that encrypt them; earlier keys after a comma.", True),
    Setting("BACKUP_KEEP", "newest=3,hourly=24,daily=7,weekly=5", keeping.parse, "Which backups are kept."),
    Setting("METRICS", "127.0.0.0/8,::1", _networks, "Networks whose scrapers may read /metrics."),
    Setting("METRICS_TOKEN", "", _optional, "Bearer token with which any network may read /metrics.", True),
    Setting("METRICS_PORT", "", _maybe_port, "Port of its own for /metrics, on HOST; then PORT has none."),
    Setting("STATUS_PAGE", "admins", _one_of("admins", "public"), "public: /status, without what is secret, for all."),
    Setting("SENTRY_DSN", "", _url_with_key, "Sentry project that unhandled errors are sent to; extra `sentry`.", True),
    Setting("LOG_LEVEL", "info", _one_of("debug", "info", "warning", "error"), "info logs some requests, debug all."),
    Setting("LOG_FORMAT", "auto", _one_of("auto", "text", "json"), "auto: text on a terminal, JSON elsewhere."),
)  # fmt: skip
BY_KEY: Mapping[str, Setting] = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked: `settings["port"]`."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    """Key → flag, environment, the name of the settings file, or default."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name → what was given, secrets too: the environment of a command with the same settings."""

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def load(flags: Mapping[str, str | None] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Flags before environment before settings file before defaults; what is empty is not set.

    Raises `click.ClickException` with one sentence for a wrong one.
    """
    environment = os.environ if environment is None else environment
    file = settings_file.read(_named_file(), {setting.name for setting in SETTINGS})
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        text, source = _choose(setting, flags or {}, environment, file)
        texts[setting.name] = text
        try:
            values[setting.key], sources[setting.key] = setting.read(_clean(text, setting)), source
        except ValueError as error:
            shown = "a secret" if setting.secret else repr(text)
            raise click.ClickException(f"{setting.name}: {error}; {shown} came from the {source}.") from None
    return Settings(values, sources, texts)


def _choose(
    setting: Setting, flags: Mapping[str, str | None], environment: Mapping[str, str], file: settings_file.Found
) -> tuple[str, str]:
    """What is empty is passed over: compose files and scripts leave `NAME=` where nothing was chosen."""
    places = (
        (flags.get(setting.key), "flag"),
        (environment.get(setting.name), "environment"),
        (file.values.get(setting.name), f"file {file.path}"),
    )
    return next(((text, source) for text, source in places if text and text.strip()), (setting.default, "default"))


def _clean(text: str, setting: Setting) -> str:
    """Raises `ValueError`. A secret is taken as it is, to the last blank."""
    if not text.isprintable():
        raise ValueError("expected text without control characters, in UTF-8")
    return text if setting.secret else text.strip()


def shown(chosen: Settings) -> dict[str, str | None]:
    """Name → value as people read it: secrets masked, None where nothing is set."""
    return {setting.name: _shown(setting, chosen[setting.key]) for setting in SETTINGS}


def _shown(setting: Setting, value: object) -> str | None:
    if value in (None, (), ""):
        return None
    if setting.secret:
        return "••••••••"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


_FILE = "cli.settings.file"


def _named_file() -> Path | None:
    """The file that `--config` named, on this command or one above."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_FILE) if context else None


def _remember_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        context.meta[_FILE] = path


_config_option = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), expose_value=False, is_eager=True, metavar="FILE",
    callback=_remember_file, help="File of settings, one NAME=value per line.  [default: .env, if it exists]",
)  # fmt: skip


def options(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Flags for these settings; all of them without a choice. They arrive as text or None, for `load`."""
    chosen = [BY_KEY[key] for key in keys] if keys else list(SETTINGS)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for setting in reversed(chosen):
            default = setting.default or "none"
            shown = f"{setting.help}  [{setting.name}; {default}]"
            command = click.option(setting.flag, setting.key, default=None, metavar="TEXT", help=shown)(command)
        return _config_option(command)

    return decorate
