"""Decides which families of views a job makes: what the user says, or what is believed.

What images say is in `evidence.py`, what is believed of it in `beliefs.py`; the user overrules
all. Whether one of several images can be turned without harm is for `draws.py` to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from models.features.patches import LEAST_RESIZED_PX, PatchFeatures
from models.views.decision.beliefs import FLIPS, HALF_TURN, Belief, beliefs_of, chosen, shares
from models.views.decision.distinct import distinct
from models.views.decision.evidence import Evidence, evidence_of
from models.views.decision.light import USUAL_SPREAD, light_spread
from models.views.decision.seen import ANALYSIS_PX
from models.views.view import INVARIANCES, NOT_SEEN, to_tensor
from models.views.widths import LEAST_HELD

# More images than this make nothing surer, and would only cost time.
MOST_LOOKED_AT = 8
# Long side at which a hand is looked for.
DETAIL_PX = 384
# Where mirror images are believed in and not known, a few teach a detector what half of them would,
# and the others stay certain.
TOLD_FLIPS, BELIEVED_FLIPS = 0.5, 0.15
# Of pictures that may be turned by half, so many are; fewer where fewer images than three tell.
HALF_TURNED, FEW_HALF_TURNED = 0.5, 0.125
SAID, LEFT_OUT = "You ask for it.", "You ask for others."


@dataclass(frozen=True)
class InvarianceDecision:
    """The families of views that are made, and what is believed of each.

    Attributes:
        invariances: those that are made.
        shares: of those, and of others, that are made in some of the images only: the share, in
            (0, 1), see `beliefs.shares`.
        beliefs: of every family; none where nothing was decided yet.
        evidence: what the images say; None where they were not asked.
        light_spread: how uneven the light gets (`light.light_spread`), on a user's word.
        decided_by: "images" or "request".
    """

    invariances: frozenset[str]
    beliefs: Mapping[str, Belief] = field(default_factory=dict)
    evidence: Evidence | None = None
    light_spread: float = 0.0
    decided_by: str = "images"
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def spread(self) -> Mapping[str, float]:
        """How far the images are seen to differ, see `Evidence.spread`; none on a user's word."""
        return NOT_SEEN if self.evidence is None else self.evidence.spread

    @property
    def flip_share(self) -> float:
        """The share that is mirrored about an axis about which images may be."""
        return TOLD_FLIPS if self.decided_by == "request" else BELIEVED_FLIPS

    def share(self, name: str) -> float:
        """The share of the images in which a family is made, in [0, 1]."""
        made = self.flip_share if name in FLIPS else self._half_turned if name == HALF_TURN else 1.0
        return self.shares.get(name, made if name in self.invariances else 0.0)

    @property
    def _half_turned(self) -> float:
        """The share of pictures that are turned by half, see `Draws.plan`."""
        few = self.evidence is not None and self.evidence.num_images < LEAST_HELD
        return FEW_HALF_TURNED if few else HALF_TURNED

    def as_dict(self) -> dict[str, object]:
        """JSON-able, for the manifest."""
        factors = {
            name: {
                "belief": found.belief,
                "share": self.share(name),
                "reason": found.reason,
            }
            for name, found in self.beliefs.items()
        }
        return {
            "allowed": sorted(self.invariances),
            "decided_by": self.decided_by,
            "factors": factors,
            "figures": None if self.evidence is None else self.evidence.as_dict(),
            "light_spread": round(self.light_spread, 3),
        }


def looked_at(num_images: int) -> list[int]:
    """Which of the images the decision looks at: some, evenly spread, the first among them."""
    return sorted({num_images * n // MOST_LOOKED_AT for n in range(MOST_LOOKED_AT)})


def analysed(image: Image.Image, first_size: tuple[int, int]) -> Tensor:
    """The image as the decision sees it, (3, H, W) in [0, 1], H and W multiples of 32.

    `first_size` (width, height) is the first image's: all get its shape.
    """
    width, height = first_size
    factor = max(ANALYSIS_PX / max(first_size), LEAST_RESIZED_PX / min(first_size))
    return to_tensor(image, (round(width * factor / 32) * 32, round(height * factor / 32) * 32))


def all_analysed(images: Sequence[Image.Image]) -> Tensor:
    """Those of the images that the decision looks at, (k, 3, H, W)."""
    numbers = looked_at(len(images))
    return torch.stack([analysed(images[number], images[0].size) for number in numbers])


def detailed(image: Image.Image) -> Tensor:
    """The image in grey, (h, w) in [0, 1], at DETAIL_PX at most: what letters are read by."""
    grey = image.convert("L")
    grey.thumbnail((DETAIL_PX, DETAIL_PX), Image.Resampling.LANCZOS)
    return to_tensor(grey.convert("RGB"), grey.size)[0]


def all_detailed(images: Sequence[Image.Image]) -> list[Tensor]:
    """Those of the images that the decision looks at."""
    return [detailed(images[number]) for number in looked_at(len(images))]


def decide_invariances(
    images: Tensor, features: PatchFeatures, details: Sequence[Tensor] = ()
) -> InvarianceDecision:
    """Which of `view.INVARIANCES` the good images support.

    Args:
        images: (k, 3, H, W), see `analysed`.
        features: what they are compared by.
        details: the same, see `detailed`; none: no finer than `images`.
    """
    evidence = evidence_of(images, features, details)
    beliefs = beliefs_of(evidence)
    made = chosen(beliefs, evidence)
    return InvarianceDecision(made, beliefs, evidence, shares=shares(beliefs, evidence))


def requested_invariances(
    requested: frozenset[str], images: Tensor, features: PatchFeatures
) -> InvarianceDecision:
    """The user's word; the images (k, 3, H, W) say only how uneven the light gets, if it may."""
    spread = 0.0
    if "lighting" in requested:
        spread = light_spread(images[distinct(images)], features) or USUAL_SPREAD
    beliefs = {
        name: Belief(1.0, SAID) if name in requested else Belief(0.0, LEFT_OUT)
        for name in INVARIANCES
    }
    return InvarianceDecision(requested, beliefs, light_spread=spread, decided_by="request")
