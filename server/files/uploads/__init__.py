"""Bytes that come: forms, PUT, tus and signed URLs, on their way to a version."""
