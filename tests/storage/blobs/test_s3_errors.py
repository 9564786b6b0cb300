"""What obstore raises, in words: S3's own codes, as its providers answer them."""

import errno
import os

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from actors.blobs import BlobError, BlobStoreFull, BlobStoreRefused, BlobStoreUnavailable
from storage.blobs.s3 import errors


def answered(status: str, code: str = "", more: str = "") -> GenericError:
    """As obstore 0.12 puts it."""
    xml = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code>{more}</Error>' if code else ""
    return GenericError(
        "Generic S3 error: Error performing PUT http://h/b/k in 1ms - "
        f"Server returned non-2xx status code: {status}: {xml}"
        "\n\nDebug source:\nGeneric {\n    secret: 1,\n}"
    )


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (answered("507 Insufficient Storage", "XMinioStorageFull"), BlobStoreFull, "no space left"),
        (answered("403 Forbidden", "QuotaExceeded"), BlobStoreFull, "no space left"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), BlobStoreFull, "on this machine"),
        (answered("403 Forbidden", "AccessDenied"), BlobStoreRefused, "s3:ListBucket"),
        (answered("403 Forbidden", "RequestTimeTooSkewed"), BlobStoreRefused, "clock"),
        (answered("400 Bad Request", "ExpiredToken"), BlobStoreRefused, "AWS_SESSION_TOKEN"),
        (
            answered(
                "400 Bad Request", "AuthorizationHeaderMalformed", "<Message>wrong; expecting 'eu-west-1'</Message>"
            ),
            BlobStoreRefused,
            "in the region eu-west-1; set region=",
        ),
        (answered("301 Moved Permanently", "PermanentRedirect"), BlobStoreRefused, "another region"),
        (answered("400 Bad Request", "KMS.NotFoundException"), BlobStoreRefused, "Check BLOB_URL"),
        (
            GenericError("Generic S3 error: http://169.254.169.254/latest/api/token: no route"),
            BlobStoreRefused,
            "no keys",
        ),
        (PermissionDeniedError("status code: 403 Forbidden: "), BlobStoreRefused, "AWS_ACCESS_KEY_ID"),
        (answered("404 Not Found", "NoSuchUpload"), BlobStoreUnavailable, "Retry later"),
        (answered("503 Service Unavailable", "SlowDown"), BlobStoreUnavailable, "Retry later"),
        (answered("429 Too Many Requests"), BlobStoreUnavailable, "Retry later"),
        (GenericError(""), BlobStoreUnavailable, "GenericError"),
    ],
)
def test_meanings(error: Exception, kind: type[BlobError], said: str) -> None:
    meaning = errors.meaning(error, "s3://bucket")
    assert type(meaning) is kind
    assert said in str(meaning)
    assert "s3://bucket" in str(meaning)
    assert "Debug" not in str(meaning)
    assert "<" not in str(meaning)
    assert meaning.retryable == (kind is not BlobStoreRefused)
