"""The rows that the pipeline makes: the product, what it starts from, and it without one module.

`views` and `reconstruct` show what the generator adds: the same views that `goodmany` varies, as
they are, and through the adapted VQGAN without any variance. What several rows have in common (the
prompt, the guard, the adapted generator) is made once for the k real images.
"""

from dataclasses import replace
from functools import lru_cache, partial

from PIL import Image

from models.evaluation.rows.plain import Row, RowInput
from models.generator.sampling import SamplingSettings
from models.job.generation import Generation
from models.job.models import Models
from models.job.options import PRESETS, PipelineOptions
from models.job.pipeline import load_pipeline
from models.job.prepare import Prepared, choose_prompt, decide_views
from models.job.progress import Progress
from models.job.request import GenerationRequest, GenerationResult
from models.job.run import complete, prepare
from models.views.draws import FILL_SEEDS, Draws
from models.views.view import to_image

PRODUCT, VARIED = PRESETS["goodmany"], PRESETS["varied"]
VIEWS = "views"
OPTIONS = {
    VIEWS: PipelineOptions(
        text_guidance=False, selection=False, guard=False, adaptation=False, varied_share=0.0
    ),
    "reconstruct": PipelineOptions(
        text_guidance=False,
        selection=False,
        guard=False,
        sampling=SamplingSettings(scale=0.0, output="decode"),
    ),
    "goodmany": PRODUCT,
    "varied": VARIED,
    "paper": PRESETS["paper"],
    "no-selection": replace(PRODUCT, selection=False),
    "no-text": replace(PRODUCT, text_guidance=False),
    # The plain VQGAN's z = mu + eps.
    "unit-sigma": replace(VARIED, sampling=replace(VARIED.sampling, scale=1.0, unit_sigma=True)),
    "no-guard": replace(PRODUCT, guard=False),
    "no-adaptation": replace(VARIED, adaptation=False),
}

# One set of models stays loaded: every row of a table uses the same.
_load = lru_cache(maxsize=1)(load_pipeline)


def models_of(data: RowInput) -> Models:
    """The models that the row wants, loaded once."""
    return _load(encoder=data.encoder, vqgan=data.vqgan, device=data.device).models


def request(data: RowInput) -> GenerationRequest:
    """What a user with these k images would ask for."""
    return GenerationRequest(
        images=data.images,
        object_name=data.object_name,
        num_images=data.num_images * len(data.images),
        image_size=data.image_size,
        seed=data.seed,
        effort=data.effort,
        invariances=None if data.invariances is None else frozenset(data.invariances),
    )


@lru_cache(maxsize=1)
def draws(data: RowInput) -> Draws:
    """The views that every row of these real images starts from."""
    generation = Generation.of(models_of(data), request(data), PRODUCT)
    generation.draws.decision = decide_views(generation)
    return generation.draws


def prepared_product(data: RowInput) -> Prepared:
    """Prompt, guard and generator as the product has them, for every row to begin with."""
    return _prepared(data, PRODUCT.sampling.output)


@lru_cache(maxsize=2)
def _prepared(data: RowInput, output: str) -> Prepared:
    """The same for rows that deliver the decoder's output, which learns for it, or its change."""
    options = replace(VARIED, sampling=replace(VARIED.sampling, output=output))
    return prepare(Generation.of(models_of(data), request(data), options))


def generate(data: RowInput, options: PipelineOptions) -> GenerationResult:
    """The pipeline's answer to the row's request."""
    prepared = _prepared(data, options.sampling.output)
    adapted = prepared.adapted_decoder if options.adaptation else prepared.base_decoder
    assert prepared.generator is not None
    prepared.generator.load_decoder_state(adapted)
    prepared.guard.forget_generated(len(data.images))
    generation = Generation(models_of(data), request(data), options, draws(data), Progress())
    if options.outlier_rule != PRODUCT.outlier_rule:
        prepared = replace(prepared, prompt=choose_prompt(generation))
    return complete(generation, prepared)


def with_views(data: RowInput) -> list[Image.Image]:
    """The k real images and the views of them, unchanged."""
    views = draws(data)
    drawn = (views.draw(FILL_SEEDS, n) for n in range(request(data).num_images))
    return [*data.images, *(to_image(views.shown(draw)) for draw in drawn)]


def pictures(result: GenerationResult) -> list[Image.Image]:
    """The generated images."""
    return [Image.fromarray(image.pixels) for image in result.images]


def with_generated(data: RowInput, options: PipelineOptions) -> list[Image.Image]:
    """The k real images and those generated from them."""
    return [*data.images, *pictures(generate(data, options))]


def generated_row(name: str) -> Row:
    """The row of a name in OPTIONS; `views` takes a short way to the same images."""
    return with_views if name == VIEWS else partial(with_generated, options=OPTIONS[name])
