"""The connection to a bucket: obstore's configuration, and its errors in our words."""

import atexit
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obstore.exceptions import BaseError
from obstore.store import S3Store

from actors import limits
from storage.blobs.location import S3Location
from storage.blobs.s3 import errors
from storage.blobs.s3.signing import S3Keys

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

DEFAULT_REGION = "us-east-1"

atexit.register(time.sleep, limits.S3_LEAVE_SECONDS)


@dataclass(frozen=True, slots=True)
class Patience:
    connect: float = field(default_factory=lambda: limits.S3_CONNECT_SECONDS)
    silent: float = field(default_factory=lambda: limits.S3_SILENT_SECONDS)
    retries: int = field(default_factory=lambda: limits.S3_RETRIES)
    retry_seconds: float = field(default_factory=lambda: limits.S3_RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where requests go, and how."""

    store: S3Store
    where: str
    """For sentences."""
    base: str
    """URL, without a slash at its end."""
    patience: Patience

    @contextlib.contextmanager
    def plain_words(self) -> Iterator[None]:
        """Raises what obstore raises as `BlobStoreError`; a missing object stays `FileNotFoundError`."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            if errors.is_missing(error):
                raise
            raise errors.meaning(error, self.where) from error


def connect(location: S3Location, keys: S3Keys | None, patience: Patience) -> Bucket:
    """Reaches nothing yet. Raises `BlobStoreRefused` where the options do not fit together."""
    region = location.region or DEFAULT_REGION
    base = location.base(region)
    try:
        store = S3Store(
            location.bucket, prefix=location.prefix or None, config=_config(location, region, base, keys),
            client_options=_client(patience, base), retry_config=_retries(patience),
        )  # fmt: skip
    except (BaseError, ValueError) as error:
        raise errors.meaning(error, str(location)) from error
    return Bucket(store, str(location), base, patience)


def _config(location: S3Location, region: str, base: str, keys: S3Keys | None) -> "S3Config":
    config: dict[str, Any] = {
        "endpoint": base if location.virtual_host else base.rpartition("/")[0],
        "region": region,
        "virtual_hosted_style_request": location.virtual_host,
        "disable_bulk_delete": True,  # GCS has none
    }
    if location.sse:
        config["server_side_encryption"] = location.sse
    if location.kms_key:
        config["sse_kms_key_id"] = location.kms_key
    if keys:
        config |= {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
        if keys.session_token:
            config["session_token"] = keys.session_token
    return config  # type: ignore[return-value]  # a TypedDict, put together by what is set


def _client(patience: Patience, base: str) -> "ClientConfig":
    """No limit of the whole request: a download lasts as long as its reader wants. Silence is limited."""
    return {
        "allow_http": base.startswith("http://"),
        "connect_timeout": timedelta(seconds=patience.connect),
        "read_timeout": timedelta(seconds=patience.silent),
        "timeout": timedelta(days=1),
    }


def _retries(patience: Patience) -> "RetryConfig":
    return {
        "max_retries": patience.retries,
        "retry_timeout": timedelta(seconds=patience.retry_seconds),
        "backoff": {
            "init_backoff": timedelta(seconds=limits.S3_RETRY_PAUSE_SECONDS),
            "max_backoff": timedelta(seconds=5),
            "base": 2,
        },
    }
