"""The wish of a client in the method's own terms."""

from PIL import Image

from app.jobs import JobRequest
from models.generation import GenerationRequest


def to_generation_request(wish: JobRequest, images: list[Image.Image]) -> GenerationRequest:
    """The wish in the method's own terms.

    Args:
        wish: the checked fields.
        images: the inputs, RGB 8-bit.
    """
    invariances = wish.invariances
    return GenerationRequest(
        images=images,
        object_name=wish.object_name,
        num_images=wish.num_images,
        image_size=wish.image_size,
        seed=wish.seed,
        prompt=wish.prompt,
        invariances=None if invariances is None else frozenset(map(str, invariances)),
        effort=wish.effort,
        strict=wish.strict,
    )
