import json
from pathlib import Path

from click.testing import CliRunner

from cli.main import main


def test_blocks_of_a_file_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_text(json.dumps({"blocks": [{"type": "divider"}]}))
    good = CliRunner().invoke(main, ["blocks", "check", str(file)])
    assert (good.exit_code, good.output) == (0, "Valid by the profile slack-2026-08.\n")
    file.write_text(json.dumps([{"type": "markdown", "text": "x" * 12_001}]))
    bad = CliRunner().invoke(main, ["blocks", "check", str(file)])
    assert bad.exit_code == 1
    assert "/0/text: expected at most 12000 characters; got 12001." in bad.output
    file.write_text("{")
    assert "expected JSON" in CliRunner().invoke(main, ["blocks", "check", str(file)]).output


def test_blocks_are_fitted_as_the_server_would(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_text(json.dumps([{"type": "header", "text": {"type": "plain_text", "text": "x" * 200}}]))
    cut = CliRunner().invoke(main, ["blocks", "check", str(file), "--fit", "truncate"])
    assert cut.exit_code == 0
    assert len(json.loads(cut.stdout)[0]["text"]["text"]) == 150
    assert cut.stderr == "/0/text/text: truncated from 200 to 150.\n"
    file.write_text(json.dumps([{"type": "no such type"}]))
    assert CliRunner().invoke(main, ["blocks", "check", str(file), "--fit", "split"]).exit_code == 1
