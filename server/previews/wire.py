"""What the server and a worker say to each other: a line of JSON for each job, and one for each reply.

A worker that reads a hostile file may be the attacker's: its replies are checked, and name files in the job's folder
only.
"""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from server.previews import limits
from server.previews.job import Job, Tools
from server.previews.preview import Output, Preview, PreviewFailed

NAME = re.compile(r"[a-z]+(-[0-9]{1,3})?")
KEY = re.compile(r"[a-z_]{1,40}")
FILE = re.compile(r"[a-z0-9-]{1,40}\.([a-z]{1,4})")
MEDIA_TYPES: Mapping[str, str] = {"webp": "image/webp", "json": "application/json", "txt": "text/plain"}
"""Of previews, by extension: what a worker makes besides is not taken."""
PLACEHOLDER = re.compile(r"[\x21-\x7e]{1,100}")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class BadReply(ValueError):
    """A worker said what no worker says."""


def job_line(job: Job) -> bytes:
    said = {"path": str(job.path), "media_type": job.media_type, "into": str(job.into)}
    tools = {"convert": job.tools.convert, "ffmpeg": job.tools.ffmpeg, "ffprobe": job.tools.ffprobe}
    return orjson.dumps({**said, "tools": tools}) + b"\n"


def read_job(line: bytes) -> Job:
    said = orjson.loads(line)
    tools = said["tools"]
    tools = Tools(tuple(tools["convert"]), tools["ffmpeg"], tools["ffprobe"])
    return Job(Path(said["path"]), said["media_type"], Path(said["into"]), tools)


def preview_line(preview: Preview) -> bytes:
    outputs = [
        {"name": output.name, "file": output.path.name, "width": output.width, "height": output.height}
        for output in preview.outputs
    ]
    text = None if preview.text is None else clean_text(preview.text)
    said = {"outputs": outputs, "text": text, "metadata": preview.metadata, "placeholder": preview.placeholder}
    return orjson.dumps({"preview": said}) + b"\n"


def failure_line(reason: str, *, retryable: bool = False, last: bool = False) -> bytes:
    """`retryable`: not for the file's sake. `last`: the worker is not fit for another job."""
    return orjson.dumps({"failed": CONTROLS.sub("", reason)[:500], "retryable": retryable, "last": last}) + b"\n"


def read_reply(line: bytes, into: Path, media_types: Mapping[str, str] = MEDIA_TYPES) -> Preview:
    """Raises `PreviewFailed` for a failure that the worker reports, and `BadReply`."""
    try:
        said = orjson.loads(line)
        if "failed" in said:
            raise PreviewFailed(_text(said["failed"], 500), retryable=said["retryable"] is True)
        return _preview(said["preview"], into, media_types)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise BadReply(f"the worker's reply cannot be used: {error}") from error


def is_last(line: bytes) -> bool:
    return line.endswith(b'"last":true}\n')


def clean_text(text: str) -> str:
    return CONTROLS.sub("", text)[: limits.TEXT_CHARS]


def _preview(said: dict[str, Any], into: Path, media_types: Mapping[str, str]) -> Preview:
    text, placeholder = said["text"], said["placeholder"]
    if placeholder is not None and not PLACEHOLDER.fullmatch(placeholder):
        raise BadReply("the placeholder is none")
    if len(said["outputs"]) > limits.OUTPUTS:
        raise BadReply(f"expected at most {limits.OUTPUTS} outputs, got {len(said['outputs'])}")
    outputs = tuple(_output(output, into, media_types) for output in said["outputs"])
    text = None if text is None else _text(text, limits.TEXT_CHARS)
    return Preview(outputs, text, _metadata(said["metadata"]), placeholder)


def _output(said: dict[str, Any], into: Path, media_types: Mapping[str, str]) -> Output:
    name, file = said["name"], said["file"]
    named = FILE.fullmatch(file)
    if not NAME.fullmatch(name) or not named or named[1] not in media_types:
        raise BadReply(f"no output is named {name!r}, {file!r}")
    found = (into / file).lstat()
    if not stat.S_ISREG(found.st_mode):
        raise BadReply(f"{file} is no file")
    width, height = _pixels(said["width"]), _pixels(said["height"])
    return Output(name, into / file, media_types[named[1]], found.st_size, width, height)


def _pixels(said: Any) -> int | None:
    if said is not None and not (type(said) is int and 0 < said <= 100_000):
        raise BadReply(f"expected pixels, got {said!r}")
    return said


def _metadata(said: dict[str, Any]) -> dict[str, int | float | str | bool]:
    if len(said) > limits.METADATA_ENTRIES:
        raise BadReply(f"expected at most {limits.METADATA_ENTRIES} entries of metadata, got {len(said)}")
    for key, value in said.items():
        if not KEY.fullmatch(key) or not isinstance(value, int | float | str):
            raise BadReply(f"no metadata is named {key!r}")
    return {key: _text(value, limits.TAG_CHARS) if isinstance(value, str) else value for key, value in said.items()}


def _text(said: Any, characters: int) -> str:
    if not isinstance(said, str):
        raise BadReply("expected text")
    return CONTROLS.sub("", said)[:characters]
