"""Which meaning a part's name has, before any image is looked at: points, and what they are for.

A kind of thing that lies on a production line more often has more points: a fastener more than a
trophy, a nut that one eats more than the tree that bears it. Other words of the name that speak of
a field, or stand in a meaning's definition, add to it. WordNet's counts say which meaning is usual.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nltk.corpus.reader.wordnet import Synset

from models.prompt.name.spelling import american
from models.prompt.word_list import word_list

# Points of the nearest of these above a meaning; where none is, of its part of WordNet.
KINDS = {
    "fastener.n.02": (5, "a fastener"),
    "medicine.n.02": (5, "a medicine"),
    "dose.n.01": (5, "a medicine"),
    "semiconductor_device.n.01": (5, "a semiconductor"),
    "device.n.01": (4, "a device"),
    "implement.n.01": (4, "a tool"),
    "container.n.01": (4, "a container"),
    "tube.n.01": (4, "a tube"),
    "covering.n.02": (4, "a cover"),
    "part.n.02": (4, "a component"),
    "contact.n.07": (4, "a contact"),
    "ligament.n.02": (4, "a tie"),
    "obstruction.n.01": (4, "a stopper"),
    "sheet.n.06": (4, "a sheet"),
    "fabric.n.01": (3, "a fabric"),
    "marker.n.02": (4, "a label"),
    "currency.n.01": (3, "money"),
    "clothing.n.01": (3, "clothing"),
    "bedclothes.n.01": (3, "bedding"),
    "jewelry.n.01": (2, "jewelry"),
    "food.n.01": (3, "food"),
    "food.n.02": (3, "food"),
    "weapon.n.01": (2, "a weapon"),
    "plant_part.n.01": (2, "a part of a plant"),
    "structure.n.01": (2, "a structure"),
    "area.n.05": (1, "a place"),
    "facility.n.01": (1, "a place"),
    "building.n.01": (1, "a building"),
    "way.n.06": (1, "a way"),
    "organism.n.01": (0, "a living thing"),
}
PARTS_OF_WORDNET = {
    "noun.artifact": (3, "a made thing"),
    "noun.food": (3, "food"),
    "noun.substance": (3, "a material"),
    "noun.plant": (2, "a part of a plant"),
}
OTHER_KIND = (1, "another thing")
MOST_USUAL = 0.5
OWN_NAME = 0.5
VAGUE = -0.25
ELSEWHERE = -2
CO_WORD = 2
DEFINED_BY = 2
IMPOSSIBLE = -100
# Below lie living things, curves and the like: the bare name says more.
LEAST = 2
# A cylinder's liner is no ship, a valve's seat no chair, a shaft's collar no part of a shirt.
MACHINERY = word_list(
    """
    axle bearing bolt brake cable clutch compressor connector crankshaft cylinder engine gear
    gearbox hydraulic motor nozzle piston pump rivet rotor screw shaft solenoid spring stator
    transmission turbine valve
    """
)
UNTECHNICAL = word_list(
    """
    area.n.05 bedclothes.n.01 body.n.11 building.n.01 clothing.n.01 cloth_covering.n.01
    facility.n.01 food.n.01 food.n.02 furniture.n.01 jewelry.n.01 organism.n.01 plant_part.n.01
    seat.n.03 sheath.n.02 vehicle.n.01 weapon.n.01
    """
)
# Things of another world than a factory's, by how they are defined; a sole of "footwear or a golf
# club" is none.
_OTHER_WORLDS = re.compile(
    r"(?<!or a )\b(music\w*|wind instrument|piano|golf|baseball|basketball|boxing|wrestl\w*|"
    r"bowling|skates?|goal|fire-?arms?|gun\w*|cannon|arrow|missile|horses?|saddle|boats?|ships?|"
    r"sails?|nautical|heraldry|church|prison\w*|tobacco|smoking|theat\w*|song|books?|letters|womb|"
    r"contracepti\w+|architecture|framing|toast|playing card|dent\w+|pilot|coach|potters|artists|"
    r"photograph\w*|mattress|vacuum tube|horizontal beam)\b"
)
METALS = word_list(
    """
    steel iron brass bronze copper aluminium aluminum zinc titanium nickel
    """
)
_METRIC_THREAD = re.compile(r"m\d")
# Of the name's other words; a spring pin is held by no spring.
_SAY_NOTHING = word_list(
    """
    a an and for from in made of spring the with without
    """
)
_VAGUE = re.compile(r"\b(anything|something|in general)\b")
# Words beside the thing that speak of a field, and the synsets that belong to it.
FIELDS = {
    "hardware": (
        word_list(
            """
            hex hexagon hexagonal metal metallic din iso ansi thread threaded galvanized plated
            hydraulic engine machine machined
            """
        ),
        word_list("artifact.n.01"),
    ),
    "electricity": (
        word_list(
            """
            usb hdmi smd smt led pcb electric electrical electronic power circuit battery coaxial
            ethernet network audio voltage solar lithium coin
            """
        ),
        word_list(
            """
            electrical_device.n.01 electronic_equipment.n.01 electronic_device.n.01 conductor.n.04
            semiconductor_device.n.01 circuit.n.01
            """
        ),
    ),
    "rotation": (
        word_list("drive engine fan gear impeller motor propeller pump rotor turbine wind"),
        word_list("rotating_mechanism.n.01 rotating_shaft.n.01"),
    ),
    "cutting": (
        word_list("cutter cutting knife razor saw"),
        word_list("cutting_implement.n.01"),
    ),
    "wood": (
        word_list("beech birch maple oak pine plywood timber wooden"),
        word_list("lumber.n.01 wood.n.01 sheet.n.06"),
    ),
    "material": (
        METALS | word_list("alloy carbon cast galvanized metal mild stainless tool"),
        word_list("metal.n.01 alloy.n.01"),
    ),
    "rolled metal": (
        word_list("aluminium aluminum galvanized sheet stainless steel strip"),
        word_list("coil.n.01"),
    ),
    "glazing": (
        word_list(
            """
            car cover display laminated phone protective safety screen smartphone solar tablet
            tempered touch window windscreen windshield
            """
        ),
        word_list("glass.n.01"),
    ),
    "pumping": (
        word_list("cylinder hydraulic injector pneumatic pump solenoid syringe valve"),
        word_list("piston.n.02"),
    ),
    "food": (
        word_list(
            """
            roasted salted shelled edible chocolate dried fresh cooked sweet frozen sliced fried
            baked peeled organic
            """
        ),
        word_list("food.n.01 food.n.02 seed.n.01 fruit.n.01"),
    ),
    "protection": (
        word_list("dust face protective safety surgical welding"),
        word_list("protective_covering.n.01 protective_garment.n.01"),
    ),
    "medicine": (
        word_list("aspirin vitamin drug medicine medical gelatin paracetamol ibuprofen mg"),
        word_list("medicine.n.02 dose.n.01"),
    ),
}


@dataclass(frozen=True)
class Rank:
    """How likely a meaning is by the name alone.

    Attributes:
        points: the more, the likelier.
        reason: what they are for, in words.
    """

    points: float
    reason: str


def rank(synsets: list[Synset], looked_up: str, context: frozenset[str]) -> list[Rank]:
    """The points of each meaning of `looked_up`, `context` being the other words of the name.

    A meaning of less than LEAST points is none that the name of a part has.
    """
    counts = [_count(synset, looked_up) for synset in synsets]
    most = max(counts, default=0)
    ranks = []
    for synset, count in zip(synsets, counts, strict=True):
        above = _above(synset)
        evidence = [
            _kind(synset, above),
            *_naming(synset, looked_up, is_most_usual=count == most > 0),
            *_definition(synset),
            *_other_words(synset, above, looked_up, context - _SAY_NOTHING),
        ]
        points = sum(points for points, _ in evidence)
        ranks.append(Rank(points, "; ".join(reason for _, reason in evidence)))
    return ranks


def _kind(synset: Synset, above: dict[str, int]) -> tuple[float, str]:
    of_its_part = PARTS_OF_WORDNET.get(synset.lexname(), OTHER_KIND)
    if synset.lexname() == "noun.food":  # a walnut to eat is a seed too
        return of_its_part
    return next((KINDS[name] for name in above if name in KINDS), of_its_part)


def _naming(synset: Synset, looked_up: str, *, is_most_usual: bool) -> Iterator[tuple[float, str]]:
    own_names = _key(american(looked_up)), _key(looked_up).removesuffix("s")  # jeans: jean.n.01
    if _key(synset.lemma_names()[0]) in own_names:
        yield OWN_NAME, f"called {looked_up} before any other name"
        if is_most_usual:
            yield MOST_USUAL, "the most usual meaning"


def _definition(synset: Synset) -> Iterator[tuple[float, str]]:
    elsewhere = _OTHER_WORLDS.search(synset.definition())
    if elsewhere:
        yield ELSEWHERE, f"but its definition speaks of {elsewhere[0]}"
    if _VAGUE.search(synset.definition()):
        yield VAGUE, "but vaguely defined"


def _other_words(
    synset: Synset, above: dict[str, int], looked_up: str, context: frozenset[str]
) -> Iterator[tuple[float, str]]:
    is_metal = not context.isdisjoint(METALS)
    speaking = context | {looked_up} | ({"metal"} if is_metal else set())
    for field, (words, roots) in FIELDS.items():
        spoken = sorted(speaking & words)
        if spoken and not above.keys().isdisjoint(roots):
            yield CO_WORD, f"{', '.join(spoken)}: {field}"
    is_threaded = any(_METRIC_THREAD.match(word) for word in context)
    described = _described(synset) & (context | ({"thread"} if is_threaded else set()))
    shared = sorted(word for word in described if len(word) > 2)
    elsewhere = _OTHER_WORLDS.search(synset.definition())
    # An electron tube is a valve too; "valve plate" speaks of none, "vacuum tube plate" does.
    is_meant = elsewhere is None or not context.isdisjoint(elsewhere[0].split())
    if shared and is_meant:
        yield DEFINED_BY, f"its definition speaks of {', '.join(shared)}"
    if context & MACHINERY and not above.keys().isdisjoint(UNTECHNICAL):
        yield IMPOSSIBLE, f"no part of a {min(context & MACHINERY)}"


def _above(synset: Synset) -> dict[str, int]:
    """The meaning and everything that it is a kind of, nearest first."""
    distances: dict[str, int] = {}
    for path in synset.hypernym_paths():
        for distance, above in enumerate(reversed(path)):
            name = str(above.name())
            distances[name] = min(distance, distances.get(name, distance))
    return dict(sorted(distances.items(), key=lambda item: item[1]))


def _described(synset: Synset) -> frozenset[str]:
    """The words that a meaning is defined by, and the names of what it is a kind or a part of."""
    related = [*synset.hypernyms(), *synset.part_holonyms()]
    names = [name for other in related for name in other.lemma_names()]
    words = re.findall(r"[a-z]+", " ".join([synset.definition(), *names]).replace("_", " ").lower())
    return frozenset(words) | {word.removesuffix("s") for word in words}


def _count(synset: Synset, word: str) -> int:
    lemmas = (lemma for lemma in synset.lemmas() if _key(lemma.name()) == _key(american(word)))
    return sum(lemma.count() for lemma in lemmas)


def _key(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()
