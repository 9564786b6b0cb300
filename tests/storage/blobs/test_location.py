"""`BLOB_URL`, read without a network."""

from pathlib import Path

import pytest

from storage.blobs.location import FolderLocation, S3Location, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/blobs", FolderLocation(Path("/srv/blobs"))),
        ("data/blobs", FolderLocation(Path("data/blobs"))),
        ("file:///srv/my%20blobs", FolderLocation(Path("/srv/my blobs"))),
        ("s3://bucket", S3Location("bucket", virtual_host=True)),
        ("s3://bucket/a/b/", S3Location("bucket", "a/b", virtual_host=True)),
        ("s3://my.bucket", S3Location("my.bucket", virtual_host=False)),
        (
            "s3://files/chat?endpoint=https://abc.r2.cloudflarestorage.com&region=auto",
            S3Location("files", "chat", "https://abc.r2.cloudflarestorage.com", "auto"),
        ),
        (
            "s3://files?endpoint=https%3A%2F%2Fminio.example.com%3A9000%2F&virtual_host=1",
            S3Location("files", "", "https://minio.example.com:9000", virtual_host=True),
        ),
        (
            "s3://files?region=eu-central-1&sse=aws:kms&kms_key=arn:aws:kms:eu-central-1:1:key/2",
            S3Location("files", region="eu-central-1", sse="aws:kms", kms_key="arn:aws:kms:eu-central-1:1:key/2",
                       virtual_host=True),
        ),
    ],
)  # fmt: skip
def test_what_is_read(text: str, expected: FolderLocation | S3Location) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gs://bucket", "expected a folder, or s3://"),
        ("s3://", "expected a folder, or s3://"),
        ("s3://KEY:SECRET@bucket", "no keys in the URL"),
        ("s3://bucket/a/../b", "expected a prefix"),
        ("s3://bucket/a//b", "expected a prefix"),
        ("s3://bucket/ä", "expected a prefix"),
        ("s3://bucket?region=", "each with a value"),
        ("s3://bucket?endpont=https://x", "got 'endpont'"),
        ("s3://bucket?endpoint=minio:9000", "expected an endpoint"),
        ("s3://bucket?endpoint=https://k:s@minio", "expected an endpoint"),
        ("s3://bucket?sse=des", "expected sse"),
        ("s3://bucket?kms_key=abc", "expected sse=aws:kms beside kms_key"),
        ("s3://bucket?virtual_host=yes", "expected virtual_host"),
        ("file://host/path", "three slashes"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket", "https://bucket.s3.eu-north-1.amazonaws.com"),
        ("s3://my.bucket", "https://s3.eu-north-1.amazonaws.com/my.bucket"),
        ("s3://bucket?endpoint=https://minio:9000", "https://minio:9000/bucket"),
        ("s3://bucket?endpoint=https://minio:9000&virtual_host=1", "https://bucket.minio:9000"),
    ],
)
def test_where_a_bucket_is(text: str, url: str) -> None:
    location = parse(text)
    assert isinstance(location, S3Location)
    assert location.base("eu-north-1") == url
