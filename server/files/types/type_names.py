"""Media types by name: what an extension stands for, and which types are the same or near."""

import mimetypes

from server.files.names import extension

BINARY = "application/octet-stream"
TEXT = "text/plain"

ALIASES = {
    "application/csv": "text/csv",
    "application/javascript": "text/javascript",
    "application/ogg": "audio/ogg",
    "application/x-gzip": "application/gzip",
    "application/x-javascript": "text/javascript",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
    "text/ecmascript": "text/javascript",
    "text/x-markdown": "text/markdown",
    "text/xml": "application/xml",
    "video/x-m4v": "video/mp4",
    "application/x-msdos-program": "application/vnd.microsoft.portable-executable",
    "application/x-msdownload": "application/vnd.microsoft.portable-executable",
}
"""Other names of the same type → the one used here."""

OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = OFFICE + "wordprocessingml.document"
XLSX = OFFICE + "spreadsheetml.sheet"
PPTX = OFFICE + "presentationml.presentation"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"

EXTENSIONS = {
    "avif": "image/avif",
    "csv": "text/csv",
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "docx": DOCX,
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gz": "application/gzip",
    "heic": "image/heic",
    "ico": "image/x-icon",
    "jar": "application/java-archive",
    "js": "text/javascript",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "log": TEXT,
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "mjs": "text/javascript",
    "mkv": "video/x-matroska",
    "mp3": "audio/mpeg",
    "ndjson": "application/x-ndjson",
    "odp": ODP,
    "ods": ODS,
    "odt": ODT,
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pptx": PPTX,
    "tsv": "text/tab-separated-values",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "xlsx": XLSX,
    "xml": "application/xml",
    "xhtml": "text/html",
    "xht": "text/html",
    "hta": "text/html",
    "svg": "image/svg+xml",
}
"""What the platform's own table lacks, or has otherwise from one version of Python to the next."""

CODE = {
    "bash": "text/x-sh",
    "bat": "text/x-msdos-batch",
    "c": "text/x-c",
    "cmd": "text/x-msdos-batch",
    "cpp": "text/x-c++",
    "cs": "text/x-csharp",
    "css": "text/css",
    "go": "text/x-go",
    "h": "text/x-c",
    "hpp": "text/x-c++",
    "ini": "text/x-ini",
    "java": "text/x-java",
    "jsx": "text/jsx",
    "kt": "text/x-kotlin",
    "lua": "text/x-lua",
    "php": "text/x-php",
    "pl": "text/x-perl",
    "ps1": "text/x-powershell",
    "py": "text/x-python",
    "rb": "text/x-ruby",
    "rs": "text/x-rust",
    "sh": "text/x-sh",
    "sql": "text/x-sql",
    "swift": "text/x-swift",
    "toml": "text/x-toml",
    "ts": "text/x-typescript",
    "tsx": "text/x-typescript",
    "vbs": "text/x-vbscript",
    "yaml": "text/x-yaml",
    "yml": "text/x-yaml",
}
"""Text, whose kind only its name says."""

_PLATFORM = mimetypes.MimeTypes(filenames=())
"""Python's own table, without what this machine has in its files: the same everywhere."""


def canonical(media_type: str | None) -> str:
    """Without parameters, in lower case, by its usual name; empty for none and for the type that says nothing."""
    plain = (media_type or "").partition(";")[0].strip().lower()
    return "" if plain == BINARY else ALIASES.get(plain, plain)


def type_of_name(name: str) -> str:
    """What the extension stands for; empty where it says nothing."""
    found = extension(name)
    return CODE.get(found) or EXTENSIONS.get(found) or canonical(_PLATFORM.types_map[1].get("." + found))


def agree(one: str, other: str) -> bool:
    """Whether a file of one type may be said to be of the other: the same, both text, or two names for a container."""
    if not one or not other or one == other:
        return True
    return _family(one) == _family(other)


def is_textual(media_type: str) -> bool:
    return _family(media_type) == "text"


def _family(media_type: str) -> str:
    if media_type in {"text/html", "image/svg+xml", "application/xml"}:
        return media_type
    if media_type.startswith("text/") or media_type in {"application/json", "application/x-ndjson", "application/x-sh"}:
        return "text"
    kind, _, rest = media_type.partition("/")
    if rest in {"mp4", "webm", "ogg", "3gpp", "quicktime"} and kind in {"audio", "video"}:
        return "media"
    return media_type
