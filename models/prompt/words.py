"""The words W_t around an object name W^o, from WordNet: its senses and what each is related to.

Source: Lee & Choi (TGI-AD), CVPR 2024 (arXiv 2403.06247), section 4.1.1, keyword-to-prompt
generator.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

MAX_NAME_LENGTH = 80
MAX_WORDS = 16  # of one relation
# States of a part without a defect, ours: WordNet relates no noun to them.
STATES = (
    "flawless", "intact", "undamaged", "unblemished", "perfect", "pristine", "spotless", "clean",
    "complete", "whole", "smooth", "new", "normal", "unused", "immaculate", "faultless",
)  # fmt: skip
# Things that a camera can show; acts, words, quantities, persons only if there is nothing else.
VISIBLE = frozenset(
    f"noun.{name}"
    for name in ("artifact", "food", "plant", "object", "substance", "animal", "shape")
)
PAIRS = (
    "binoculars", "clippers", "forceps", "glasses", "goggles", "headphones", "jeans", "pants",
    "pincers", "pliers", "scissors", "shears", "shorts", "spectacles", "tongs", "trousers",
    "tweezers",
)  # fmt: skip
# Everything below these synsets (or similar to them) means damage.
DAMAGE_NOUNS = (
    "imperfection.n.01", "blemish.n.01", "damage.n.01", "damage.n.03", "breakage.n.03",
    "contamination.n.01", "contamination.n.03", "contaminant.n.01", "corrosion.n.01",
    "corrosion.n.02", "decay.n.01", "decay.n.03", "decay.n.04", "wear.n.01", "dirt.n.02",
    "stain.n.01", "waste.n.01", "wreckage.n.01", "fragment.n.01", "rust.n.01", "mold.n.05",
)  # fmt: skip
DAMAGE_ADJECTIVES = (
    "damaged.a.01", "broken.a.01", "imperfect.a.01", "blemished.a.01", "dirty.a.01", "impure.a.01",
    "worn.a.01", "stale.a.01", "malfunctioning.a.01", "destroyed.a.01",
)  # fmt: skip


DAMAGE_VERBS = (
    "damage.v.01", "break.v.02", "break.v.05", "tear.v.01", "crack.v.01", "scratch.v.02",
    "pollute.v.01", "flex.v.05", "stain.v.02",
)  # fmt: skip
# A word counts as damage if that is one of its usual meanings: "water" may also mean urine.
USUAL_MEANINGS = 4


@dataclass(frozen=True)
class Sense:
    """One meaning of the object's name.

    Attributes:
        name: WordNet's name of the synset, such as `nut.n.03`.
        gloss: its definition.
        words: relation -> words, each related to this meaning; no word means damage.
        countable: whether "a" goes before the name.
    """

    name: str
    gloss: str
    words: dict[str, tuple[str, ...]]
    countable: bool


@dataclass(frozen=True)
class ObjectWords:
    """What WordNet and our states say about an object name, without looking at an image.

    Attributes:
        object_name: the name as prompts write it: lower case, singular, words apart.
        looked_up: the word found in WordNet (of an unknown compound its head noun), or None.
        senses: its meanings, WordNet's most usual first; empty for an unknown word.
        states: adjectives of a defect-free state.
    """

    object_name: str
    looked_up: str | None
    senses: tuple[Sense, ...]
    states: tuple[str, ...] = STATES

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        senses = [{"name": s.name, "gloss": s.gloss, "words": s.words} for s in self.senses]
        return {
            "object_name": self.object_name,
            "looked_up": self.looked_up,
            "senses": senses,
            "states": list(self.states),
        }


class ObjectWordFinder:
    """Finds the words around an object name; one per process, since WordNet's reader is shared."""

    def __init__(self, wordnet: WordNetCorpusReader):
        self.wordnet = wordnet

    def find(self, object_name: str) -> ObjectWords:
        """The words around `object_name`, in any of the forms that users write.

        Raises:
            ValueError: the name holds no letter, or more than MAX_NAME_LENGTH characters.
        """
        name = self.normalise(object_name)
        forms = (form for part in _tails(name) for form in (part, part.replace(" ", "")))
        looked_up = next((form for form in forms if self._synsets(form)), None)
        synsets = self._synsets(looked_up) if looked_up else []
        synsets = [s for s in synsets if s.lexname() in VISIBLE] or synsets
        own = frozenset(name.split())
        senses = tuple(self._sense(synset, name, own) for synset in synsets)
        return ObjectWords(name, looked_up, senses)

    def normalise(self, object_name: str) -> str:
        """`Metal_nuts-02` -> "metal nut": lower case, words apart, no trailing number, singular.

        A word that WordNet does not know but that is two words run together is taken apart
        ("chewinggum"). Letters of every script are kept.

        Raises:
            ValueError: the name holds no letter, or more than MAX_NAME_LENGTH characters.
        """
        if len(object_name) > MAX_NAME_LENGTH:
            raise ValueError(
                f"object name of {len(object_name)} characters, {MAX_NAME_LENGTH} allowed"
            )
        text = unicodedata.normalize("NFKC", object_name)
        text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text).lower()
        words = re.sub(r"[^\w'’+]|_", " ", text).split()
        text = re.sub(r"[\s\d]+$", "", " ".join(words))
        if not any(character.isalpha() for character in text):
            raise ValueError(f"object name {object_name!r} holds no letter")
        *modifiers, head = text.split()
        return " ".join([*modifiers, self._apart(self._singular(head))])

    def means_damage(self, word: str, own: frozenset[str] = frozenset()) -> bool:
        """Whether a word of the phrase, or what it is a form of, names damage; `own` are exempt."""
        for token in re.split(r"[\s-]+", word.lower()):
            forms = {token, self.wordnet.morphy(token, "n"), self.wordnet.morphy(token, "v")}
            if token not in own and forms & self._damage_words:
                return True
        return False

    @cached_property
    def _damage_words(self) -> frozenset[str]:
        synsets: set[Synset] = set()
        for name in DAMAGE_NOUNS + DAMAGE_VERBS:
            synset = self.wordnet.synset(name)
            synsets.update([synset, *synset.closure(lambda s: s.hyponyms())])
        for name in DAMAGE_ADJECTIVES:
            synset = self.wordnet.synset(name)
            synsets.update([synset, *synset.similar_tos()])
        return frozenset(
            word.lower()
            for synset in synsets
            for word in synset.lemma_names()
            if "_" not in word
            and synset in self.wordnet.synsets(word, synset.pos())[:USUAL_MEANINGS]
        )

    def _synsets(self, name: str) -> list[Synset]:
        synsets = self.wordnet.synsets(name.replace(" ", "_"), "n")
        return [
            s for s in synsets if not s.instance_hypernyms()
        ]  # a goddess Nut is no kind of thing

    def _singular(self, word: str) -> str:
        if word in PAIRS:
            return word
        known = self.wordnet.morphy(word, "n")
        if known is None:
            return re.sub(r"(?<=[a-z]{2})(?<![suiy])s$", "", word)
        stem = word.removesuffix("s")
        if known == word != stem and len(stem) >= 4 and self.wordnet.morphy(stem, "n") == stem:
            return stem
        return str(known)

    def _apart(self, word: str) -> str:
        if self._synsets(word):
            return word
        splits = [f"{word[:i]} {word[i:]}" for i in range(3, len(word) - 2)]
        known = [s for s in splits if self._synsets(s)]
        nouns = [s for s in splits if all(self.wordnet.synsets(part, "n") for part in s.split())]
        return next(iter(known or nouns), word)

    def _sense(self, synset: Synset, name: str, own: frozenset[str]) -> Sense:
        related = {
            "synonym": [synset],
            "hypernym": [h for h in _hypernyms(synset, 2) if h.min_depth() > 4],
            "hyponym": synset.hyponyms(),
            "part": _inherited(synset, "part_meronyms") + synset.member_meronyms(),
            "substance": _inherited(synset, "substance_meronyms"),
            "whole": synset.part_holonyms()
            + synset.member_holonyms()
            + synset.substance_holonyms(),
            "attribute": _inherited(synset, "attributes"),
        }
        seen = {name, *_tails(name)}
        words: dict[str, tuple[str, ...]] = {}
        for relation, synsets in related.items():
            # Of the object itself every name counts, of what it is related to the usual one.
            num_names = None if relation == "synonym" else 1
            # nltk keeps relations as sets, whose order changes from run to run.
            ordered = sorted(synsets, key=lambda s: str(s.name()))
            names = [n for s in ordered for n in s.lemma_names()[:num_names]]
            phrases = [n.replace("_", " ").split("(")[0] for n in names]
            new = [w for w in dict.fromkeys(phrases) if w not in seen]
            words[relation] = tuple(w for w in new if not self.means_damage(w, own))[:MAX_WORDS]
            seen.update(new)
        return Sense(
            name=synset.name(),
            gloss=synset.definition(),
            words=words,
            countable=synset.lexname() != "noun.substance",
        )


def _tails(name: str) -> Iterable[str]:
    """Of "old metal nut": itself, "metal nut", "nut". English compounds end in their head noun."""
    words = name.split()
    return (" ".join(words[start:]) for start in range(len(words)))


def _hypernyms(synset: Synset, levels: int) -> list[Synset]:
    return list(synset.closure(lambda s: s.hypernyms(), depth=levels))


def _inherited(synset: Synset, relation: str) -> list[Synset]:
    """The related synsets of a synset and of what it is directly a kind of: a vessel's brim."""
    return [r for s in [synset, *synset.hypernyms()] for r in getattr(s, relation)()]
