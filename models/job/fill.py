"""The stage "fill": makes images until there are enough that pass the guard, and chooses the set.

Every image is drawn anew with the decoder that the rounds kept; no image of a round is delivered.

An image is judged at the size at which the method sees it. At the output's size, where that is
larger, it is made when it is asked for: the view at full sharpness, and on it the generator's
change, enlarged.

Axes: h x w pixels as seen, H x W of the output, P patches, F patch features; images in [0, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.guard.normality import Verdict
from models.integrator.selection import SCORE_WEIGHT, looked_at, select
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.job.request import GeneratedImage, RejectedImage
from models.views.draws import FILL_SEEDS, MAX_SEED, Draw, Draws

# Images made for each one wanted before a job ends with fewer to choose from, or fewer.
CANDIDATE_BUDGET = 5
# An image that the guard finds anomalous is made again with its sigma times the next of these.
SIGMA_STEPS = (1.0, 0.5, 0.25)
# Of so many rejected images of each kind the pixels are kept, for people to look at.
MAX_SHOWN_REJECTIONS = 12


@dataclass
class Accepted:
    """The images that the guard let pass, and why others did not.

    Attributes:
        images: in the order in which they were made.
        patches: of each, as a detector sees it, (P, F) float on the CPU.
        rejections: reason -> how many.
        rejected: the first MAX_SHOWN_REJECTIONS of each reason.
    """

    images: list[GeneratedImage]
    patches: list[Tensor]
    rejections: dict[str, int]
    rejected: list[RejectedImage] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Variation:
    """What the generator makes of a view.

    Attributes:
        pixels: (3, h', w') at the size at which the generator works: a change in [-1, 1] to be
            added to the view, or an image in [0, 1]; None leaves the view as it is.
        is_change: whether it is added.
        sigma_scale: the factor on sigma that it was made with; 0: the view as it is.
    """

    pixels: Tensor | None
    is_change: bool
    sigma_scale: float

    def of(self, view: Tensor) -> Tensor:
        """What becomes of the view (3, H, W), of any size; in steps of 8 bits, as delivered."""
        if self.pixels is not None:
            made = self.pixels.to(view)
            if made.shape != view.shape:
                made = F.interpolate(made[None], view.shape[-2:], mode="bicubic")[0]
            view = view + made if self.is_change else made
        return (view.clamp(0.0, 1.0) * 255).round() / 255


def fill(generation: Generation, prepared: Prepared) -> Accepted:
    """Makes images until there are enough to choose from or the budget is spent."""
    models, options = generation.models, generation.options
    wanted = generation.request.num_images
    enough = generation.effort.num_candidates(wanted) if options.selection else wanted
    budget = wanted * CANDIDATE_BUDGET
    accepted = Accepted([], [], {"anomalous": 0, "near_copy": 0})
    for number in range(budget):
        num_accepted = len(accepted.images)
        if num_accepted == enough:
            break
        draw = generation.draws.draw(FILL_SEEDS, number)
        image, variation, verdict = _make(generation, prepared, draw)
        percent = 70.0 + 27.0 * max(num_accepted / enough, number / budget)
        generation.progress.tell("fill", percent, num_images=min(num_accepted, wanted))
        if verdict.reason is not None and options.guard:
            accepted.rejections[verdict.reason] += 1
            if accepted.rejections[verdict.reason] <= MAX_SHOWN_REJECTIONS:
                accepted.rejected.append(_rejected(image, draw, verdict))
            continue
        prepared.guard.remember(image)
        cosine = float(
            (models.encoder.embed_image(image[None])[0] @ prepared.prompt.embedding).cpu()
        )
        render = _renderer(generation.draws, draw, variation, image)
        accepted.images.append(
            GeneratedImage(
                render=render,
                seed=draw.seed,
                source=draw.source,
                transform={**draw.view.as_dict(), "sigma_scale": variation.sigma_scale},
                scores={
                    "prompt_cosine": round(cosine, 6),
                    "guard_distance": round(verdict.guard_distance, 6),
                    "nearest_distance": round(verdict.nearest_distance, 6),
                },
            )
        )
        accepted.patches.append(looked_at(image, models.features))
    generation.progress.tell("fill", 97.0, num_images=min(len(accepted.images), wanted))
    return accepted


def choose(generation: Generation, accepted: Accepted) -> list[GeneratedImage]:
    """The set to deliver, of the accepted images."""
    features, wanted = generation.models.features, generation.request.num_images
    num_steps = len(accepted.images) + wanted
    chosen = select(
        accepted.patches,
        [image.scores["prompt_cosine"] for image in accepted.images],
        wanted,
        torch.cat([looked_at(image, features) for image in generation.draws.pictures]),
        score_weight=SCORE_WEIGHT if generation.options.text_guidance else 0.0,
        on_step=generation.progress.counter("fill", 97.0, 99.0, num_steps),
    )
    return [accepted.images[index] for index in chosen]


def _make(
    generation: Generation, prepared: Prepared, draw: Draw
) -> tuple[Tensor, Variation, Verdict]:
    """One image (3, h, w) as seen, with as much of its sigma as the guard lets pass."""
    options, generator = generation.options, prepared.generator
    # Seeds are drawn evenly from [0, MAX_SEED), so that this is about that share of the images.
    is_varied = draw.seed < options.varied_share * MAX_SEED
    is_change = options.sampling.output == "residual"
    with torch.no_grad():
        encoded = generator.encode(generation.draws.at_work(draw.pixels)[None])
    for step in SIGMA_STEPS:
        scale = options.sampling.scale * step if is_varied else 0.0
        pixels = None
        if scale or not is_change:
            settings = replace(options.sampling, scale=scale)
            with torch.no_grad():
                made = generator.vary(encoded, [draw.seed], settings)
            pixels = (made - encoded.views if is_change else made)[0]
        variation = Variation(pixels, is_change, scale)
        image = variation.of(draw.pixels)
        verdict = prepared.guard.judge(image)
        if verdict.reason != "anomalous" or not scale or not options.guard:
            break
    return image, variation, verdict


def _rejected(image: Tensor, draw: Draw, verdict: Verdict) -> RejectedImage:
    assert verdict.reason is not None
    return RejectedImage(
        pixels=_to_bytes(image),
        source=draw.source,
        reason=verdict.reason,
        guard_distance=verdict.guard_distance,
        nearest_distance=verdict.nearest_distance,
        place=verdict.place,
    )


def _renderer(
    draws: Draws, draw: Draw, variation: Variation, seen: Tensor
) -> Callable[[], np.ndarray]:
    """Gives the image at the output's size, (H, W, 3) uint8; `seen` is it as the method sees it."""
    if draws.size == draws.seen_size:
        pixels = _to_bytes(seen)
        return lambda: pixels
    # What waits to be made takes little memory.
    waiting = draw._replace(pixels=draw.pixels.new_empty(0))
    half = replace(variation, pixels=None if variation.pixels is None else variation.pixels.half())
    return partial(_render, draws, waiting, half)


def _render(draws: Draws, draw: Draw, variation: Variation) -> np.ndarray:
    with torch.no_grad():
        return _to_bytes(variation.of(draws.shown(draw)))


def _to_bytes(image: Tensor) -> np.ndarray:
    """An image (3, H, W) in [0, 1] as (H, W, 3) uint8."""
    return (image * 255).round().byte().permute(1, 2, 0).cpu().numpy()
