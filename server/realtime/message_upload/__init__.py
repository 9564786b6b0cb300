"""A message that is written in one request, piece by piece."""
