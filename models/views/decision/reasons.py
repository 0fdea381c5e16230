"""Why a family of views is believed in or not, in words for those who know the part.

What is said is the figure that speaks loudest; the belief itself is made in `beliefs.py`.
"""

from models.views.decision.evidence import Evidence

# Distance over that of a small view: below, a turn or a mirror image hardly shows; above, it does.
HARDLY_SHOWS = 2.2
# Distance to the other images over that as it is: above, no other image looks so.
UNLIKE_OTHERS = 1.3
# Parts are brighter on the same side, all in all; perhaps they are from the second on.
LIT_FROM_ONE_SIDE, PERHAPS_LIT_SO = 0.38, 0.25
# So many times as long as wide.
LONG = 1.5
# So little unlike its mirror image that its axis is no chance.
SYMMETRIC = 0.35
# Axes that point no farther apart point one way.
ONE_WAY = 0.05
NOT_FREE = (
    "it does not lie free on its ground (it reaches the frame, or something else is seen beside it)"
)
WAYS = {
    "rotate": "turned",
    "rotate_90": "turned by quarters",
    "flip_horizontal": "mirrored",
    "flip_vertical": "mirrored top to bottom",
}
TRAITS = {
    "shift": ("place", "where else the part may lie"),
    "scale": ("size", "whether parts differ in size"),
    "brightness": ("brightness", "whether the light changes"),
}


def reason_of(name: str, evidence: Evidence) -> str:
    """One sentence about one of `view.INVARIANCES`."""
    if name in TRAITS:
        return _spread(name, evidence)
    if name == "lighting":
        return _light(evidence)
    if name == "half_turn":
        return _half_turned(evidence)
    if name.startswith("flip") and evidence.is_part:
        return _mirrored_part(name, evidence)
    said = _turned_part(name, evidence) if evidence.is_part else _surface(name, evidence)
    return f"{said[0].upper()}{said[1:]}."


def _surface(name: str, evidence: Evidence) -> str:
    way = WAYS[name]
    if name in evidence.grain.forbids:
        return f"the surface has a grain, which would run elsewhere {way}"
    if evidence.has_hand(name):
        return f"{way}, its details are found nowhere else, as those of a print or of teeth"
    if _is_unlike(name, evidence):
        return f"{way}, the pictures look less like each other than as they are"
    if evidence.to_itself[name] < HARDLY_SHOWS:
        return f"{way}, the picture looks the same"
    return f"{way}, the picture does not look like itself"


def _turned_part(name: str, evidence: Evidence) -> str:
    way, several = WAYS[name], evidence.num_images > 1
    if evidence.is_round:
        return (
            f"{way}, the part looks nearly the same, as round parts do: reflections of the lamp "
            "alone would move, so it is turned only on your word"
        )
    if evidence.lie_alike:
        return "the parts lie all the same way, as in a fixture"
    if _is_unlike(name, evidence):
        said = f"{way}, the part looks less like those in the other images than as it lies"
    elif evidence.askew > 0.5 and several and evidence.axes_apart < ONE_WAY:
        said = "the parts lie at an odd angle to the picture, all of them the same way"
    elif evidence.askew > 0.5:
        parts = "the parts lie" if several else "the part lies"
        said = f"{parts} at an odd angle to the picture, as parts do that are laid down at random"
    elif several and evidence.to_others[name] < 1 / UNLIKE_OTHERS**0.5:
        said = f"{way}, the part looks more like those in the other images than as it lies"
    else:
        parts = "most parts lie" if several else "the part lies"
        said = f"{parts} straight in the picture, {_why_straight(evidence)}"
    if evidence.has_company:
        said += "; as something else is seen beside it, no image is turned without your word"
    elif evidence.is_held:
        said += f"; as {NOT_FREE}, no more than a few images are turned without your word"
    return said


def _half_turned(evidence: Evidence) -> str:
    if not evidence.is_part:
        return "Whether a surface may lie the other way round is for you to say."
    if evidence.is_held:
        return f"It takes a part that lies free, but {NOT_FREE}."
    if evidence.lie_alike:
        return "The parts lie all the same way, as in a fixture."
    if evidence.num_images == 1:
        one = "A round part may lie the other way round; one" if evidence.is_round else "One"
        return f"{one} image does not show whether light comes from one side alone."
    brighter = "the parts brighter on the same side"
    if evidence.one_sided > LIT_FROM_ONE_SIDE:
        said = f"Most images show {brighter}."
    elif evidence.one_sided > PERHAPS_LIT_SO:
        said = f"Some images show {brighter}, which may be chance."
    else:
        said = f"The images do not show {brighter}."
    return said


def _why_straight(evidence: Evidence) -> str:
    if evidence.elongation >= LONG and not evidence.is_held:
        return "as long parts seldom do by chance"
    if evidence.asymmetry <= SYMMETRIC and not evidence.is_held:
        return "as parts with a clear mirror axis seldom do by chance"
    return "which may be a fixture or chance"


def _mirrored_part(name: str, evidence: Evidence) -> str:
    if evidence.to_itself[name] < HARDLY_SHOWS:
        return (
            "Mirrored, the part looks nearly the same, but a print or a thread would be wrong: "
            "it is mirrored only on your word."
        )
    return "A mirrored part may be another part: threads, prints and blades have a hand."


def _spread(name: str, evidence: Evidence) -> str:
    trait, unknown = TRAITS[name]
    if name != "brightness" and not evidence.is_part:
        return f"No single part is seen on a ground, whose {trait} could differ."
    if name not in evidence.spread:
        return f"One image does not show {unknown}."
    of = "of the picture's side" if name == "shift" else "of it"
    share = 100 * evidence.spread[name]
    subject = "the images" if name == "brightness" else "the parts"
    return (
        f"In {evidence.num_images} images {subject} differ in {trait} by about {share:.1f} % {of}."
    )


def _light(evidence: Evidence) -> str:
    if evidence.light_spread:
        share = 100 * evidence.light_spread
        return f"The light falls unevenly on the surface and differs by about {share:.0f} %."
    if evidence.is_part:
        return "What is brighter and darker on a part is its shape, not the light."
    if evidence.num_images == 1:
        return "One image shows one light."
    return "The light falls alike in all images."


def _is_unlike(name: str, evidence: Evidence) -> bool:
    return evidence.to_others.get(name, 1.0) > UNLIKE_OTHERS
