"""Artifacts as files to download, and as pages to read by a link."""
