"""The documents are valid by official parsers, and clients can be generated from them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from server.api_docs import made as documents
from tests.node import MODULES, NODE

pytestmark = pytest.mark.timeout(300)  # they read a large document slowly, and share the machine

FOREIGN = Path(__file__).with_name("foreign")
STRICT = (
    "--strict",
    "--skipLibCheck",  # of *.d.ts, which others wrote, those of browsers above all; ours are in api.ts
    "--exactOptionalPropertyTypes",
    "--noUncheckedIndexedAccess",
    "--noPropertyAccessFromIndexSignature",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With both documents, as they are served, and the packages of tests/package.json."""
    made = tmp_path_factory.mktemp("documents")
    (made / "node_modules").symlink_to(MODULES)
    (made / "openapi.json").write_bytes(documents.openapi_json("1.0.0", "https://example.com/p", "session").body)
    (made / "asyncapi.json").write_bytes(documents.asyncapi_json("1.0.0").body)
    return made


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program of a package, or a script, in this folder."""
    quiet = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    command = [str(NODE), program, *arguments]
    return subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True, check=False, timeout=280)


def program_of(package: str, name: str) -> str:
    described = json.loads((MODULES / package / "package.json").read_text())["bin"]
    return str(MODULES / package / (described if isinstance(described, str) else described[name]))


def test_the_official_parser_of_asyncapi_takes_it(folder: Path) -> None:
    script = folder / "asyncapi.mjs"
    script.write_text((FOREIGN / "asyncapi.mjs").read_text())
    ran = run(folder, str(script), "asyncapi.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_redocly_takes_the_openapi_document(folder: Path) -> None:
    rules = dict.fromkeys((f"no-invalid-{kind}-examples" for kind in ("media-type", "parameter", "schema")), "error")
    (folder / "redocly.yaml").write_text(json.dumps({"extends": ["recommended"], "rules": rules}))
    ran = run(folder, program_of("@redocly/cli", "redocly"), "lint", "openapi.json", "--format=json")
    found = json.loads(ran.stdout)
    errors = [problem for problem in found["problems"] if problem["severity"] == "error"]
    assert (ran.returncode, errors) == (0, [])


def test_spectral_takes_both(folder: Path) -> None:
    """But for examples: it makes a validator for each one, 20 s in all. Redocly and test_openapi.py look at them."""
    rules = {"oas3-valid-media-example": "off"}
    (folder / ".spectral.json").write_text(
        json.dumps({"extends": ["spectral:oas", "spectral:asyncapi"], "rules": rules})
    )
    command = program_of("@stoplight/spectral-cli", "spectral")
    ran = run(folder, command, "lint", "openapi.json", "asyncapi.json", "--fail-severity=error", "--format=json")
    errors = [problem for problem in json.loads(ran.stdout) if problem["severity"] == 0]
    assert (ran.returncode, errors) == (0, []), ran.stderr


def test_a_client_in_strict_typescript_compiles(folder: Path) -> None:
    made = run(folder, program_of("openapi-typescript", "openapi-typescript"), "openapi.json", "-o", "api.ts")
    assert made.returncode == 0, made.stderr
    (folder / "client.ts").write_text((FOREIGN / "client.ts").read_text())
    compiler = program_of("typescript", "tsc")
    options = ("--noEmit", *STRICT, "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext")
    ran = run(folder, compiler, *options, "client.ts")
    assert (ran.returncode, ran.stdout) == (0, "")
