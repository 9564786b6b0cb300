"""Exports: charts as pictures, documents as PDF, jobs. What a worker may use: `server/exports/worker/limits.py`."""

from typing import Final

from actors.limits.units import MIB

EXPORT_AT_ONCE_SECONDS: Final = 20.0
"""For an answer with an export: a client waits no longer. What takes longer is made as a job."""
EXPORTS_WAITING: Final = 50
"""Charts and documents that wait for a worker; each takes up to a minute."""
EXPORTS_AT_ONCE: Final = 5
"""Jobs of one user that are not done: others wait for the same workers."""
DRAWN_CHARTS_BYTES: Final = 8 * MIB
"""Pictures of charts that are kept, some hundreds: a page that a link shows is opened by many."""
EXPORT_RETRY_SECONDS: Final = 10
"""To whom has as many: a short export is done by then."""
EXPORTS_KEPT: Final = 20
"""Of one user; the oldest goes with a new one."""
EXPORTS_BYTES: Final = 256 * MIB
"""Of one user: four of the largest."""
EXPORT_SECONDS_KEPT: Final = 24 * 3600
"""Then an export goes: it is made again in seconds, and what it shows is old."""
EXPORTS_PURGED_SECONDS: Final = 600.0
"""Between two looks for exports that are over."""
THREAD_EXPORT_MESSAGES: Final = 2_000
"""Of a thread in one answer, the newest: three seconds of reading and rendering."""
THREAD_JOB_MESSAGES: Final = 20_000
"""The same in a job. PDF takes `PDF_MESSAGES`."""
PDF_MESSAGES: Final = 5_000
"""On paper: 500 pages."""
EXPORT_THREAD_BYTES: Final = 32 * MIB
"""Of the messages of a thread as Markdown: half of the largest file that a worker makes."""
PDF_ROWS: Final = 2_000
"""Of one table on paper: 40 pages. What is beyond is in the export as CSV, and said to be."""
PDF_CELLS: Final = 40_000
"""Of all tables of one PDF: each is set by itself, 10,000 in a second."""
PDF_ORIGINS: Final = 3
"""A PDF that is generated from a PDF of an artifact; more is a circle."""
CHART_SEQUENCE: Final = 10_000
"""Numbers that a chart makes by itself (`sequence`): more points than a screen has pixels."""
EXPORT_IMAGES: Final = 50
"""Files that are shown as pictures in one document."""
EXPORT_IMAGE_BYTES: Final = 8 * MIB
"""Of one picture: a photo of a camera."""
EXPORT_IMAGES_BYTES: Final = 24 * MIB
"""Of all pictures of a document, which stand in memory while it is made, in HTML a third larger."""
EXPORT_IMAGE_PIXELS: Final = 25_000_000
"""Of one picture: four bytes each where it is decoded."""
EXPORT_IMAGES_PIXELS: Final = 100_000_000
"""Of all: the worker that sets a document has 1.5 GiB."""
