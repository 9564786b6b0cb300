"""Bytes that go out: whole, in ranges, several as one archive, by signed URLs."""
