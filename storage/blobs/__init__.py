"""The blob store: bytes by their sha256, in a folder or in S3. It knows nothing of files, users or the database."""
