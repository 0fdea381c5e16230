"""The stage "fill": makes images until there are enough that pass the guard, and chooses the set.

Every image is drawn with the decoder that the rounds kept, the first of them from the views and the
seeds that the rounds were judged by: where a round makes the whole set, this is the best round's.

An image is judged at the size at which the method sees it. At the output's size, where that is
larger, it is made when it is asked for: the view at full sharpness, and on it the generator's
change, enlarged.

Axes: h x w pixels as seen, H x W of the output, P patches, F patch features; images in [0, 1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from models.encoder.devise import IMAGE_SIZE_PX, DeviseEncoder
from models.features.patches import resized
from models.guard.normality import Verdict
from models.integrator.selection import LOOKED_AT_PX, SCORE_WEIGHT, looked_at, select
from models.job.generation import Generation
from models.job.making import Candidate, Variation, make
from models.job.models import Models
from models.job.prepare import Prepared
from models.job.request import GeneratedImage, RejectedImage
from models.runtime.device import images_at_once
from models.runtime.device_memory import HalvingBatch
from models.runtime.spool import Spool
from models.views.draws import FILL_SEEDS, Draw, Draws

# Images made for each one wanted before a job ends with fewer to choose from, or fewer.
CANDIDATE_BUDGET = 5
# Where copies have spent the budget, the line's images hardly differ: so many times it is given
# again, and each time half of the difference makes an image another.
MORE_BUDGETS = 3
# Of so many rejected images of each kind the pixels are kept, for people to look at.
MAX_SHOWN_REJECTIONS = 12


@dataclass
class Accepted:
    """The images that the guard let pass, and why others did not.

    Attributes:
        images: in the order in which they were made.
        patches: gives of each what a detector sees, (P, F) half; empty if there is no choice.
        poses: of each, what its view did with the pose.
        rejections: reason -> how many.
        rejected: the first MAX_SHOWN_REJECTIONS of each reason.
        spool: where what belongs to the images waits.
    """

    images: list[GeneratedImage] = field(default_factory=list)
    patches: list[Callable[[], np.ndarray]] = field(default_factory=list)
    poses: list[tuple[bool, ...]] = field(default_factory=list)
    rejections: dict[str, int] = field(default_factory=lambda: {"anomalous": 0, "near_copy": 0})
    rejected: list[RejectedImage] = field(default_factory=list)
    spool: Spool = field(default_factory=Spool)

    def reject(self, candidate: Candidate, verdict: Verdict) -> None:
        """Counts an image that the guard kept out."""
        assert verdict.reason is not None
        look = verdict.look
        self.rejections[verdict.reason] += 1
        if self.rejections[verdict.reason] <= MAX_SHOWN_REJECTIONS:
            self.rejected.append(
                RejectedImage(
                    pixels=_to_bytes(candidate.image),
                    source=candidate.draw.source,
                    reason=verdict.reason,
                    guard_distance=None if look is None else look.guard_distance,
                    nearest_distance=verdict.nearest_distance,
                    place=None if look is None else look.place,
                )
            )


def fill(generation: Generation, prepared: Prepared) -> Accepted:
    """Makes images until there are enough to choose from or the budget is spent.

    Where copies have spent it, there is more, and what was a copy may be an image.
    """
    options, wanted = generation.options, generation.request.num_images
    enough = generation.effort.num_candidates(wanted) if options.selection else wanted
    budget = wanted * CANDIDATE_BUDGET
    most = (1 + MORE_BUDGETS) * budget
    copy_difference = prepared.guard.copy_difference
    batch = HalvingBatch(images_at_once(generation.models.device))
    accepted, number, start = Accepted(), 0, generation.fill_percent
    while missing := enough - len(accepted.images):
        if number >= budget:
            is_short = len(accepted.images) < wanted
            is_for_copies = accepted.rejections["near_copy"] > number / 2
            if number >= most or not (is_short and is_for_copies):
                break
            prepared.guard.copy_difference /= 2
            budget += wanted * CANDIDATE_BUDGET
        count = min(batch.size, missing, budget - number)
        draws = [generation.draws.draw(FILL_SEEDS, n) for n in range(number, number + count)]
        passed = []
        made = batch.run(partial(_make_in_pieces, generation, prepared, draws), count)
        for candidate in made:
            verdict = prepared.guard.judge_look(candidate.image, candidate.look)
            if verdict.reason is not None and options.guard:
                accepted.reject(candidate, verdict)
                continue
            prepared.guard.remember(candidate.image)
            passed.append((candidate, verdict))
        _accept(generation, prepared, accepted, passed, is_looked_at=enough > wanted)
        number += count
        num_accepted = len(accepted.images)
        share = max(num_accepted / enough, number / most)
        percent = start + (97.0 - start) * share
        generation.progress.tell("fill", percent, num_images=min(num_accepted, wanted))
    prepared.guard.copy_difference = copy_difference
    generation.progress.tell("fill", 97.0, num_images=min(len(accepted.images), wanted))
    return accepted


def _make_in_pieces(
    generation: Generation, prepared: Prepared, draws: Sequence[Draw], pieces: list[slice]
) -> list[Candidate]:
    return [made for piece in pieces for made in make(generation, prepared, draws[piece])]


@torch.no_grad()
def _accept(
    generation: Generation,
    prepared: Prepared,
    accepted: Accepted,
    passed: Sequence[tuple[Candidate, Verdict]],
    *,
    is_looked_at: bool,
) -> None:
    """Adds images that passed, with all that the choice among them needs."""
    if not passed:
        return
    models, spool = generation.models, accepted.spool
    images = torch.stack([candidate.image for candidate, _ in passed])
    embeddings, patches = _look(models, images, is_looked_at=is_looked_at)
    cosines = (embeddings @ prepared.prompt.embedding).tolist()
    for (candidate, verdict), cosine in zip(passed, cosines, strict=True):
        draw = candidate.draw
        assert verdict.look is not None
        accepted.images.append(
            GeneratedImage(
                render=_renderer(generation.draws, candidate, spool),
                seed=draw.seed,
                source=draw.source,
                kind="varied" if candidate.variation.sigma_scale else "view",
                transform={
                    **draw.view.as_dict(),
                    "sigma_scale": candidate.variation.sigma_scale,
                },
                scores={
                    "prompt_cosine": round(cosine, 6),
                    "guard_distance": round(verdict.look.guard_distance, 6),
                    "nearest_distance": round(verdict.nearest_distance, 6),
                },
            )
        )
    accepted.poses += [candidate.draw.view.pose for candidate, _ in passed]
    accepted.patches += [spool.put(each.cpu().half().numpy()) for each in patches]


def _look(models: Models, images: Tensor, *, is_looked_at: bool) -> tuple[Tensor, Sequence[Tensor]]:
    """Embeddings (B, D) of the images (B, 3, h, w), and patches (B, P, F) if they are wanted."""
    encoder = models.encoder
    if not is_looked_at:
        return encoder.embed_image(images), ()
    seen = resized(images, LOOKED_AT_PX)
    # The embedded encoder sees with the same network, and a square image at the same size.
    if isinstance(encoder, DeviseEncoder) and seen.shape[-2:] == (IMAGE_SIZE_PX, IMAGE_SIZE_PX):
        patches, pooled = models.features.patches_and_pooled(seen)
        return encoder.embed_pooled(pooled), list(patches)
    return encoder.embed_image(images), list(models.features.patches(seen))


def choose(generation: Generation, accepted: Accepted) -> list[GeneratedImage]:
    """The set to deliver, of the accepted images."""
    models, wanted = generation.models, generation.request.num_images
    if len(accepted.images) <= wanted:
        return accepted.images
    num_steps = len(accepted.images) + wanted
    known = [looked_at(image[None], models.features)[0] for image in generation.draws.pictures]
    chosen = select(
        [partial(_patches, get) for get in accepted.patches],
        [image.scores["prompt_cosine"] for image in accepted.images],
        wanted,
        torch.cat(known).cpu(),
        kinds=accepted.poses,
        score_weight=SCORE_WEIGHT if generation.options.text_guidance else 0.0,
        on_step=generation.progress.counter("fill", 97.0, 99.0, num_steps),
    )
    return [accepted.images[index] for index in chosen]


def _patches(get: Callable[[], np.ndarray]) -> Tensor:
    return torch.from_numpy(get()).float()


def _renderer(draws: Draws, candidate: Candidate, spool: Spool) -> Callable[[], np.ndarray]:
    """Gives the image at the output's size, (H, W, 3) uint8."""
    if draws.size == draws.seen_size:
        return spool.put(_to_bytes(candidate.image))
    # What waits to be made takes little memory.
    draw = candidate.draw._replace(pixels=candidate.draw.pixels.new_empty(0))
    pixels = candidate.variation.pixels
    kept = None if pixels is None else spool.put(pixels.half().cpu().numpy())
    return partial(_render, draws, draw, replace(candidate.variation, pixels=None), kept)


def _render(
    draws: Draws, draw: Draw, variation: Variation, kept: Callable[[], np.ndarray] | None
) -> np.ndarray:
    view = draws.shown(draw)
    if kept is not None:
        variation = replace(variation, pixels=torch.from_numpy(kept()).to(view))
    with torch.no_grad():
        return _to_bytes(variation.of(view))


def _to_bytes(image: Tensor) -> np.ndarray:
    """An image (3, H, W) in [0, 1] as (H, W, 3) uint8."""
    return (image * 255).round().byte().permute(1, 2, 0).cpu().numpy()
