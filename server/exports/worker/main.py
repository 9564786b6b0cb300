"""A worker process that draws charts and sets documents: `python -m server.exports.worker.main`."""

from server.exports.worker import charts, documents
from server.exports.worker.kinds import CHART, DOCUMENT
from server.previews.kinds import add_maker
from server.previews.worker import main

if __name__ == "__main__":
    add_maker(CHART, charts.make)
    add_maker(DOCUMENT, documents.make)
    main()
