"""Every setting: environment variables in capitals, and flags of `xp serve` by the same name. One table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors import limits
from actors.backups import keeping
from cli.settings.values import (
    address,
    backup_schedule,
    base_url,
    blob_url,
    channel_patterns,
    contact,
    cookie_name,
    count,
    folder,
    fraction,
    host,
    listed,
    mail_addresses,
    mail_sender,
    mail_server,
    maybe_count,
    maybe_days,
    maybe_port,
    maybe_size,
    media_types,
    networks,
    office_command,
    one_of,
    optional,
    origins,
    port,
    region,
    scan_url,
    seconds,
    shipping_interval,
    size,
    switch,
    thread_id,
    url,
    url_with_key,
)
from server.limits.token_bucket import rate
from server.telemetry.alerts import rules
from storage.backups.keys import parse_keys

SAMPLERS = (
    "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off",
    "traceidratio",
)  # fmt: skip


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


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", host, "Address to listen on; 0.0.0.0 for all."),
    Setting("PORT", "8787", port, "Port to listen on; 0 for any free one."),
    Setting("DATA_DIR", "data", Path, "Folder of the database and of the generated secret."),
    Setting("JWT_SECRET", "", optional, "Secret of HS256 tokens, 32 bytes or more; else one in DATA_DIR.", True),
    Setting("JWT_JWKS_URL", "", url, "URL of the issuer's public keys (RS256, ES256, EdDSA)."),
    Setting("JWT_ISSUER", "", optional, "Required `iss` of tokens."),
    Setting("JWT_AUDIENCE", "", optional, "Required `aud` of tokens."),
    Setting("BLOB_URL", "", blob_url, "Store of files: a folder, or s3://BUCKET/PREFIX; else DATA_DIR/blobs."),
    Setting("BLOB_REDIRECT", "off", switch, "on: downloads are redirected to signed URLs of the S3 store."),
    Setting("PREVIEWS", "on", switch, "off: no previews of files, and no search in their text."),
    Setting("PREVIEW_WORKERS", "2", count, "Processes that make previews."),
    Setting("OFFICE_COMMAND", "", office_command, "Makes a PDF: soffice … --outdir {output_dir} {input}."),
    Setting("EXPORT_WORKERS", "1", count, "Processes that draw charts and make PDF."),
    Setting("FONT_DIR", "", folder, "Folder of fonts for charts and PDF, beside those of the system."),
    Setting("SCAN_REQUIRED", "on", switch, "off: while the scanner does not answer, files pass without a look."),
    Setting("FILE_BYTES", "100M", size, "Bytes of one file at most, such as 100M or 2G."),
    Setting("FILE_TYPES", "", media_types, "Types of files that are taken: image/*,application/pdf; empty: all."),
    Setting("FILE_TYPES_BLOCKED", "", media_types, "Types of files that are refused."),
    Setting("QUOTA_USER", "", maybe_size, "Bytes of files of one user at most; empty: no limit."),
    Setting("QUOTA_THREAD", "", maybe_size, "Bytes of files in one thread at most."),
    Setting("QUOTA_SERVER", "", maybe_size, "Bytes of files on the server at most."),
    Setting("FILE_VERSIONS", "", maybe_count, "Newest versions of a file that are kept; empty: all."),
    Setting("FILE_UNUSED_DAYS", "", maybe_count, "After so long a file that nothing shows goes; empty: never."),
    Setting("FILE_PENDING_DAYS", str(limits.FILE_PENDING_DAYS), count, "The same, of one whose bytes never came."),
    Setting("THREAD_ARCHIVE_DAYS", "", maybe_days, "Without an entry for so long a thread is archived; empty: never."),
    Setting("THREAD_DELETE_DAYS", "", maybe_days, "Without an entry for so long a thread is deleted; empty: never."),
    Setting("REVISION_DAYS", "", maybe_days, "After so long what a message said before an edit goes; empty: never."),
    Setting("AUDIT_DAYS", "", maybe_days, "After so long entries of the audit log go; empty: never."),
    Setting(
        "ARTIFACT_VERSIONS", "100", count,
        "Versions kept of each artifact; older ones without a label are dropped, the newest and labelled ones never.",
    ),
    Setting(
        "DOCUMENT_VERSION_SECONDS", "10", seconds,
        "Seconds without an edit, after which what was edited together becomes a version of the artifact.",
    ),
    Setting("AWS_ACCESS_KEY_ID", "", optional, "Access key of an S3 store; else as AWS's own tools find one."),
    Setting("AWS_REGION", "us-east-1", region, "Region of an S3 store whose URL names none."),
    Setting("AWS_SECRET_ACCESS_KEY", "", optional, "Secret of the access key.", True),
    Setting("AWS_SESSION_TOKEN", "", optional, "Session token of a temporary access key.", True),
    Setting("SCAN_URL", "", scan_url, "Scanner of files: clamd://HOST:PORT, clamd+unix:///PATH, exec:/COMMAND."),
    Setting("WEBHOOK_NETWORKS", "", networks, "Networks inside that webhooks and pushes may reach, also without TLS."),
    Setting("PUSH_CONTACT", "", contact, "mailto: or https: URL at which push services reach you; else PUBLIC_URL."),
    Setting("SMTP_URL", "", mail_server, "Mail server: smtp://USER:PASSWORD@HOST:587, smtps://, smtp+plain://.", True),
    Setting("MAIL_FROM", "", mail_sender, "Sender of e-mail, such as Chat <chat@example.com>."),
    Setting("MAIL_DELAY_MINUTES", "10", count, "For so long notifications gather that are sent in one mail."),
    Setting("ALERTS", rules.DEFAULT, rules.parse, "Rules of the server's own alerts (docs/metrics.md); empty: none."),
    Setting("ALERT_WEBHOOK", "", url, "URL that alerts are posted to, such as an incoming webhook of a chat.", True),
    Setting("ALERT_MAIL", "", mail_addresses, "Addresses that get alerts by mail: ops@example.com,me@example.com."),
    Setting("ALERT_THREAD", "", thread_id, "Thread that System writes alerts into."),
    Setting("ALLOWED_DOMAINS", "rpotential.ai,globant.com", listed, "Domains whose users may sign in; * for any."),
    Setting("TRUST_ROLE_CLAIM", "on", switch, "Whether `role` and `kind` in a token are trusted."),
    Setting("AUTH_COOKIE", "rpotential_auth", cookie_name, "Name of the cookie that may carry the token."),
    Setting("COOKIE_SECURE", "on", switch, "off: browsers also send the cookies over plain HTTP."),
    Setting("PUBLIC_URL", "", base_url, "URL of this server for browsers, such as https://chat.example.com."),
    Setting("OIDC_ISSUER", "https://accounts.google.com", address, "Identity provider of /auth/oauth/google."),
    Setting("TRUSTED_EMAIL_ISSUERS", "", listed, "Providers whose e-mail addresses are always trusted."),
    Setting("OIDC_CLIENT_ID", "", optional, "Client id at the provider; without it no such sign-in."),
    Setting("OIDC_CLIENT_SECRET", "", str, "Client secret at the provider.", True),
    Setting("AUTH_URL", "", url, "Sign-in page for browsers without a token."),
    Setting("ALLOWED_ORIGINS", "", origins, "Origins of other pages that may call this server (CORS)."),
    Setting("TRUSTED_PROXIES", "", networks, "Networks of proxies that set X-Forwarded-*: 10.0.0.0/8, ::1."),
    Setting("LIVE_CHANNELS", "", channel_patterns, "Live channels open to all signed-in users: cursor:*,ticker:*."),
    Setting("RATE_LIMITS", "on", switch, "off only for benchmarks and tests; also disables connection limits."),
    Setting("RATE_READ", limits.RATE_READ, rate, "Reads of one user: a rate per s or min, and a burst."),
    Setting("RATE_WRITE", limits.RATE_WRITE, rate, "Writes of one user."),
    Setting("RATE_ADMIN", limits.RATE_ADMIN, rate, "Administration by one user."),
    Setting("RATE_AUDITED", limits.RATE_AUDITED, rate, "Exports, API keys and passwords of one user."),
    Setting("RATE_COSTLY", limits.RATE_COSTLY, rate, "Searches and long lists of one user."),
    Setting("RATE_AUTH", limits.RATE_AUTH, rate, "Failed attempts to sign in from one address."),
    Setting("MAX_CONNECTIONS_PER_USER", str(limits.CONNECTIONS_PER_USER), count, "WebSockets and streams of a user."),
    Setting("MAX_CONNECTIONS_PER_ADDRESS", str(limits.CONNECTIONS_PER_ADDRESS), count, "Those of an address."),
    Setting("PING_INTERVAL", "25", seconds, "Seconds between pings of a WebSocket."),
    Setting("PROBLEM_BASE", "https://experience.rpotential.dev/problems", base_url, "Base URL of problem types."),
    Setting("SYNCHRONOUS", "FULL", one_of("full", "normal"), "FULL survives a power cut, NORMAL only a crash."),
    Setting("DATABASE_CACHE", "64M", size, "The cache of its writer; each of five readers takes a quarter."),
    Setting("BACKUP_SCHEDULE", "", backup_schedule, "Backups: an interval such as 6h, or five fields of cron in UTC."),
    Setting("BACKUP_CONTINUOUS", "", shipping_interval, "Ship changes all the time, such as every 1s; empty: off."),
    Setting("BACKUP_URL", "", blob_url, "Where they go: a folder, or s3://BUCKET/PREFIX; else DATA_DIR/backups."),
    Setting("BACKUP_KEY", "", parse_keys, "32 bytes in base64 that encrypt them; earlier keys after a comma.", True),
    Setting("BACKUP_SPOOL", "512M", size, "Changes that wait while it is away, at most; such as 512M."),
    Setting("BACKUP_KEEP", "newest=3,hourly=24,daily=7,weekly=5,continuous=3", keeping.parse, "Which are kept."),
    Setting("METRICS", "127.0.0.0/8,::1", networks, "Networks whose scrapers may read /metrics."),
    Setting("METRICS_TOKEN", "", optional, "Bearer token with which any network may read /metrics.", True),
    Setting("METRICS_PORT", "", maybe_port, "Port of its own for /metrics, on HOST; then PORT has none."),
    Setting("STATUS_PAGE", "admins", one_of("admins", "public"), "public: /status, without what is secret, for all."),
    Setting("SENTRY_DSN", "", url_with_key, "Sentry project that unhandled errors are sent to; extra `sentry`.", True),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", "", url, "Collector of traces: http://HOST:4318; extra `otel`."),
    Setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", url, "The same, with the path for traces: …/v1/traces."),
    Setting("OTEL_EXPORTER_OTLP_HEADERS", "", optional, "Headers for the collector: NAME=VALUE,NAME=VALUE.", True),
    Setting("OTEL_SERVICE_NAME", "experience-server", str, "Name of this server in traces."),
    Setting("OTEL_TRACES_SAMPLER", "parentbased_always_on", one_of(*SAMPLERS), "Which commands are traced."),
    Setting("OTEL_TRACES_SAMPLER_ARG", "", fraction, "Fraction of commands, from 0 to 1, of a traceidratio sampler."),
    Setting("OTEL_SDK_DISABLED", "false", one_of("true", "false"), "true: no traces, whatever else is set."),
    Setting("LOG_LEVEL", "info", one_of("debug", "info", "warning", "error"), "info logs some requests, debug all."),
    Setting("LOG_FORMAT", "auto", one_of("auto", "text", "json"), "auto: text on a terminal, JSON elsewhere."),
)  # fmt: skip
BY_KEY: Mapping[str, Setting] = {setting.key: setting for setting in SETTINGS}
