"""Signature version 4, against the example that AWS publishes."""

from datetime import UTC, datetime

from storage.blobs.s3.signing import S3Keys, Signer

WHEN = datetime(2013, 5, 24, tzinfo=UTC)
KEYS = S3Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def test_the_example_of_the_documentation() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    url = Signer(KEYS, "us-east-1").url(
        "GET", "https://examplebucket.s3.amazonaws.com/test.txt", now=WHEN, seconds=86400
    )
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_session_token_is_part_of_the_url() -> None:
    keys = S3Keys("KEY", "SECRET", "token/+=")
    url = Signer(keys, "auto").url("PUT", "https://host/bucket/key", now=WHEN, seconds=60)
    assert "&X-Amz-Security-Token=token%2F%2B%3D&" in url


def test_a_secret_is_not_shown() -> None:
    assert "wJalr" not in repr(Signer(KEYS, "us-east-1"))
