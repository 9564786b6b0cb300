"""Sound and video: duration and size, and a picture of a video where ffmpeg is there."""

import math
from pathlib import Path
from typing import Any

import orjson
from PIL import Image
from tinytag import TinyTag, TinyTagException

from server.previews.job import Job
from server.previews.limits import SIZES, TAG_CHARS
from server.previews.makers import commands
from server.previews.makers.thumbnails import placeholder, save, thumbnails
from server.previews.preview import Preview, PreviewFailed

DEMUXERS = {
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/flac": "flac",
    "audio/mp4": "mov",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/webm": "matroska",
    "video/mp4": "mov",
    "video/mpeg": "mpeg",
    "video/ogg": "ogg",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
"""The type's own reader and no other: ffmpeg would follow a playlist to other files and hosts."""
SECONDS_IN = 1
"""The picture of a video: many begin in black."""

Metadata = dict[str, int | float | str | bool]


def make(job: Job) -> Preview:
    metadata = _tags(job.path)
    metadata.update(_probed(job))
    if not metadata and job.tools.ffprobe is None:
        return Preview()
    picture = _picture(job) if job.media_type.startswith("video/") else None
    if picture is None:
        return Preview(metadata=metadata)
    poster = save(picture, "poster", SIZES["large"], job.into)
    return Preview((poster, *thumbnails(picture, job.into)), None, metadata, placeholder(picture))


def _tags(path: Path) -> Metadata:
    """By their headers alone. Nothing for formats that have no tags."""
    try:
        with path.open("rb") as file:
            tag = TinyTag.get(filename=None, file_obj=file, image=False)
    except (TinyTagException, OSError, ValueError):
        return {}
    numbers = {"duration": tag.duration, "channels": tag.channels, "sample_rate": tag.samplerate}
    texts = {"title": tag.title, "artist": tag.artist, "album": tag.album}
    known: Metadata = {name: value for name, value in numbers.items() if value and math.isfinite(value)}
    return known | {name: text[:TAG_CHARS] for name, text in texts.items() if text}


def _probed(job: Job) -> Metadata:
    if job.tools.ffprobe is None or job.media_type not in DEMUXERS:
        return {}
    what = ["-show_entries", "format=duration:stream=codec_type,width,height", "-of", "json"]
    printed = commands.run([job.tools.ffprobe, "-v", "error", *_source(job), *what])
    return _of_probe(orjson.loads(printed))


def _of_probe(said: dict[str, Any]) -> Metadata:
    metadata: Metadata = {}
    duration = said.get("format", {}).get("duration")
    if duration is not None and 0 < float(duration) < float("inf"):
        metadata["duration"] = float(duration)
    for stream in said.get("streams", []):
        if stream.get("codec_type") == "video" and stream.get("width"):
            metadata |= {"width": int(stream["width"]), "height": int(stream["height"])}
    return metadata


def _picture(job: Job) -> Image.Image | None:
    """None where there is no ffmpeg, or no picture in the file."""
    if job.tools.ffmpeg is None or job.media_type not in DEMUXERS:
        return None
    side = SIZES["large"]
    scale = f"scale=w='min({side},iw)':h='min({side},ih)':force_original_aspect_ratio=decrease"
    for second in (SECONDS_IN, 0):
        path = job.into / "frame.png"
        out = ["-frames:v", "1", "-vf", scale, "-threads", "1", "-y", f"file:{path}"]
        try:
            commands.run(
                [job.tools.ffmpeg, "-v", "error", "-nostdin", "-threads", "1", "-ss", str(second), *_source(job), *out]
            )
            return _loaded(path)
        except (PreviewFailed, OSError):
            continue
    return None


def _loaded(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=["PNG"]) as frame:
            return frame.convert("RGB")
    finally:
        path.unlink(missing_ok=True)


def _source(job: Job) -> list[str]:
    return ["-protocol_whitelist", "file", "-f", DEMUXERS[job.media_type], "-i", f"file:{job.path}"]
