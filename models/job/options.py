"""How much work a job may be, and which parts of the method may be switched off to compare."""

import math
from dataclasses import dataclass, field
from typing import Literal

from models.generator.sampling import SamplingSettings

# More candidates than this beyond those wanted are not worth their time.
MAX_SPARE = 192


@dataclass(frozen=True)
class Effort:
    """How much work a job may be.

    Attributes:
        num_views: views that the guard knows, and that the generator is adapted to.
        is_thorough: whether the decoder learns, by adaptation and rounds, even where only the
            change that sigma makes in its output is delivered; that it learned shows there by less
            than a grey level.
        adaptation_steps: gradient steps on the views.
        num_rounds: rounds of the integrator, T.
        num_updates: gradient steps between two rounds.
        round_size: images in a round's set, J.
        surplus: accepted candidates for each image wanted, >= 1, to choose from; of a large set
            no more than MAX_SPARE are left out.
    """

    num_views: int
    is_thorough: bool
    adaptation_steps: int
    num_rounds: int
    num_updates: int
    round_size: int
    surplus: float

    def num_candidates(self, num_images: int) -> int:
        """How many accepted candidates a set of so many images is chosen from."""
        return num_images + min(MAX_SPARE, math.ceil((self.surplus - 1) * num_images))


EFFORTS = {
    "draft": Effort(8, False, 20, 1, 0, 2, 1.0),
    "standard": Effort(24, False, 80, 3, 2, 6, 2.0),
    "high": Effort(48, True, 400, 6, 6, 12, 3.0),
}


@dataclass(frozen=True)
class PipelineOptions:
    """Parts to switch off or replace, for comparison; the default is the product.

    Attributes:
        text_guidance: rounds with updates, and choice by the prompt; off: neither.
        selection: choose the set from more candidates than are wanted; off: first come.
        guard: reject anomalous images and copies.
        adaptation: fit the decoder to the images.
        varied_share: share of the images that sigma varies; the others are views as they are, so
            that a detector learns the camera's own sharpness beside what may vary.
        sampling: scale of sigma, unit sigma, residual or plain decode.
        outlier_rule: "mad" (robust) or "paper" (d > 0.5) for the prompt's candidates.
    """

    text_guidance: bool = True
    selection: bool = True
    guard: bool = True
    adaptation: bool = True
    varied_share: float = 0.5
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    outlier_rule: Literal["mad", "paper"] = "mad"
