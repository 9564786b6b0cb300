"""Office documents: pages by a converter where one is set; text and the first sheet by reading their XML."""

import shutil
import stat
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

    converted, home = job.into / "converted", job.into / "home"
    converted.mkdir()
    home.mkdir()
    places = {"input": str(job.path), "output_dir": str(converted)}
    try:
        commands.run([argument.format_map(places) for argument in job.tools.convert], home=home)
        return preview_pdf(_one_pdf(converted), job.into)
    finally:
        shutil.rmtree(converted, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _one_pdf(folder: Path) -> Path:
    """A file of its own: a link could name any file of the server, and a pipe would never be read to its end."""
    found = sorted(path for path in folder.glob("*.pdf") if stat.S_ISREG(path.lstat().st_mode))
    if not found:
        raise PreviewFailed("the converter has made no PDF")
    return found[0]
