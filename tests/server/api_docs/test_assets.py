"""What the pages load: styles that load nothing further, and foreign code with its licences."""

import re
from pathlib import Path

import server as server_package
from server.api_docs.assets import assets

VENDORED = Path(server_package.__file__).parent / "static" / "docs" / "swagger-ui"


def test_styles_load_nothing() -> None:
    for asset in assets().values():
        if asset.media_type == "text/css":
            assert re.findall(rb"url\((?![\"']?data:)|@import", asset.body) == []


def test_what_is_vendored_comes_with_its_licences() -> None:
    assert {file.name for file in VENDORED.iterdir()} == {
        "LICENSE", "NOTICE", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css",
    }  # fmt: skip
    assert "Apache License" in (VENDORED / "LICENSE").read_text()
