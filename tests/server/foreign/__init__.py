"""Parsers, linters and code generators that others wrote, on the documents of this server."""
