"""What obstore raises, as sentences for operators. S3 answers an error code in XML, obstore has it in its text."""

import errno
import re

from actors import limits
from actors.blobs import BlobStoreError, BlobStoreFull, BlobStoreRefused, BlobStoreUnavailable

_CODE = re.compile(r"<Code>([A-Za-z0-9]+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]+)'|<Region>([a-z0-9-]+)</Region>")

_RIGHTS = "the key needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there"
_ADVICE = {
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not the secret of this access key",
    "InvalidAccessKeyId": "the store does not know the access key; set AWS_ACCESS_KEY_ID",
    "ExpiredToken": "the session token has expired; set another AWS_SESSION_TOKEN",
    "InvalidToken": "AWS_SESSION_TOKEN is not valid with this access key",
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it by NTP",
    "AccessDenied": _RIGHTS,
    "NoSuchBucket": "the bucket does not exist; create it, or name another in BLOB_URL (BACKUP_URL for backups)",
    "PermanentRedirect": "the bucket is in another region; set region= in BLOB_URL (BACKUP_URL for backups)",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set region= in BLOB_URL (BACKUP_URL for backups)",
}
_FULL = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"}
_BUSY = {408, 425, 429}
_AGAIN = {"NoSuchUpload", "InvalidPart", "RequestTimeout", "SlowDown"}
"""A new try is a new upload."""


def code_of(error: BaseException) -> str | None:
    found = _CODE.search(str(error))
    return found[1] if found else None


def status_of(error: BaseException) -> int | None:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def is_missing(error: BaseException) -> bool:
    """The object is missing, not its bucket. A HEAD request cannot tell: both are a bare 404."""
    return isinstance(error, FileNotFoundError) and code_of(error) in (None, "NoSuchKey")


def is_beyond(error: BaseException) -> bool:
    """A range starts after the last byte."""
    return status_of(error) == 416


def is_without_ranges(error: BaseException) -> bool:
    """The server ignored the range that was asked for; obstore then refuses the answer."""
    return "non-partial response" in str(error)


def meaning(error: BaseException, where: str) -> BlobStoreError:
    code, status = code_of(error), status_of(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BlobStoreFull(f"No space left on this machine for a file from {where}. Free some, then retry.")
    if code in _FULL or status == 507:
        return BlobStoreFull(f"{where} has no space left ({code or status}). Free some, then retry.")
    if _finds_no_keys(error):
        return BlobStoreRefused(f"{where}: no keys were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if code in _ADVICE or status in (301, 307, 401, 403):
        return BlobStoreRefused(f"{where} refuses ({code or status}): {_advice(error, code)}.")
    if status is not None and 400 <= status < 500 and status not in _BUSY and code not in _AGAIN:
        return BlobStoreRefused(
            f"{where} refuses ({code or status}): {_sentence(error)} Check BLOB_URL (BACKUP_URL for backups)."
        )
    return BlobStoreUnavailable(f"{where} cannot be reached or fails: {_sentence(error)} Retry later.")


def _finds_no_keys(error: BaseException) -> bool:
    """Without keys obstore asks the metadata service of the machine, which exists only in clouds."""
    return "169.254.169.254" in str(error) or "instance credentials" in str(error).lower()


def _advice(error: BaseException, code: str | None) -> str:
    region = _EXPECTED_REGION.search(str(error))
    if region and code != "AccessDenied":
        return f"the bucket is in the region {region[1] or region[2]}; set region= in BLOB_URL (BACKUP_URL for backups)"
    return _ADVICE.get(code or "", f"check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; {_RIGHTS}")


def _sentence(error: BaseException) -> str:
    """The first paragraph, without XML and without what is only for debugging."""
    text = str(error).partition("\n\nDebug source")[0].partition("<?xml")[0]
    short = " ".join(text.split())[: limits.S3_ERROR_CHARS].rstrip(" :.") or type(error).__name__
    return f"{short}."
