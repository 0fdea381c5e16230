"""What is believed of each family of views: a prior over many lines, moved by what the images say.

A belief is the chance that a view of this family is still a good part; a job makes such views only
where it is large. It is a logistic function of a few figures of `evidence.py`, whose weights were
fitted to good parts of eleven lines (docs/method.md).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from models.views.decision.evidence import Evidence
from models.views.decision.reasons import reason_of

TURNS = ("rotate", "rotate_90")
HALF_TURN = "half_turn"
FLIPS = ("flip_horizontal", "flip_vertical")
SPREADS = ("shift", "scale", "brightness")
# Where parts differ so, the images do, and views that go on from there brought a detector nothing
# (docs/worth.md): a scaled view is not as sharp, a moved one shows ground that was made up, and
# uneven light of any shape is soon one that no lamp makes.
ON_WORD = ("shift", "scale", "lighting")
# Nobody misses a family that is left out, and everybody one that should have been.
CHOSEN_FROM = 0.65
# A turn that is not likely enough may still be good, and by one image none is sure: from this
# belief on it is made in a share of the images, which is the belief times this.
TRIED_FROM, SHARE_TRIED = 0.4, 0.7
# What hangs swings, if not as far (`draws.SWING_DEG`): from this belief on, in this share.
SWUNG_FROM, SHARE_SWUNG = 0.1, 0.3
# What has a hand may be taken for a surface, where no outline is found.
MIRRORED_FROM = 0.88
# Between the ranges that every line leaves open and those of a family: standard deviations.
USUAL = {"shift": 0.023, "scale": 0.035, "brightness": 0.06}
# Distances of a turned or mirrored image to itself, over a small view's: of a round part and of one
# that is not; and to other images, over the image's as it is.
HARDLY_SHOWS, SOMEWHAT, SHOWS = 1.9, 2.5, 3.0
UNTOUCHED = 1.1
# So far parts are brighter on the same side by chance.
ONE_SIDED = 0.17
# Asymmetry of parts whose mirror axis is but chance, and of parts that have one.
VAGUE_AXIS, CLEAR_AXIS = 0.45, 0.25
# From so far apart on, the axes of several images do not point one way.
ALL_APART = 0.1
# Distances beyond these say no more than they do, as factors.
MOST_FACTOR = 3.0
# More images than this make nothing surer.
MOST_SURE = 5


@dataclass(frozen=True)
class Belief:
    """What is believed of one family.

    Attributes:
        belief: how likely such views are still good parts, in [0, 1].
        reason: what the belief rests on, one sentence.
    """

    belief: float
    reason: str


# `python -m benchmarks.beliefs` fits them.
TURN = {
    "prior": 0.2,
    "itself": -0.9,
    "others": -1.0,
    "part": 1.3,
    "askew": 2.7,
    "straight": -1.6,
    "grain": -2.4,
    "frame": -3.7,
}
FLIP = {
    "prior": 1.3,
    "itself": -3.0,
    "others": -2.2,
    "part": -0.9,
    "grain": -2.0,
    "hand": -3.1,
}
WHOLE = {"prior": 0.7, "one_sided": -7.9, "part": 1.0, "straight": -1.7, "frame": -3.9}
WEIGHTS: dict[str, dict[str, float]] = {
    "rotate": TURN,
    "rotate_90": TURN,
    "half_turn": WHOLE,
    "flip_horizontal": FLIP,
    "flip_vertical": FLIP,
    "shift": {"prior": 0.2, "spread": 1.7},
    "scale": {"prior": -0.6, "spread": 0.6},
    "brightness": {"prior": -0.6, "spread": 1.8},
    "lighting": {"prior": -1.1, "uneven": 3.3, "part": -1.6},
}


def beliefs_of(evidence: Evidence) -> dict[str, Belief]:
    """Of every family, in the order of `view.INVARIANCES`."""
    return {
        name: Belief(round(_chance(name, evidence), 2), reason_of(name, evidence))
        for name in WEIGHTS
    }


def chosen(beliefs: Mapping[str, Belief], evidence: Evidence) -> frozenset[str]:
    """The families that a job makes which is not told: the likely ones that can do no harm."""
    made = frozenset(
        name for name, believed in beliefs.items() if believed.belief >= _needed(name, evidence)
    )
    # A part that may turn does so on its ground. That light falls from its other side, too, several
    # images show or none; of a round part, nothing else of a turn does.
    turns = evidence.num_images > 1 and beliefs["rotate"].belief >= TRIED_FROM
    return made if evidence.is_round or turns else made - {HALF_TURN}


def shares(beliefs: Mapping[str, Belief], evidence: Evidence) -> dict[str, float]:
    """Of the families that are made in some of the images, chosen or not: the share of each.

    Whether a lone part may lie turned, one image hardly says, however its shape looks (a cable's
    end lies at an odd angle in its fixture, too), and a detector that never saw it so rejects every
    part that does. Some images teach it most of what all would, and where parts lie in a fixture,
    all others are what the line makes. Where another thing is seen beside the part, nothing is
    tried: how they lie to each other would stay, and what holds both is not known.
    """
    believed = beliefs["rotate"].belief
    share = round(SHARE_TRIED * believed, 3)
    if not evidence.is_part or evidence.is_round or evidence.lie_alike:
        return {}
    turns = chosen(beliefs, evidence).intersection(TURNS)
    if turns:
        return dict.fromkeys(turns, share) if evidence.num_images == 1 else {}
    if evidence.has_company or believed < (SWUNG_FROM if evidence.is_held else TRIED_FROM):
        return {}
    return {"rotate": SHARE_SWUNG if evidence.is_held else share}


def _needed(name: str, evidence: Evidence) -> float:
    # A thread, a print and blades have a hand, which figures hardly see; and what reaches the frame
    # or is not alone cannot be turned without its ground.
    never = name in FLIPS and (evidence.is_part or evidence.has_hand(name))
    never = never or (name in (*TURNS, HALF_TURN) and (evidence.is_held or evidence.lie_alike))
    # On a round part a turn moves nothing but the lamp's reflections, which do not move.
    never = never or (name in TURNS and evidence.is_round) or name in ON_WORD
    # Of a surface it is what its two mirror images make, or nobody knows.
    never = never or (name == HALF_TURN and not evidence.is_part)
    if name == HALF_TURN and evidence.num_images > 1:
        least = TRIED_FROM  # half of the pictures stay as they are
    else:
        least = MIRRORED_FROM if name in FLIPS else CHOSEN_FROM
    return math.inf if never else least


def _chance(name: str, evidence: Evidence) -> float:
    told = figures(name, evidence)
    return 1 / (1 + math.exp(-sum(WEIGHTS[name][key] * value for key, value in told.items())))


def figures(name: str, evidence: Evidence) -> dict[str, float]:
    """What speaks for or against a family, each about 0 where nothing is known."""
    if name in SPREADS:
        return {"prior": 1.0, "spread": _spread(name, evidence)}
    if name == HALF_TURN:
        return _whole(evidence)
    if name == "lighting":
        uneven = 1.0 if evidence.light_spread else 0.0
        return {"prior": 1.0, "uneven": uneven, "part": float(evidence.is_part)}
    if name in TURNS and evidence.is_part:
        # By quarters a part's own places change for each other, which its patches do not show.
        name = "rotate"
    told = {
        "prior": 1.0,
        "itself": _log(evidence.to_itself[name] / SOMEWHAT),
        "others": _others(name, evidence),
        "part": evidence.lone - 0.5,
    }
    grain = 0.0 if evidence.is_part else min(1.0, evidence.grain.coherence / 0.4)
    if name in TURNS:
        if not evidence.is_part:
            return told | {"askew": 0.0, "straight": 0.0, "grain": grain, "frame": 0.0}
        askew, straight = _lying(name, evidence)
        return told | {
            "askew": askew,
            "straight": straight,
            "grain": grain,
            "frame": evidence.at_frame,
        }
    return told | {
        "grain": grain if name in evidence.grain.forbids else 0.0,
        "hand": float(evidence.has_hand(name)),
    }


def _whole(evidence: Evidence) -> dict[str, float]:
    """What speaks for or against turning the picture as it is, with its ground and its light."""
    told = {
        "prior": 1.0,
        "one_sided": 0.0,
        "part": evidence.lone - 0.5,
        "straight": 0.0,
        "frame": 0.0,
    }
    if not evidence.is_part:
        return told
    one_sided = evidence.one_sided - ONE_SIDED if evidence.num_images > 1 else 0.0
    straight = _lying("rotate", evidence)[1]
    return told | {"one_sided": one_sided, "straight": straight, "frame": evidence.at_frame}


def _lying(name: str, evidence: Evidence) -> tuple[float, float]:
    """How far parts lie askew as if laid down at random, and straight as if held, both in [0, 1].

    Several that lie askew all one way are held so, and the axis of a single one without a clear
    shape may be but chance. How one lies straight is hardly seen unless it is long or its own
    mirror image, and such a one seldom does by chance; what is not free may be a part and more,
    whose shape is not known.
    """
    long = min(1.0, math.log2(max(1.0, evidence.elongation)))
    if evidence.num_images > 1:
        at_random = min(1.0, evidence.axes_apart / ALL_APART)
    else:
        at_random = 0.5 + 0.5 * max(long, _symmetry(evidence))
    shaped = max(long, _symmetry(evidence) * _shows(name, evidence))
    return evidence.askew * at_random, (1 - evidence.askew) * (1 - evidence.held) * shaped


def _symmetry(evidence: Evidence) -> float:
    """Whether the parts have a mirror axis: 0 where it is but chance, 1 where it is clear."""
    vague, clear = VAGUE_AXIS, CLEAR_AXIS
    return min(1.0, max(0.0, (vague - evidence.asymmetry) / (vague - clear)))


def _others(name: str, evidence: Evidence) -> float:
    """How much less than as it is the turned or mirrored image looks like the others."""
    less = _log(evidence.to_others.get(name, UNTOUCHED) / UNTOUCHED) * _sureness(evidence)
    if not evidence.is_part:
        return less
    return less * _shows(name, evidence)


def _shows(name: str, evidence: Evidence) -> float:
    """How far a turn or mirror image shows, in [0, 1]: of a round part only its light does."""
    shows = math.log(evidence.to_itself[name] / HARDLY_SHOWS) / math.log(SHOWS / HARDLY_SHOWS)
    return min(1.0, max(0.0, shows))


def _spread(name: str, evidence: Evidence) -> float:
    if name not in evidence.spread:
        return 0.0
    return _log(max(evidence.spread[name], 1e-6) / USUAL[name]) * _sureness(evidence)


def _log(ratio: float) -> float:
    return math.log(min(MOST_FACTOR, max(1 / MOST_FACTOR, ratio)))


def _sureness(evidence: Evidence) -> float:
    """0 for one image, 1 for two, growing as a standard deviation over images becomes surer."""
    return math.sqrt(min(evidence.num_images, MOST_SURE) - 1)
