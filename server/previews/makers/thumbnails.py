"""Small WebP files of a picture, and what is shown until they are there."""

import io
import itertools
from pathlib import Path

import blurhash
from PIL import Image, ImageCms

from server.previews.limits import SIZES
from server.previews.preview import Output

WEBP_QUALITY = 80
WEBP_METHOD = 3
"""Half of the time of the default for 3 % more bytes."""
HASHED_PIXELS = 32
HASHED_PARTS = (4, 3)


def plain(image: Image.Image) -> Image.Image:
    """RGB or RGBA, loaded; 16-bit greys are scaled down, not clipped."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return image.convert("I").point(lambda level: level / 256).convert("L").convert("RGB")
    if image.mode in {"RGB", "RGBA"}:
        image.load()
        return image
    has_alpha = "A" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def in_standard_colours(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """sRGB: the profile goes with the rest of the metadata. A profile that makes no sense changes nothing."""
    if not profile:
        return picture
    try:
        own, standard = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        changed = ImageCms.profileToProfile(picture, own, standard, outputMode=picture.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return picture if changed is None else changed


def thumbnails(picture: Image.Image, into: Path) -> tuple[Output, ...]:
    """As many of the three sizes as the picture has pixels for; at least the small one."""
    longer = max(picture.size)
    sizes = list(SIZES.items())
    wanted = [sizes[0], *(size for before, size in itertools.pairwise(sizes) if longer > before[1])]
    return tuple(save(picture, name, pixels, into) for name, pixels in reversed(wanted))[::-1]


def save(picture: Image.Image, name: str, pixels: int, into: Path) -> Output:
    """No longer than `pixels`; without metadata of any kind."""
    small = picture.copy()
    small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info.clear()
    path = into / f"{name}.webp"
    small.save(path, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD, exif=b"", icc_profile=b"", xmp=b"")
    return Output(name, path, "image/webp", path.stat().st_size, small.width, small.height)


def placeholder(picture: Image.Image) -> str:
    """A blurhash of the picture on white; where a side has too few pixels for one, its average colour."""
    tiny = picture.copy()
    tiny.thumbnail((HASHED_PIXELS, HASHED_PIXELS))
    if tiny.mode == "RGBA":
        tiny = Image.alpha_composite(Image.new("RGBA", tiny.size, "white"), tiny)
    tiny = tiny.convert("RGB")
    if min(tiny.size) < max(HASHED_PARTS):
        red, green, blue = tiny.resize((1, 1)).tobytes()
        return f"#{red:02x}{green:02x}{blue:02x}"
    data, width = tiny.tobytes(), tiny.width
    rows = [[data[(y * width + x) * 3 :][:3] for x in range(width)] for y in range(tiny.height)]
    return str(blurhash.encode(rows, *HASHED_PARTS))
