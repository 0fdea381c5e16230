"""What the viewer does for `POST /v1/views`: the families of views, shown on the request's images.

The function is named by the API as a string (`app.jobs.queues.enqueue.SHOW_VIEWS`).
"""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from app.files.decoders import Decoders
from app.files.storage import Storage
from app.http.view_families import ViewFamily
from app.images.shape import crop_box
from app.jobs.model import Invariance
from app.settings import Settings
from models.features.patches import PatchFeatures, load_patch_features
from models.views.decision.invariances import analysed, detailed, looked_at
from models.views.families import Family, show_families
from models.views.showing.warp import FINENESS
from models.views.view import to_image

# Long side of a shown view.
SHOWN_PX = 192
JPEG_QUALITY = 88


@dataclass(frozen=True)
class Viewer:
    """What is loaded once for all questions of this process."""

    features: PatchFeatures
    storage: Storage
    decoders: Decoders


_warm: list[Viewer] = []


def load_viewer(settings: Settings) -> None:
    """Loads what decides about views; called once, before the first question.

    Raises:
        RuntimeError: the model is missing or damaged; the message names it.
    """
    storage = Storage(settings.storage_address)
    _warm[:] = [Viewer(load_patch_features(), storage, Decoders(settings))]


def show_views(
    question_id: str, bits: list[int], image_size: int | None
) -> list[dict[str, object]]:
    """Each `ViewFamily`, as JSON has it.

    Args:
        question_id: the images lie in the storage under it, as a job's do.
        bits: of each image, how many of a stored number count.
        image_size: long side of a job's images in px; None: the first image's own.
    """
    (viewer,) = _warm

    def read(number: int) -> Image.Image:
        content = viewer.storage.read(question_id, f"inputs/{number:03d}")
        with viewer.decoders.borrow() as decoder:
            reading = decoder.read(content, bits=bits[number], pixels=True)
        assert reading.pixels is not None
        return Image.frombytes("RGB", reading.facts.size, reading.pixels)

    reads = [lambda number=number: read(number) for number in range(len(bits))]
    families = families_of(reads, viewer.features, image_size)
    return [to_view_family(family).model_dump(mode="json") for family in families]


def families_of(
    reads: Sequence[Callable[[], Image.Image]], features: PatchFeatures, image_size: int | None
) -> list[Family]:
    """The families of views of a request's images.

    Args:
        reads: each gives an image, RGB 8-bit, when it is called; as a job would have them.
        features: what images are compared by.
        image_size: as of `show_views`.
    """
    seen: list[Tensor] = []
    details: list[Tensor] = []
    small: list[Image.Image] = []
    shown_px = min(SHOWN_PX, image_size or SHOWN_PX)
    # No more than one image is held at its full size.
    for number in looked_at(len(reads)):
        image = reads[number]()
        if not small:
            size = image.size
            shown_px = min(shown_px, max(size))
        box = crop_box(image.size, size)
        image = image if box is None else image.crop(box)
        seen.append(analysed(image, size))
        details.append(detailed(image))
        image.thumbnail((FINENESS * shown_px,) * 2, Image.Resampling.LANCZOS)
        small.append(image)
    with torch.inference_mode():
        return show_families(small, torch.stack(seen), features, shown_px, details)


def to_view_family(family: Family) -> ViewFamily:
    """The family as a client sees it."""
    return ViewFamily(
        name=Invariance(family.name),
        title=family.title,
        belief=family.belief,
        chosen=family.chosen,
        reason=family.reason,
        images=[_data_url(to_image(view)) for view in family.views],
    )


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
