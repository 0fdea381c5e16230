"""Which meanings of a noun are things that a line makes and a camera shows."""

import re

from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

from models.prompt.word_list import word_list

# Things that a camera can show; acts, words, quantities, persons are no objects.
VISIBLE = frozenset(
    f"noun.{name}"
    for name in ("artifact", "food", "plant", "object", "substance", "animal", "shape")
)
# No line makes a tree ("tornillo" is one). Labels and coins are things that WordNet has elsewhere.
NO_THINGS = frozenset({"woody_plant.n.01", "body_part.n.01"})
THINGS = frozenset({"marker.n.02", "currency.n.01"})
# A related word of these kinds is absurd in a prompt for a part, or says nothing.
ABSURD = frozenset(
    {"person.n.01", "body_part.n.01", "contraceptive.n.01", "taxonomic_group.n.01", "sex.n.01",
     "instrument_of_torture.n.01", "instrument_of_punishment.n.01", "organism.n.01", "drug.n.01"}
)  # fmt: skip
EMPTY = frozenset(
    {"instrumentality.n.03", "artifact.n.01", "commodity.n.01", "whole.n.02", "object.n.01",
     "physical_entity.n.01", "matter.n.03", "thing.n.12", "way.n.06", "unit.n.05"}
)  # fmt: skip
_RUDE = re.compile(r"\b(obscen|vulgar|offensive|slang|disparag|derogat|street name)", re.I)
# Decent parts whose names mean something else to most readers.
_AMBIGUOUS = word_list("bollock bollocks cock nipple tampion tampon douche bomb")
_UNREAL = re.compile(
    r"\b(imaginary|folktale|folklore|mytholog\w+|fairy|legend\w*|corpses?|dead|burial|buried|"
    r"funeral|embalm\w*|condemned|hangman|bodily|breasts?|urine|excre\w+|vagina\w*|menstrua\w*|"
    r"sexual\w*)\b",
    re.I,
)


def above(synset: Synset) -> frozenset[str]:
    """The names of a synset and of everything that it is a kind of."""
    return frozenset(str(s.name()) for path in synset.hypernym_paths() for s in path)


def things(wordnet: WordNetCorpusReader, noun: str) -> list[Synset]:
    """What a noun means as a thing, WordNet's most usual first; a goddess Nut is none."""
    synsets = wordnet.synsets(noun.replace(" ", "_"), "n")
    return [s for s in synsets if not s.instance_hypernyms() and is_thing(s)]


def is_thing(synset: Synset) -> bool:
    """Whether a meaning is a thing that could lie before a camera on a line."""
    kinds = above(synset)
    is_visible = synset.lexname() in VISIBLE or not kinds.isdisjoint(THINGS)
    return is_visible and kinds.isdisjoint(NO_THINGS) and not _RUDE.search(synset.definition())


def is_presentable(synset: Synset) -> bool:
    """Whether a prompt may speak of a synset that the part is related to."""
    is_fit = above(synset).isdisjoint(ABSURD) and synset.name() not in EMPTY
    definition = synset.definition()
    return is_fit and not _RUDE.search(definition) and not _UNREAL.search(definition)


def is_common_noun(name: str) -> bool:
    """Whether a lemma is a common noun: "Phillips_screw"; no "Corylus", no "A_battery"."""
    is_odd = re.match("(genus|family|order|class|[A-Z])_", name) is not None
    last = re.split("[_ -]", name)[-1]
    return last.islower() and last not in _AMBIGUOUS and not is_odd
