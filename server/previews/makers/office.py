"""Office documents: pages by a converter where one is set; text and the first sheet by reading their XML."""

from pathlib import Path

from server.previews.job import Job
from server.previews.makers import commands, office_xml
from server.previews.makers.tables import write_table
from server.previews.preview import Output, Preview, PreviewFailed


def make(job: Job) -> Preview:
    document = office_xml.read(job.path)
    outputs: tuple[Output, ...] = ()
    metadata: dict[str, int | float | str | bool] = {}
    if document.rows:
        table, metadata["columns"] = write_table(document.rows, job.into, whole=False)
        outputs = (table,)
    if not job.tools.convert:
        return Preview(outputs, document.text, metadata)
    pages = _pages(job)
    text = document.text or pages.text
    return Preview(outputs + pages.outputs, text, {**metadata, **pages.metadata}, pages.placeholder)


def _pages(job: Job) -> Preview:
    from server.previews.makers.pdf import preview_pdf  # the text needs no extra, pages do

    converted = job.into / "converted"
    converted.mkdir()
    places = {"input": str(job.path), "output_dir": str(converted)}
    commands.run([argument.format_map(places) for argument in job.tools.convert])
    found = _one_pdf(converted)
    try:
        return preview_pdf(found, job.into)
    finally:
        found.unlink()


def _one_pdf(folder: Path) -> Path:
    found = sorted(folder.glob("*.pdf"))
    if not found or found[0].is_symlink():
        raise PreviewFailed("the converter has made no PDF")
    return found[0]
