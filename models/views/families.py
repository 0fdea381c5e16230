"""The families of views, each alone, on a person's own images: what is to be believed of which.

A person knows in seconds what one image cannot show. What is drawn here is drawn as a job draws it,
with one invariance allowed, no other, and nothing of what every view of a job does beside.

Axes: k images, H x W pixels; images in [0, 1].
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image
from torch import Tensor

from models.features.patches import PatchFeatures
from models.views.decision.invariances import InvarianceDecision, decide_invariances
from models.views.decision.light import USUAL_SPREAD
from models.views.draws import SWING_DEG, VIEW_SEEDS, Draws, Plan
from models.views.view import INVARIANCES, View, ViewLimits

TITLES = {
    "rotate": "Turned to any angle",
    "rotate_90": "Turned by quarters",
    "half_turn": "The whole picture turned by half",
    "flip_horizontal": "Mirrored, left and right exchanged",
    "flip_vertical": "Mirrored, top and bottom exchanged",
    "shift": "Moved on its ground",
    "scale": "Larger or smaller",
    "brightness": "Brighter or darker",
    "lighting": "Under uneven light",
}
SWUNG = f"Swung to either side, by up to {SWING_DEG:.0f}°"
NUM_SHOWN = 3
NOTHING_ELSE = ViewLimits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
# Views that are drawn to find some in which a family shows.
NUM_TRIED = 48
# From so much of it on a family shows: most of a view's range, not its middle.
SHOWN_ANGLE_DEG, SHOWN_SHIFT, SHOWN_LOG = SWING_DEG / 2, 0.04, 0.06


@dataclass(frozen=True, eq=False)
class Family:
    """One way in which good parts may differ.

    Attributes:
        name: one of `view.INVARIANCES`.
        title: what it does, in plain words.
        belief: how likely such views are still good parts, in [0, 1].
        chosen: whether a job does it that is not told.
        reason: what the belief rests on, one sentence.
        views: some, (3, H, W) each.
    """

    name: str
    title: str
    belief: float
    chosen: bool
    reason: str
    views: list[Tensor]


def show_families(
    images: Sequence[Image.Image],
    seen: Tensor,
    features: PatchFeatures,
    long_side_px: int,
    details: Sequence[Tensor] = (),
) -> list[Family]:
    """All families, in the order of `view.INVARIANCES`.

    Args:
        images: good ones; the views are made from the first few.
        seen: what the decision is made by, (k, 3, H, W), see `analysed`.
        features: what images are compared by.
        long_side_px: of the views.
        details: what the decision is made by besides, see `detailed`.
    """
    decision = decide_invariances(seen, features, details)
    draws = Draws(images[:NUM_SHOWN], long_side_px, 0, seen.device)
    draws.limits = NOTHING_ELSE
    families = []
    for name in INVARIANCES:
        views = family_views(draws, name, decision.light_spread)
        families.append(
            Family(
                name=name,
                title=_title(name, draws),
                belief=decision.beliefs[name].belief,
                chosen=name in decision.invariances,
                reason=decision.beliefs[name].reason,
                views=views,
            )
        )
    return families


def family_views(draws: Draws, name: str, light_spread: float = 0.0) -> list[Tensor]:
    """Views with this family alone, (3, H, W) each, in which it shows.

    Args:
        draws: the images; it is left with this family as its decision.
        name: of the family.
        light_spread: how uneven the light gets; 0 takes what is usual.
    """
    draws.decision = InvarianceDecision(
        frozenset({name}), light_spread=light_spread or USUAL_SPREAD, decided_by="request"
    )
    plans = [draws.plan(VIEW_SEEDS, number) for number in range(NUM_TRIED)]
    return [draws.seen(plan) for plan in _different(plans, SHOWS[name])]


def _title(name: str, draws: Draws) -> str:
    """What the family did to these images: what hangs is not turned all around."""
    hang = all(draws.hangs(source) for source in draws.distinct)
    return SWUNG if name == "rotate" and hang else TITLES[name]


def _different(plans: list[Plan], shows: Callable[[View], object]) -> list[Plan]:
    """Up to NUM_SHOWN in which the family shows: of different sources, in different ways."""
    # Where the light does not fall unevenly, its seed changes nothing.
    seedless = (
        p if p.view.light else p._replace(view=replace(p.view, light_seed=0)) for p in plans
    )
    unlike = list({(plan.source, plan.view): plan for plan in seedless}.values())
    showing = [plan for plan in unlike if shows(plan.view) is not None] or unlike[:1]
    # One of each way and source goes before others of the same.
    ways: dict[tuple[int, object], Plan] = {}
    for plan in showing:
        ways.setdefault((plan.source, shows(plan.view)), plan)
    first = list(ways.values())
    return [*first, *(plan for plan in showing if plan not in first)][:NUM_SHOWN]


def _off(angle_deg: float, step_deg: float) -> float:
    """How far an angle is from the nearest multiple of the step."""
    return abs((angle_deg + step_deg / 2) % step_deg - step_deg / 2)


def _way(value: float, least: float) -> object:
    """Up or down, where it shows."""
    return None if abs(value) < least else value > 0


def _quarter(view: View) -> int:
    return round(view.angle_deg / 90.0) % 4


def _moved(view: View) -> object:
    ways = (_way(view.shift_x, SHOWN_SHIFT / 2), _way(view.shift_y, SHOWN_SHIFT / 2))
    return None if max(abs(view.shift_x), abs(view.shift_y)) < SHOWN_SHIFT else ways


# In which way a family shows in a view; None where it hardly does.
SHOWS: dict[str, Callable[[View], object]] = {
    "rotate": lambda view: (
        None if _off(view.angle_deg, 90.0) < SHOWN_ANGLE_DEG else view.angle_deg // 60.0
    ),
    "rotate_90": lambda view: _quarter(view) or None,
    "half_turn": lambda view: view.half_turn or None,
    "flip_horizontal": lambda view: view.flip_horizontal or None,
    "flip_vertical": lambda view: view.flip_vertical or None,
    "shift": _moved,
    "scale": lambda view: _way(math.log(view.scale), SHOWN_LOG),
    "brightness": lambda view: _way(math.log(view.gain), SHOWN_LOG),
    "lighting": lambda _: True,
}
