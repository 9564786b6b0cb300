"""From a location to its store."""

from actors.blobs import BlobStore, BlobStoreRefused
from storage.blobs.folder import FolderStore
from storage.blobs.location import FolderLocation, Location, S3Location
from storage.blobs.s3.signing import S3Keys

MISSING_EXTRA = "Files in S3 need the extra s3; run: pip install 'experience-server[s3]'"


def open_store(location: Location, keys: S3Keys | None = None) -> BlobStore:
    """Reaches nothing yet: `check` does. Raises `BlobStoreRefused` where S3 is chosen and its extra is missing."""
    if isinstance(location, FolderLocation):
        return FolderStore(location.path)
    return _open_s3(location, keys)


def _open_s3(location: S3Location, keys: S3Keys | None) -> BlobStore:
    try:
        from storage.blobs.s3.store import S3Store
    except ImportError:
        raise BlobStoreRefused(MISSING_EXTRA) from None
    return S3Store(location, keys)
