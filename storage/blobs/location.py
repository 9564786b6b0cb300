"""`BLOB_URL`: a folder, or a bucket with its options. Reading it needs no network."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

EXPECTED = "expected a folder, or s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION"
OPTIONS = ("endpoint", "region", "sse", "kms_key", "virtual_host")
ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/-]*")
"""Characters that S3 calls safe: no tool along the way has to escape them."""


@dataclass(frozen=True, slots=True)
class FolderLocation:
    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class S3Location:
    bucket: str
    prefix: str = ""
    """Without slashes at its ends."""
    endpoint: str | None = None
    """Without the bucket; None: AWS."""
    region: str | None = None
    sse: str | None = None
    kms_key: str | None = None
    virtual_host: bool = False
    """Whether the bucket is part of the host name, not of the path."""

    def __str__(self) -> str:
        where = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}{'/' if self.prefix else ''}{self.prefix}{where}"

    def base(self, region: str) -> str:
        """URL of the bucket, without a slash at its end."""
        endpoint = self.endpoint or f"https://s3.{region}.amazonaws.com"
        if not self.virtual_host:
            return f"{endpoint}/{self.bucket}"
        scheme, _, host = endpoint.partition("://")
        return f"{scheme}://{self.bucket}.{host}"


Location = FolderLocation | S3Location


def parse(text: str) -> Location:
    """Raises `ValueError` with what was expected."""
    scheme, colon, _ = text.partition("://")
    if not colon:
        return FolderLocation(Path(text))
    if scheme == "file":
        return FolderLocation(_file_path(text))
    if scheme != "s3":
        raise ValueError(f"{EXPECTED}; got {scheme}://")
    return _s3(text)


def _file_path(text: str) -> Path:
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment or not parts.path:
        raise ValueError("expected a file URL with three slashes, such as file:///srv/blobs")
    return Path(unquote(parts.path))


def _s3(text: str) -> S3Location:
    parts = urlsplit(text)
    options = _options(parts.query)
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("expected no keys in the URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"{EXPECTED}; got the bucket {parts.netloc!r}")
    prefix = parts.path.strip("/")
    if not _PREFIX.fullmatch(prefix) or any(part in ("", ".", "..") for part in prefix.split("/") if prefix):
        raise ValueError(f"expected a prefix of letters, digits and !_.*'()-, joined by slashes; got {prefix!r}")
    endpoint = _endpoint(options.get("endpoint"))
    return S3Location(
        bucket=parts.netloc, prefix=prefix, endpoint=endpoint, region=options.get("region"),
        sse=_encryption(options), kms_key=options.get("kms_key"),
        virtual_host=_virtual_host(options.get("virtual_host"), endpoint, parts.netloc),
    )  # fmt: skip


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in OPTIONS or not value:
            raise ValueError(f"expected options of {', '.join(OPTIONS)}, each with a value; got {name!r}")
    return options


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("expected an endpoint such as https://minio.example.com:9000, without the bucket")
    return text.rstrip("/")


def _encryption(options: dict[str, str]) -> str | None:
    chosen = options.get("sse")
    if chosen is not None and chosen not in ENCRYPTIONS:
        raise ValueError(f"expected sse to be one of {', '.join(ENCRYPTIONS)}; got {chosen!r}")
    if "kms_key" in options and (chosen is None or not chosen.startswith("aws:kms")):
        raise ValueError("expected sse=aws:kms beside kms_key")
    return chosen


def _virtual_host(text: str | None, endpoint: str | None, bucket: str) -> bool:
    """By default as AWS wants it, and as most others do; a dot in the bucket's name would fail the certificate."""
    if text is None:
        return endpoint is None and "." not in bucket
    if text not in ("0", "1"):
        raise ValueError(f"expected virtual_host to be 0 or 1; got {text!r}")
    return text == "1"
