"""Pictures: thumbnails of the first frame, upright, without metadata."""

import warnings

from PIL import Image, ImageOps

from server.previews.job import Job
from server.previews.limits import PIXELS, PIXELS_CLAIMED, SIZES
from server.previews.makers.thumbnails import in_standard_colours, placeholder, plain, thumbnails
from server.previews.preview import Preview, PreviewFailed

FORMATS = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/x-icon": "ICO",
}
"""One decoder for one type: Pillow would try all that it has."""
FRAMES_COUNTED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
ORIENTATION = 0x0112
LYING = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height."""


def make(job: Job) -> Preview:
    Image.MAX_IMAGE_PIXELS = PIXELS_CLAIMED // 2  # beyond twice of it Pillow refuses
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    with Image.open(job.path, formats=[FORMATS[job.media_type]]) as image:
        size = image.size
        image.draft("RGB", (2 * SIZES["large"],) * 2)  # before all else: some decoders load a picture for its EXIF
        if image.width * image.height > PIXELS:
            raise PreviewFailed(f"it has {image.width} × {image.height} pixels, more than {PIXELS}")
        metadata = _metadata(image, *size)
        picture = _first_frame(image)
    return Preview(thumbnails(picture, job.into), None, metadata, placeholder(picture))


def _metadata(image: Image.Image, width: int, height: int) -> dict[str, int | float | str | bool]:
    if image.getexif().get(ORIENTATION) in LYING:
        width, height = height, width
    metadata: dict[str, int | float | str | bool] = {"width": width, "height": height}
    if image.format in FRAMES_COUNTED:
        metadata["frames"] = int(getattr(image, "n_frames", 1))
    return metadata


def _first_frame(image: Image.Image) -> Image.Image:
    """As large as the largest thumbnail: what follows is cheap."""
    image.seek(0)
    orientation = image.getexif()
    profile = image.info.get("icc_profile")
    picture = plain(image)
    picture.thumbnail((SIZES["large"],) * 2, Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture.info["exif"] = orientation.tobytes() if orientation else b""
    return in_standard_colours(ImageOps.exif_transpose(picture), profile)
