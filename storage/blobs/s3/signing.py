"""URLs signed for S3 (AWS signature version 4, by query): for the headers that obstore does not sign.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class S3Keys:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    keys: S3Keys
    region: str

    def url(
        self,
        method: str,
        url: str,
        *,
        now: datetime,
        seconds: int,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """The URL with its signature. `now` is UTC; the request must carry these headers (names in small letters)."""
        parts = urlsplit(url)
        signed = {"host": parts.netloc, **(headers or {})}
        path = quote(parts.path, safe="/" + UNRESERVED)
        time = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{time[:8]}/{self.region}/s3/aws4_request"
        asked = _query({**(query or {}), **self._credentials(scope, time, seconds, signed)})
        canonical = "\n".join([
            method, path, asked,
            *(f"{name}:{signed[name].strip()}" for name in sorted(signed)), "",
            ";".join(sorted(signed)), "UNSIGNED-PAYLOAD",
        ])  # fmt: skip
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._key(time[:8]), text).hex()
        return f"{parts.scheme}://{parts.netloc}{path}?{asked}&X-Amz-Signature={signature}"

    def _credentials(self, scope: str, time: str, seconds: int, signed: Mapping[str, str]) -> dict[str, str]:
        token = self.keys.session_token
        return {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.keys.access_key_id}/{scope}",
            "X-Amz-Date": time,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": ";".join(sorted(signed)),
            **({"X-Amz-Security-Token": token} if token else {}),
        }

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.keys.secret_access_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = _hmac(key, part)
        return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _query(values: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe=UNRESERVED)}={quote(values[name], safe=UNRESERVED)}" for name in sorted(values))
