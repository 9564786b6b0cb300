"""Exports: charts as pictures, documents as PDF, jobs. What a worker may use: `server/exports/worker/limits.py`."""

from typing import Final

EXPORT_AT_ONCE_SECONDS: Final = 20.0
"""For an answer with an export: a client waits no longer. What takes longer is made as a job."""
EXPORTS_WAITING: Final = 50
"""Charts and documents that wait for a worker; each takes up to a minute."""
PDF_ROWS: Final = 2_000
"""Of one table on paper: 40 pages. What is beyond is in the export as CSV, and said to be."""
PDF_CELLS: Final = 40_000
"""Of all tables of one PDF: each is set by itself, 10,000 in a second."""
PDF_ORIGINS: Final = 3
"""A PDF that is generated from a PDF of an artifact; more is a circle."""
CHART_SEQUENCE: Final = 10_000
"""Numbers that a chart makes by itself (`sequence`): more points than a screen has pixels."""
