"""The rows that the pipeline makes: the product, what it starts from, and it without one module.

`views` and `reconstruct` show what the generator adds: the same views that `goodmany` varies, as
they are, and through the adapted VQGAN without any variance.
"""

from dataclasses import replace
from functools import cache

from PIL import Image

from models.evaluation.rows import RowInput
from models.generation import GenerationRequest, GenerationResult
from models.generator import SamplingSettings
from models.options import PipelineOptions
from models.pipeline import Pipeline, load_pipeline

PRODUCT = PipelineOptions()
# With sigma's scale at 0 the residual vanishes: I + D(q(mu)) - D(q(mu)) is the view itself.
VIEWS = PipelineOptions(
    text_guidance=False,
    guard=False,
    adaptation=False,
    sampling=SamplingSettings(scale=0.0, output="residual"),
)
RECONSTRUCT = PipelineOptions(
    text_guidance=False, guard=False, sampling=SamplingSettings(scale=0.0, output="decode")
)

pipeline = cache(load_pipeline)


def request(data: RowInput) -> GenerationRequest:
    """What a user with these k images would ask for."""
    return GenerationRequest(
        images=data.images,
        object_name=data.object_name,
        num_images=data.num_images * len(data.images),
        image_size=data.image_size,
        seed=data.seed,
        effort=data.effort,
    )


def generate(data: RowInput, options: PipelineOptions) -> GenerationResult:
    """The pipeline's answer to the row's request."""
    loaded: Pipeline = pipeline()
    return loaded.generate(request(data), options=options)


def with_generated(data: RowInput, options: PipelineOptions) -> list[Image.Image]:
    """The k real images and those generated from them."""
    generated = generate(data, options).images
    return [*data.images, *(Image.fromarray(image.pixels) for image in generated)]


def goodmany(data: RowInput) -> list[Image.Image]:
    """The k real images and the generated set."""
    return with_generated(data, PRODUCT)


def views(data: RowInput) -> list[Image.Image]:
    """The k real images and the views that the generator is fed with."""
    return with_generated(data, VIEWS)


def reconstruct(data: RowInput) -> list[Image.Image]:
    """The same views through the VQGAN."""
    return with_generated(data, RECONSTRUCT)


def no_text(data: RowInput) -> list[Image.Image]:
    """`goodmany` without text guidance."""
    return with_generated(data, replace(PRODUCT, text_guidance=False))


def unit_sigma(data: RowInput) -> list[Image.Image]:
    """`goodmany` with sigma = 1 everywhere."""
    sampling = replace(PRODUCT.sampling, unit_sigma=True)
    return with_generated(data, replace(PRODUCT, sampling=sampling))


def no_guard(data: RowInput) -> list[Image.Image]:
    """`goodmany` without the normality guard."""
    return with_generated(data, replace(PRODUCT, guard=False))


def no_adaptation(data: RowInput) -> list[Image.Image]:
    """`goodmany` with the VQGAN as it comes."""
    return with_generated(data, replace(PRODUCT, adaptation=False))


def paper(data: RowInput) -> list[Image.Image]:
    """The paper's rules: the decoder's output as the image, prompts of d > 0.5, no guard."""
    sampling = SamplingSettings(output="decode", smooth=False)
    options = PipelineOptions(guard=False, sampling=sampling, outlier_rule="paper")
    return with_generated(data, options)
