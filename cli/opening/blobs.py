"""The blob store that the settings name."""

from dataclasses import replace
from typing import TYPE_CHECKING

from actors.blobs import BlobStore, BlobStoreRefused
from cli.settings import Settings
from storage.blobs.location import FolderLocation, Location, parse

if TYPE_CHECKING:
    from storage.blobs.s3.signing import S3Keys

FOLDER = "blobs"
"""Below DATA_DIR."""


def location_of(chosen: Settings) -> Location:
    if chosen["blob_url"] is None:
        return FolderLocation(chosen["data_dir"] / FOLDER)
    return with_region(parse(chosen["blob_url"]), chosen)


def with_region(location: Location, chosen: Settings) -> Location:
    if isinstance(location, FolderLocation):
        return location
    return replace(location, region=location.region or chosen["aws_region"])


def open_blobs(chosen: Settings, location: Location | None = None) -> BlobStore:
    """The store in use, or another one. Raises `BlobStoreRefused` where S3 is chosen and cannot be used."""
    from storage.blobs.opening import open_store

    return open_store(location or location_of(chosen), s3_keys(chosen))


def open_filled(chosen: Settings) -> BlobStore:
    """The store in use, to be read as a whole. Raises `BlobStoreRefused` also for a folder that is not there:
    a mistyped one would pass for a store without a fault."""
    location = location_of(chosen)
    if isinstance(location, FolderLocation) and not location.path.is_dir():
        raise BlobStoreRefused(
            f"{location}: there is no such folder; a server makes it at its start, and a backup where there are files."
        )
    return open_blobs(chosen, location)


def s3_keys(chosen: Settings) -> "S3Keys | None":
    """None leaves the search to obstore, which looks where AWS's own tools do."""
    from storage.blobs.s3.signing import S3Keys

    access_key, secret = chosen["aws_access_key_id"], chosen["aws_secret_access_key"]
    if (access_key is None) != (secret is None):
        raise BlobStoreRefused("Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither; only one is set.")
    return S3Keys(access_key, secret, chosen["aws_session_token"]) if access_key else None
