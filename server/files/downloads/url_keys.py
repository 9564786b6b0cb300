"""The secrets of signed URLs: two files in the data folder. A server that runs notices when they change."""

import os
from pathlib import Path

from server.auth.secret_file import load_or_create_secret
from server.files.downloads.signed_urls import UrlKeys, url_key

CURRENT = "file_urls.key"
PREVIOUS = "file_urls.previous.key"


class UrlKeyFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, ...] = ()
        self._keys = UrlKeys(())

    @property
    def keys(self) -> UrlKeys:
        """As they are on disk now. Raises `OSError`, and `ValueError` with a sentence for an operator."""
        seen = self._state()
        if seen != self._seen or not self._keys.keys:
            secrets = [load_or_create_secret(self._folder / CURRENT)[0]]
            if (self._folder / PREVIOUS).exists():
                secrets.append(load_or_create_secret(self._folder / PREVIOUS)[0])
            self._keys = UrlKeys(tuple(map(url_key, secrets)))
            self._seen = self._state()
        return self._keys

    def _state(self) -> tuple[int, ...]:
        state: list[int] = []
        for name in (CURRENT, PREVIOUS):
            try:
                found = os.stat(self._folder / name)
            except FileNotFoundError:
                continue
            state += (found.st_ino, found.st_mtime_ns)
        return tuple(state)


def rotate(folder: Path, *, end_all: bool = False) -> None:
    """A new key signs from now on. URLs of the one before stay valid until they expire, or end now (`end_all`)."""
    load_or_create_secret(folder / CURRENT)
    os.replace(folder / CURRENT, folder / PREVIOUS)
    if end_all:
        (folder / PREVIOUS).unlink()
    load_or_create_secret(folder / CURRENT)
