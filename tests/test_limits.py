"""Limits stand in `actors/limits/`, each once, and are read as `limits.NAME` when they are needed."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from actors import limits

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "actors" / "limits"
FILES = sorted(HOUSE.rglob("[!_]*.py"))
READERS = [
    path
    for root in ("actors", "storage", "server", "cli", "loadtest", "bench", "examples", "tests")
    for path in ROOT.glob(f"{root}/**/*.py")
    if HOUSE not in path.parents and "actors.limits" in path.read_text()
]

WORKERS = {ROOT / "server" / "previews" / "limits.py", ROOT / "server" / "exports" / "worker" / "limits.py"}
"""Limits of workers, which start fast and import nothing of `actors`."""
CODE = [
    path
    for layer in ("actors", "storage", "server", "cli", "loadtest")
    for path in sorted((ROOT / layer).rglob("*.py"))
    if HOUSE not in path.parents
    and path not in WORKERS
    and "migrations" not in path.parts
    and not path.name.endswith("_pb2.py")
]


def declared(file: Path) -> Iterator[tuple[str, bool]]:
    """The names of the constants of a file, in order, and whether a reason stands below each."""
    body = ast.parse(file.read_text()).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, isinstance(below, ast.Expr)


def test_each_stands_once() -> None:
    names = [name for file in FILES for name, _ in declared(file)]
    assert len(names) > 300
    assert sorted(names) == sorted(set(names))
    assert set(names) == {name for name in vars(limits) if name.isupper()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_has_its_reason(file: Path) -> None:
    assert [name for name, has_reason in declared(file) if not has_reason] == []


def test_each_is_read() -> None:
    read = set(re.findall(r"limits\.([A-Z0-9_]+)", "".join(path.read_text() for path in CODE)))
    within = "".join(file.read_text() for file in FILES)
    unread = {name for file in FILES for name, _ in declared(file)} - read
    assert [name for name in unread if len(re.findall(rf"\b{name}\b", within)) < 2] == []


def imports(source: str) -> Iterator[str]:
    """What a file imports of the package of limits, other than the package itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[:2] == ["actors", "limits"]:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("actors.limits."))


def test_every_reader_reads_them_of_the_package() -> None:
    """A constant that is imported by its name keeps its value when a test changes the limit."""
    found = {str(path.relative_to(ROOT)): [*imports(path.read_text())] for path in READERS}
    assert {path: names for path, names in found.items() if names} == {}
    assert str(Path(__file__).relative_to(ROOT)) in found  # this file names such imports, in strings


@pytest.mark.parametrize(
    "source",
    ["from actors.limits import BLOCKS", "from actors.limits.blocks import BLOCKS", "import actors.limits.blocks"],
)
def test_an_import_past_the_package_is_found(source: str) -> None:
    assert [*imports(source)]


def numbers(node: ast.expr) -> bool:
    """Whether an expression is a number, or a sum of numbers and other constants."""
    match node:
        case ast.Constant(value=bool()):
            return False
        case ast.Constant(value=int() | float()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lstrip("_").isupper()
        case ast.BinOp(left=left, right=right):
            return numbers(left) and numbers(right)
        case ast.UnaryOp(operand=operand):
            return numbers(operand)
        case ast.Call(func=ast.Name(id="int" | "float" | "len" | "round"), args=args):
            return all(map(numbers, args))
        case ast.Tuple(elts=elements):
            return bool(elements) and all(map(numbers, elements))
    return False


def constants(source: str) -> Iterator[str]:
    """The constants of a module that are numbers."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and numbers(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(part, ast.Constant) for part in ast.walk(node.value)):
                yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


NO_LIMITS: Mapping[str, Mapping[str, str]] = {
    "Codes of a protocol": {
        "actors/delivery/connection.py": "SLOW_READER",
        "actors/documents/edits.py": "_GC _SKIP _TYPES _LEFT _RIGHT _SUB _KIND",
        "cli/serving/handover/successor.py": "PROTOCOL",
        "cli/serving/listening.py": "_FIRST_PASSED",
        "server/outbound/scanner/location.py": "PORT",
        "server/outbound/posting.py": "ASKS_TO_WAIT",
        "server/outbound/push/pusher.py": "GONE PASSING",
        "server/previews/confinement.py": "CLONE_NEWNET CLONE_NEWUSER PR_SET_PDEATHSIG PR_SET_NO_NEW_PRIVS",
        "server/previews/makers/images.py": "ORIENTATION",
        "server/realtime/protobuf/codec.py": "_NESTED",
        "server/realtime/protocol/codes.py": "UNSUBSCRIBED_EXPIRED UNSUBSCRIBED_BY_SERVER REJECT_UNRECOVERED",
        "server/realtime/transports/websocket.py": "TEXT BINARY",
        "storage/resources/webhooks/sending.py": "GONE",
    },
    "Parts of a format, which another number would break": {
        "actors/delivery/epochs.py": "_MARK_BYTES",
        "actors/identifiers.py": "_COUNTER_SPAN",
        "server/api/prompts.py": "_ID_END",
        "server/auth/issued_secrets.py": "API_KEY_PREFIX_CHARS",
        "server/files/archives/bombs.py": "TAR_BLOCK",
        "server/files/archives/zip_directory.py": "EXTRA_64 UTF8 ENCRYPTED FULL_32 STORED DEFLATED",
        "server/files/types/media_types.py": "PDF_WITHIN",
        "server/http/exact_json.py": "_LARGE",
        "server/outbound/push/encryption.py": "POINT_BYTES AUTH_BYTES SALT_BYTES RECORD_BYTES",
        "server/outbound/webhooks/signing.py": "SECRET_BYTES",
        "server/exports/worker/fonts.py": "_INSIDE _EMOJI",
        "server/exports/worker/markdown_nodes.py": "LEVELS",
        "server/previews/makers/texts.py": "BYTES_PER_CHAR",
        "server/realtime/transports/emulation.py": "SESSION_BYTES",
        "loadtest/histogram.py": "EXACT HALF LONGEST",
        "storage/backups/continuous/frames.py": "LOG_HEADER FRAME_HEADER",
        "storage/backups/continuous/segments.py": "_DIGEST",
        "storage/backups/continuous/wal_index.py": "VERSION HEADER",
        "storage/backups/sealing.py": "PIECE TAG HEADER COMPRESSED",
        "storage/readers/weight.py": "_ESCAPED",
        "storage/resources/audit/chain.py": "SALT_BYTES",
    },
    "Values beyond every other: no end, nothing yet": {
        "actors/auth/identity.py": "FOREVER",
        "actors/resources/api_keys.py": "_NEVER",
        "actors/resources/files/retention.py": "START",
        "server/scheduling/dispatcher.py": "_NO_END",
        "server/realtime/sse/handler.py": "_FROM_NOW",
        "storage/resources/files/retention.py": "_LAST",
        "storage/resources/log/reading.py": "_NEVER",
        "storage/resources/members/writing.py": "_NEVER",
        "storage/resources/messages/reading.py": "_NEVER",
        "storage/search/query.py": "_NEWEST",
    },
    "Units, modes of files, versions, places of columns": {
        "actors/resources/retention.py": "DAY_MS",
        "cli/doctor/database.py": "BUILT",
        "cli/doctor/machine.py": "SQLITE",
        "cli/terminal/written_files.py": "PRIVATE",
        "server/limits/token_bucket.py": "_ONE",
        "storage/maintenance/integrity.py": "HOUR CHECKS",
        "storage/private_files.py": "FILE_MODE FOLDER_MODE OTHERS",
        "storage/schema/compatibility.py": "FIRST",
        "storage/resources/artifacts/records.py": "_CREATOR _NEWEST _WRITER _DATA",
        "storage/resources/proposals/records.py": "_AUTHOR _RESOLVER _PATCH",
        "storage/resources/actions/records.py": "_PEOPLE",
        "storage/resources/artifact_streams/records.py": "_AUTHOR",
        "storage/resources/comments/records.py": "_AUTHOR _RESOLVER END",
        "storage/resources/credentials/reading.py": "_OF_SESSION _OF_API_KEY",
        "storage/resources/files/records.py": "_OWNER _NEWEST",
        "storage/resources/files/retention.py": "DAY_MS",
    },
    "Weights and estimates: they bound nothing": {
        "server/exports/worker/documents.py": "POINTS",
        "server/telemetry/status/charts.py": "WIDTH HEIGHT",
        "loadtest/charts.py": "WIDTH HEIGHT LEFT RIGHT TOP BOTTOM",
        "server/exports/worker/layout.py": "WEIGHT SIZES LINE",
        "actors/measures.py": "SECONDS SIZES",
        "actors/resources/context.py": "MESSAGE_TOKENS",
        "actors/resources/context_files.py": "_CHARS_PER_TOKEN",
        "actors/text/names.py": "_LATIN _GREEK _CYRILLIC _ARABIC _SCRIPTS",
        "actors/text/token_count.py": "_TOKEN _NARROW _HALF _WORD",
        "server/files/types/text_encoding.py": "FOREIGN_PART",
        "server/previews/makers/media.py": "SECONDS_IN",
        "server/previews/makers/thumbnails.py": "WEBP_QUALITY WEBP_METHOD HASHED_PIXELS HASHED_PARTS",
        "storage/readers/weight.py": "FIXED",
        "storage/search/ranking.py": "HALF_LIFE_MS _SATURATION _LENGTH_MATTERS _USUAL_CHARS _STEPS",
    },
    "Of names that preview workers read, too, which import nothing of `actors`": {
        "server/files/names.py": "NAME_BYTES EXTENSION_BYTES",
    },
    "Within the rules of artifacts, which say them in their errors": {
        "actors/resources/artifacts/comparing.py": "LINES TEXTS STEPS",
        "actors/resources/artifacts/data_sets.py": "_PROBLEMS",
        "actors/resources/artifacts/json_diff.py": "MATCHED ALIKE",
        "actors/resources/artifacts/json_patch.py": "DEPTH",
    },
}
"""Why → file → names."""


def test_numbers_elsewhere_are_no_limits() -> None:
    """A number that bounds a size, a count or a time stands in `actors/limits/`. What is none has its reason here."""
    named = {f"{file} {name}" for of in NO_LIMITS.values() for file, names in of.items() for name in names.split()}
    found = {f"{path.relative_to(ROOT)} {name}" for path in CODE for name in constants(path.read_text())}
    assert found - named == set(), "move these to actors/limits/, or say in NO_LIMITS what they are"
    assert named - found == set(), "these are gone"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("A = 3", ["A"]), ("A: Final = 2 * limits.KIB", ["A"]), ("_A, B = 1, 2.5", ["_A", "B"]), ("A = -1 << 4", ["A"]),
        ("A = B = 7", ["A", "B"]), ("A = True", []), ("A = limits.BLOCKS", []), ("A = [1]", []), ("def f(): A = 3", []),
    ],
)  # fmt: skip
def test_a_number_is_found(source: str, found: list[str]) -> None:
    assert [*constants(source)] == found
