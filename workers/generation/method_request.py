"""What a client asks for, in the method's own terms."""

from PIL import Image

from app.images.shape import crop_box
from app.jobs.model import JobRequest
from models.job.request import GenerationRequest


def to_generation_request(job_request: JobRequest, images: list[Image.Image]) -> GenerationRequest:
    """The request in the method's own terms.

    Args:
        job_request: the checked fields.
        images: the inputs, RGB 8-bit; all get the first one's shape, see `app/images/shape.py`.
    """
    invariances = job_request.invariances
    return GenerationRequest(
        images=[cut_to_shape(image, images[0].size) for image in images],
        object_name=job_request.object_name,
        sense=job_request.sense,
        num_images=job_request.num_images,
        image_size=job_request.image_size,
        seed=job_request.seed,
        prompt=job_request.prompt,
        invariances=None if invariances is None else frozenset(map(str, invariances)),
        effort=job_request.effort,
        preset=job_request.preset,
        strict=job_request.strict,
    )


def cut_to_shape(image: Image.Image, first_size: tuple[int, int]) -> Image.Image:
    """The image in the shape of an image of that size, equally much of both ends cut off."""
    box = crop_box(image.size, first_size)
    return image if box is None else image.crop(box)
