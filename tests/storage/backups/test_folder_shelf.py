"""Backups in a folder, which others change at the same time."""

import os
from pathlib import Path
from typing import Any

import pytest

from storage.backups.folder_shelf import FolderShelf


def test_a_file_that_is_removed_while_the_folder_is_read_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by another server, or by an operator: it goes between one look at it and the next."""
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    going = tmp_path / "going"
    going.write_bytes(b"")
    look = os.stat

    def last_look(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        found = look(path, *rest, **more)
        if Path(path) == going:
            going.unlink()
        return found

    monkeypatch.setattr(os, "stat", last_look)
    assert sorted(FolderShelf(tmp_path).entries()) in ([("a", 3)], [("a", 3), ("going", 0)])
    assert FolderShelf(tmp_path).entries() == [("a", 3)]
    assert FolderShelf(tmp_path / "nowhere").entries() == []
