"""Makes images of views, with as much of their sigma as the guard lets pass.

Axes: B images at once, h x w pixels as seen, H x W of the output; images in [0, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from models.generator.sampling import EncodedViews
from models.guard.normality import Look
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.views.draws import MAX_SEED, Draw

# An image that the guard finds anomalous is made again with its sigma times the next of these.
SIGMA_STEPS = (1.0, 0.5, 0.25)


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


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that may be delivered.

    Attributes:
        draw: the view that it starts from.
        variation: what the generator made of it.
        image: what became of the view, (3, h, w), as seen.
        look: what the guard finds strangest in it; None of a copy that it keeps out.
    """

    draw: Draw
    variation: Variation
    image: Tensor
    look: Look | None


@torch.no_grad()
def make(generation: Generation, prepared: Prepared, draws: Sequence[Draw]) -> list[Candidate]:
    """One image of each draw, in their order; those of a step are made and judged together."""
    options = generation.options
    is_change = options.sampling.output == "residual"
    # Seeds are drawn evenly from [0, MAX_SEED), so that this is about that share of the images.
    share = options.varied_share if options.sampling.scale else 0.0
    varied = [n for n, draw in enumerate(draws) if draw.seed < share * MAX_SEED]
    still = [n for n in range(len(draws)) if n not in varied]
    made: dict[int, Candidate] = {}
    generator, guard = prepared.generator, prepared.guard
    # Real images with their plain edge drawn out, as `Source.moved_whole` has them; beyond an edge
    # that is not plain there is ground that was made up, for the guard to see.
    whole = [n for n, draw in enumerate(draws) if generation.draws.hangs(draw.source)]
    # How strange the views themselves are, of which sigma makes images.
    own: dict[int, float] = {}
    if moved := [n for n in varied if n in whole]:
        views = guard.look(torch.stack([draws[n].pixels for n in moved]))
        own = {n: look.guard_distance for n, look in zip(moved, views, strict=True)}

    def look_at(numbers: list[int], images: Tensor) -> list[Look | None]:
        copies = guard.copies(images) if options.guard else [False] * len(images)
        others = [place for place, is_copy in enumerate(copies) if not is_copy]
        looks = dict(zip(others, guard.look(images[others]), strict=True)) if others else {}
        for place, look in looks.items():
            if (number := numbers[place]) in whole:
                allowed = max(1.0, own.get(number, look.guard_distance))
                looks[place] = replace(look, allowed=allowed)
        return [looks.get(place) for place in range(len(images))]

    def try_scale(numbers: list[int], encoded: EncodedViews | None, scale: float) -> None:
        chosen = [draws[n] for n in numbers]
        pixels: Sequence[Tensor | None] = [None] * len(chosen)
        if encoded is not None:
            settings = replace(options.sampling, scale=scale)
            assert generator is not None
            drawn = generator.vary(encoded, [draw.seed for draw in chosen], settings)
            if is_change:
                share = prepared.allowance.share(encoded.views, drawn)
                drawn = share[:, None, None, None] * (drawn - encoded.views)
            pixels = list(drawn)
        variations = [Variation(each, is_change, scale) for each in pixels]
        pairs = zip(variations, chosen, strict=True)
        images = torch.stack([variation.of(draw.pixels) for variation, draw in pairs])
        looks = look_at(numbers, images)
        made.update(
            (number, Candidate(*parts))
            for number, *parts in zip(numbers, chosen, variations, images, looks, strict=True)
        )

    def encode(numbers: list[int]) -> EncodedViews:
        views = torch.stack([draws[n].pixels for n in numbers])
        assert generator is not None
        return generator.encode(generation.draws.at_work(views))

    if still:
        try_scale(still, None if is_change else encode(still), 0.0)
    encoded = encode(varied) if varied else None
    for step in SIGMA_STEPS if encoded else ():
        assert encoded is not None
        try_scale(varied, encoded, options.sampling.scale * step)
        looks = [made[n].look for n in varied]
        kept = [place for place, look in enumerate(looks) if look and look.is_anomalous]
        if not kept or not options.guard:
            break
        varied, encoded = [varied[place] for place in kept], encoded.some(kept)
    return [made[number] for number in range(len(draws))]
