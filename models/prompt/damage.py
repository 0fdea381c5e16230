"""Which words mean damage, so that no prompt for a good part speaks of it."""

import re
from functools import cached_property

from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

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


class DamageWords:
    """Everything that WordNet puts below imperfection, damage, wear, dirt and their like."""

    def __init__(self, wordnet: WordNetCorpusReader):
        self.wordnet = wordnet

    def means_damage(self, word: str, own: frozenset[str] = frozenset()) -> bool:
        """Whether a word of the phrase, or what it is a form of, names damage; `own` are exempt."""
        for token in re.split(r"[\s-]+", word.lower()):
            forms = {token, self.wordnet.morphy(token, "n"), self.wordnet.morphy(token, "v")}
            if token not in own and forms & self._words:
                return True
        return False

    @cached_property
    def _words(self) -> frozenset[str]:
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
