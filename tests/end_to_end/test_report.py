"""An agent writes a report before all eyes, a person comments on it and edits it, and the agent exports it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.end_to_end.test_approval import ROOT, line, place_of, stop
from tests.server.exports.reading import pages_of
from tests.serving import ServerProcess


async def test_a_report_is_written_edited_and_exported(tmp_path: Path) -> None:
    process, file = ServerProcess(tmp_path / "data"), tmp_path / "report.pdf"
    await process.start()
    async with aiohttp.ClientSession() as session:
        place = await place_of(process, session)
        arguments = ("-m", "examples.report", process.url, place.thread_id, place.key, str(file))
        agent = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            said, _, report_id = (await line(agent)).rpartition(" ")
            assert said == "agent: written"
            report = (await place.bob.get(f"/api/v1/artifacts/{report_id}")).data
            assert (report["version"], len(report["content"]["sections"])) == (5, 3)
            text = report["content"]["sections"][0]["text"]
            assert text == "Sales *rose*, and fell a little in March."
            assert report["provenance"]["model"] == "example", "it was streamed"
            anchor = {"pointer": "/sections/0/text", "start": 18, "end": 31, "quote": "fell a little"}
            url = f"/api/v1/artifacts/{report_id}/comments"
            comment = (await place.bob.post(url, content="How much?", anchor=anchor)).data
            assert await line(agent) == "agent: answered Bob"
            (reply,) = (await place.bob.get(url, parent_id=comment["id"])).data
            assert reply["content"] == "I looked at “fell a little” again."
            patch = [{"op": "replace", "path": "/sections/0/text", "value": "Bob knows better."}]
            assert (await place.bob.patch(f"/api/v1/artifacts/{report_id}", patch=patch)).status == 200
            assert [await line(agent) for _ in range(4)] == [
                "agent: edited by Bob", "agent: 0 of 2", "agent: 1 of 2", "agent: 2 of 2",
            ]  # fmt: skip
            assert await line(agent) == f"agent: 1 page(s) in {file}"
            (page,) = pages_of(file.read_bytes())
            assert "Bob knows better." in page
            assert "Mar 55" in page
        finally:
            await stop(agent)
            assert await process.stop() == 0
