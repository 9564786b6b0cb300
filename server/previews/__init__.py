"""Previews and text of files, made by worker processes that may hang, crash or run out of memory without harm."""
