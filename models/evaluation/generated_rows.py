"""The rows that the pipeline makes: the product, what it starts from, and it without one module.

`views` and `reconstruct` show what the generator adds: the same views that `goodmany` varies, as
they are, and through the adapted VQGAN without any variance.
"""

from dataclasses import replace
from functools import lru_cache, partial

from PIL import Image

from models.evaluation.guard_trial import Defendant
from models.evaluation.rows import Row, RowInput
from models.generation import GenerationRequest, GenerationResult
from models.generator import SamplingSettings
from models.options import PipelineOptions
from models.pipeline import Pipeline, load_pipeline
from models.run import GenerationRun

PRODUCT = PipelineOptions()
PLAIN_VIEWS = SamplingSettings(scale=0.0, output="residual")
PLAIN_DECODE = SamplingSettings(scale=0.0, output="decode")
OPTIONS = {
    # With sigma's scale at 0 the residual vanishes: I + D(q(mu)) - D(q(mu)) is the view itself.
    "views": PipelineOptions(
        text_guidance=False, guard=False, adaptation=False, sampling=PLAIN_VIEWS
    ),
    "reconstruct": PipelineOptions(text_guidance=False, guard=False, sampling=PLAIN_DECODE),
    "goodmany": PRODUCT,
    # The paper's own rules: the decoder's output as the image, prompts of d > 0.5, no guard.
    "paper": PipelineOptions(
        guard=False,
        sampling=SamplingSettings(output="decode", smooth=False),
        outlier_rule="paper",
    ),
    "no-text": replace(PRODUCT, text_guidance=False),
    "unit-sigma": replace(PRODUCT, sampling=replace(PRODUCT.sampling, unit_sigma=True)),
    "no-guard": replace(PRODUCT, guard=False),
    "no-adaptation": replace(PRODUCT, adaptation=False),
}

# One set of models stays loaded: every row of a table uses the same.
_load = lru_cache(maxsize=1)(load_pipeline)


def pipeline_of(data: RowInput) -> Pipeline:
    """The pipeline that the row wants, loaded once."""
    return _load(encoder=data.encoder, vqgan=data.vqgan, device=data.device)


def request(data: RowInput) -> GenerationRequest:
    """What a user with these k images would ask for."""
    return GenerationRequest(
        images=data.images,
        object_name=data.object_name,
        num_images=data.num_images,
        image_size=data.image_size,
        seed=data.seed,
        effort=data.effort,
    )


def generate(data: RowInput, options: PipelineOptions) -> GenerationResult:
    """The pipeline's answer to the row's request."""
    return pipeline_of(data).generate(request(data), options=options)


def pictures(result: GenerationResult) -> list[Image.Image]:
    """The generated images."""
    return [Image.fromarray(image.pixels) for image in result.images]


def with_generated(data: RowInput, options: PipelineOptions) -> list[Image.Image]:
    """The k real images and those generated from them."""
    return [*data.images, *pictures(generate(data, options))]


def generated_row(name: str) -> Row:
    """The row of a name in OPTIONS."""
    return partial(with_generated, options=OPTIONS[name])


def defendant(data: RowInput) -> Defendant:
    """The guard of this request, and images that it let pass."""
    run = GenerationRun(pipeline_of(data), request(data), None, PRODUCT)
    run._decide_invariances()
    return Defendant(run._fit_guard(), run.size, pictures(generate(data, PRODUCT)))
