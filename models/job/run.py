"""One generation from request to result: the method's stages in the paper's order.

`prepare`: the prompt P (4.1.1); the views, the guard, the generator with its sigma and its adapted
decoder (4.1.2). `complete`: the rounds under the prompt (4.2), then new images until enough have
passed the guard, and the choice among them.
"""

from models.job.fill import choose, fill
from models.job.generation import Generation
from models.job.prepare import (
    Prepared,
    allowance_of,
    choose_prompt,
    decide_views,
    draw_views,
    fit_generator,
    fit_guard,
)
from models.job.report import result_of
from models.job.request import GenerationResult
from models.job.rounds import run_rounds
from models.runtime.errors import StrictError


def prepare(generation: Generation) -> Prepared:
    """Chooses the prompt, learns from the images, adapts the generator to them."""
    with generation.progress.stage("prompt"):
        prompt = choose_prompt(generation)
    with generation.progress.stage("adapt"):
        generation.draws.decision = decide_views(generation)  # all draws follow it
        guard = fit_guard(generation)
        views = draw_views(generation)
        generator, base_decoder, adaptation = fit_generator(generation, views)
    return Prepared(
        prompt,
        guard,
        allowance_of(generation, views),
        generator,
        base_decoder,
        generator.decoder_state() if generator else [],
        adaptation,
    )


def complete(generation: Generation, prepared: Prepared) -> GenerationResult:
    """Runs the rounds, fills the set and chooses.

    Raises:
        StrictError: no image passed, or the request is strict and wants more than passed.
    """
    with generation.progress.stage("rounds"):
        integration = run_rounds(generation, prepared)
    with generation.progress.stage("fill"):
        accepted = fill(generation, prepared)
        chosen = choose(generation, accepted)
    if len(chosen) < (generation.request.num_images if generation.request.strict else 1):
        raise StrictError(
            f"{len(chosen)} of {generation.request.num_images} images passed the normality guard; "
            f"rejected: {accepted.rejections}"
        )
    return result_of(generation, prepared, integration, accepted, chosen)


def run(generation: Generation) -> GenerationResult:
    """All stages.

    Raises:
        StrictError: no image passed, or the request is strict and wants more than passed.
    """
    return complete(generation, prepare(generation))
