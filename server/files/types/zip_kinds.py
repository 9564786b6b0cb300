"""Which of the many formats a zip is: office documents, books, programs."""

from typing import BinaryIO

from actors import limits
from server.files.archives import zip_directory
from server.files.types.type_names import DOCX, ODP, ODS, ODT, PPTX, XLSX

ZIP = "application/zip"
NAMED = frozenset({ODT, ODS, ODP, "application/epub+zip", "application/vnd.oasis.opendocument.graphics"})
"""Formats that name themselves in their first entry, `mimetype`, which is stored unpacked."""

PARTS = (
    ("AndroidManifest.xml", "application/vnd.android.package-archive"),
    ("META-INF/MANIFEST.MF", "application/java-archive"),
)
OFFICE_PARTS = (
    ("word/vbaProject.bin", "application/vnd.ms-word.document.macroenabled.12"),
    ("xl/vbaProject.bin", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("ppt/vbaProject.bin", "application/vnd.ms-powerpoint.presentation.macroenabled.12"),
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", XLSX),
    ("ppt/presentation.xml", PPTX),
)


def kind_of_zip(file: BinaryIO) -> str:
    """Programs first: what runs counts more than what is shown. Plain zip where nothing says more."""
    try:
        names, mimetype = _looked_through(file)
    except zip_directory.NotAZip:
        return ZIP
    parts = PARTS if "[Content_Types].xml" not in names else (*PARTS, *OFFICE_PARTS)
    for name, kind in parts:
        if name in names:
            return kind
    return mimetype if mimetype in NAMED else ZIP


def _looked_through(file: BinaryIO) -> tuple[set[str], str]:
    names: set[str] = set()
    mimetype = ""
    for entry in zip_directory.entries(file):
        if not names and entry.name == "mimetype" and entry.method == zip_directory.STORED:
            mimetype = _stored_text(file, entry)
        names.add(entry.name)
        if len(names) >= limits.TYPE_ZIP_ENTRIES:
            break
    return names, mimetype


def _stored_text(file: BinaryIO, entry: zip_directory.Entry) -> str:
    file.seek(zip_directory.data_offset(file, entry))
    return file.read(min(entry.packed, limits.TYPE_MIMETYPE_BYTES)).decode("ascii", errors="replace").strip()
