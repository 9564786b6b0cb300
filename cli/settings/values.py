"""How the text of a setting is read: each function answers the value, or raises `ValueError` with what was expected."""

import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from actors import limits
from actors.backups import schedule
from server.http.headers.origins import origin_of
from server.outbound.mail.location import MailServer
from server.outbound.mail.location import parse as parse_mail_server
from server.outbound.scanner import location as scanner
from server.previews.convert_command import parse_convert_command
from storage.blobs import location

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _is_number(text: str) -> bool:
    """Digits of other scripts are decimal to Python, but not to the reader of a setting."""
    return text.isascii() and text.isdecimal() and len(text) < 20


def port(text: str) -> int:
    if not (_is_number(text) and int(text) < 65_536):
        raise ValueError("expected a port from 0 to 65535")
    return int(text)


def maybe_port(text: str) -> int | None:
    return port(text) if text else None


def count(text: str) -> int:
    if not (_is_number(text) and 0 < int(text) < 10**9):
        raise ValueError("expected a number above 0")
    return int(text)


def maybe_count(text: str) -> int | None:
    return count(text) if text else None


def maybe_days(text: str) -> int | None:
    days = maybe_count(text)
    if days is not None and days > limits.RETENTION_DAYS:
        raise ValueError(f"expected a number of days from 1 to {limits.RETENTION_DAYS}")
    return days


def seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("expected a number of seconds") from None
    if not 0 < seconds < 1e9:
        raise ValueError("expected a number of seconds above 0")
    return seconds


def fraction(text: str) -> str:
    """As it stands: the tracer reads it itself."""
    try:
        value = float(text) if text else 1.0
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("expected a number from 0 to 1")
    return text


def switch(text: str) -> bool:
    if text.lower() in ("on", "true", "yes", "1"):
        return True
    if text.lower() in ("off", "false", "no", "0"):
        return False
    raise ValueError("expected on or off")


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def origins(text: str) -> tuple[str, ...]:
    try:
        return tuple(map(origin_of, listed(text)))  # as browsers send them
    except ValueError as error:
        raise ValueError(f"expected origins such as https://app.example.com, joined by commas: {error}") from None


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(map(ipaddress.ip_network, listed(text)))
    except ValueError as error:
        raise ValueError(f"expected addresses or networks such as 10.0.0.0/8, joined by commas: {error}") from None


def optional(text: str) -> str | None:
    return text or None


def url(text: str) -> str | None:
    return address(text) if text else None


def address(text: str) -> str:
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


def url_with_key(text: str) -> str | None:
    """A DSN of Sentry: its key stands where a user name does."""
    if not text:
        return None
    if not re.fullmatch(r"https?://[^@/\s]+@[^@/\s]+(/[^\s]*)?/[0-9]+", text):
        raise ValueError("expected a DSN such as https://KEY@sentry.example.com/1")
    return text


def contact(text: str) -> str | None:
    if text and not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s/]+\S*", text):
        raise ValueError("expected mailto:ops@example.com or an https URL")
    return text or None


def mail_server(text: str) -> MailServer | None:
    return parse_mail_server(text) if text else None


def mail_sender(text: str) -> str | None:
    _, found = parseaddr(text)
    if text and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", found):
        raise ValueError("expected an address such as Chat <chat@example.com>")
    return text or None


def mail_addresses(text: str) -> tuple[str, ...]:
    found = listed(text)
    if any(not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", each) for each in found):
        raise ValueError("expected addresses such as ops@example.com,me@example.com")
    return found


def thread_id(text: str) -> str | None:
    if text and not re.fullmatch(r"c[0-9a-z]{24}", text):
        raise ValueError("expected the id of a thread, such as cmwtj2zqi000059b8tfy744ms")
    return text or None


def base_url(text: str) -> str | None:
    """Paths are joined to it."""
    if set(text) & set("?#"):
        raise ValueError("expected a URL without a query and a fragment")
    return url(text)


def host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text) or not _can_be_looked_up(text):
        raise ValueError("expected an address or a host name, without a port")
    return text


def _can_be_looked_up(name: str) -> bool:
    """Python looks no name up with an empty part, or one of more than 63 characters, and raises an error of its own."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def cookie_name(text: str) -> str:
    """A token of RFC 6265: anything else would fail in each answer that sets the cookie."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        raise ValueError("expected a name of letters, digits and !#$%&'*+-.^_`|~")
    return text


def channel_patterns(text: str) -> tuple[str, ...]:
    patterns = listed(text)
    for pattern in patterns:
        if any(map(str.isspace, pattern)) or pattern.startswith(("thread:", "user:", "artifact:")):
            raise ValueError(f"expected names of live channels such as cursor:*, joined by commas; got {pattern!r}")
    return patterns


def scan_url(text: str) -> str | None:
    if text:
        scanner.parse(text)
    return text or None


def office_command(text: str) -> str:
    parse_convert_command(text)
    return text


def folder(text: str) -> Path | None:
    if text and not Path(text).is_dir():
        raise ValueError("expected a folder that is there")
    return Path(text) if text else None


def region(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", text):
        raise ValueError("expected the name of a region such as eu-central-1")
    return text


def blob_url(text: str) -> str | None:
    if text:
        location.parse(text)
    return text or None


def backup_schedule(text: str) -> schedule.Schedule | None:
    return schedule.parse(text) if text else None


def shipping_interval(text: str) -> float | None:
    """Seconds."""
    if not text or text.lower() == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,5})(ms|s)", text)
    seconds = 0.0 if match is None else int(match[1]) / (1000 if match[2] == "ms" else 1)
    if not 0.2 <= seconds <= 10:
        raise ValueError("expected an interval from 200ms to 10s, such as 1s")
    return seconds


def size(text: str) -> int:
    """`1500`, `64K`, `100M`, `2G`: bytes, by powers of 1024."""
    match = re.fullmatch(r"([0-9]{1,12})\s*([KMGT]?)i?B?", text, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a number of bytes such as 100M or 2G")
    return int(match[1]) << 10 * " KMGT".index(match[2].upper() or " ")


def maybe_size(text: str) -> int | None:
    return size(text) if text else None


def media_types(text: str) -> tuple[str, ...]:
    types = tuple(each.lower() for each in listed(text))
    for each in types:
        if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.+-]+|\*)", each):
            raise ValueError(f"expected media types such as image/*,application/pdf; got {each!r}")
    return types


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text.lower()

    return read
