"""What Pillow reads rightly: images of 8 and fewer bits, in JPEG, BMP, WebP and shallow PNG."""

import io

import numpy as np
from PIL import Image

from app.images.formats.size_limit import check_size
from app.images.limits import ImageLimits
from app.images.orientation import read_orientation
from app.images.picture import Picture
from app.problems import ImageTooLarge, NotAnImage, SeveralFrames


def read_eight_bit(data: bytes, formats: tuple[str, ...], limits: ImageLimits) -> Picture:
    """The picture, by Pillow's decoders of these formats.

    Raises:
        NotAnImage: the header makes no sense.
        ImageTooLarge, ImageTooSmall: the header says so.
        SeveralFrames: an animation. A phone's JPEG with a second picture behind the first (MPO)
            counts as its first picture.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLarge("The image declares far too many pixels.") from error
    except Exception as error:
        raise NotAnImage(f"It begins like {formats[0]}, but its header makes no sense.") from error
    with image:
        check_size(*image.size, limits)
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise SeveralFrames("The file is an animation; send one picture.")
        image.load()
        return to_picture(image)


def to_picture(image: Image.Image) -> Picture:
    """A loaded Pillow image of 8 and fewer bits: CMYK, LAB and YCbCr by Pillow's conversion."""
    bands = image.getbands()
    orientation = read_orientation(image)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert("RGB")
    elif image.mode in ("1", "L"):
        grey = np.asarray(image.convert("L"))
        return Picture(samples=grey[..., None], num_channels=1, orientation=orientation)
    elif image.mode != "RGB":
        image = image.convert("RGB")
    return Picture(
        samples=np.asarray(image),
        alpha=alpha,
        alpha_is_channel="A" in bands,
        num_channels=len(bands),
        orientation=orientation,
    )
