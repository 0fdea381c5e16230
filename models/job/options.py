"""How much work a job may be, and which parts of the method take part."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
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
    "standard": Effort(24, False, 80, 3, 2, 6, 1.0),
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
        varied_share: share of the images that sigma varies; the others are views as they are.
        sampling: scale of sigma, unit sigma, residual or plain decode.
        outlier_rule: "mad" (robust) or "paper" (d > 0.5) for the prompt's candidates.
        delivers_round: every round makes all that is delivered, and its best set is; off: a round
            makes a few images to judge the decoder by.
    """

    text_guidance: bool = True
    selection: bool = True
    guard: bool = True
    adaptation: bool = True
    varied_share: float = 0.0
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    outlier_rule: Literal["mad", "paper"] = "mad"
    delivers_round: bool = False

    @property
    def uses_sigma(self) -> bool:
        """Whether any image is varied by sigma, so that it has to be learned."""
        return self.varied_share > 0.0

    @property
    def uses_generator(self) -> bool:
        """Whether any image is more than a view as it is, so that the VQ model is needed."""
        return self.uses_sigma or self.sampling.output == "decode"


PRESETS: Mapping[str, PipelineOptions] = MappingProxyType(
    {
        # Views, the guard, the choice. What sigma adds takes images out of what a line makes and
        # brings a detector nothing (docs/worth.md), so that it is made for those who ask.
        "goodmany": PipelineOptions(),
        # Sigma varies every image, as far as guard and allowance let it.
        "varied": PipelineOptions(varied_share=1.0),
        # Lee & Choi's own rules: prompts within d <= 0.5, z = mu + sigma * eps with white eps, the
        # decoder's output as the image, the best round's set; no guard, no choice, no plain view.
        "paper": PipelineOptions(
            selection=False,
            guard=False,
            varied_share=1.0,
            sampling=SamplingSettings(scale=1.0, output="decode", smooth=False),
            outlier_rule="paper",
            delivers_round=True,
        ),
    }
)
