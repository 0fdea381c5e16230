"""The words W_t around an object name W^o, from WordNet: its senses and what each is related to.

Source: Lee & Choi (TGI-AD), CVPR 2024 (arXiv 2403.06247), section 4.1.1, keyword-to-prompt
generator.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nltk.corpus.reader.wordnet import Synset, WordNetCorpusReader

from models.prompt.damage import DamageWords
from models.prompt.name.countable import is_mass
from models.prompt.name.reader import COLOURS, PAIRS, NameReader, ObjectName
from models.prompt.name.spelling import american
from models.prompt.senses import LEAST, Rank, rank
from models.prompt.things import is_common_noun, is_presentable, things

MAX_WORDS = 16  # of one relation
# States of a part without a defect, ours: WordNet relates no noun to them.
STATES = (
    "flawless", "intact", "undamaged", "unblemished", "perfect", "pristine", "spotless", "clean",
    "complete", "whole", "smooth", "new", "normal", "unused", "immaculate", "faultless",
)  # fmt: skip


@dataclass(frozen=True)
class Sense:
    """One meaning of the object's name.

    Attributes:
        name: WordNet's name of the synset, such as `nut.n.03`.
        gloss: its definition.
        words: relation -> words, each related to this meaning; no word means damage.
        countable: whether "a" goes before the name.
        points: how likely it is by the name alone; see `models.prompt.senses`.
        reason: what the points are for, in words.
    """

    name: str
    gloss: str
    words: dict[str, tuple[str, ...]]
    countable: bool
    points: float
    reason: str


@dataclass(frozen=True)
class ObjectWords:
    """What WordNet and our states say about an object name, without looking at an image.

    Attributes:
        object_name: the name as prompts write it: lower case, singular, words apart, without
            designations.
        looked_up: the word found in WordNet (of an unknown compound its head noun), or None.
        senses: its meanings that are things, the likeliest first; empty for an unknown word.
        countable: whether "a" goes before the name where no meaning is known.
        states: adjectives of a defect-free state.
    """

    object_name: str
    looked_up: str | None
    senses: tuple[Sense, ...]
    countable: bool = True
    states: tuple[str, ...] = STATES

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        senses = [
            {
                "name": s.name,
                "gloss": s.gloss,
                "points": s.points,
                "reason": s.reason,
                "words": s.words,
            }
            for s in self.senses
        ]
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
        self.names = NameReader(wordnet)
        self.damage = DamageWords(wordnet)

    def find(self, object_name: str) -> ObjectWords:
        """The words around `object_name`, in any of the forms that users write.

        Raises:
            ValueError: the name holds no letter, or more than MAX_NAME_LENGTH characters.
        """
        name = self.names.read(object_name)
        looked_up, modifiers, synsets = self._look_up(name)
        # A juice bottle is no beer bottle and a saw blade no part of a sword; a metal nut may be a
        # wing nut.
        has_kinds = all(map(self.names.qualifies, modifiers))
        ranked = zip(synsets, rank(synsets, looked_up or "", name.context), strict=True)
        likely = [(synset, ranking) for synset, ranking in ranked if ranking.points >= LEAST]
        in_order = sorted(likely, key=lambda pair: -pair[1].points)  # stable: WordNet's order
        senses = tuple(
            self._sense(synset, name, ranking, has_kinds) for synset, ranking in in_order
        )
        return ObjectWords(
            name.text, looked_up if senses else None, senses, not is_mass(name.head[-1])
        )

    def normalise(self, object_name: str) -> str:
        """`Metal_nuts-02` -> "metal nut": the name as prompts write it.

        A word that WordNet does not know but that is two words run together is taken apart
        ("chewinggum"). Letters of every script are kept.

        Raises:
            ValueError: the name holds no letter, or more than MAX_NAME_LENGTH characters.
        """
        return self.names.read(object_name).text

    def means_damage(self, word: str, own: frozenset[str] = frozenset()) -> bool:
        """Whether a word of the phrase, or what it is a form of, names damage; `own` are exempt."""
        return self.damage.means_damage(word, own)

    def _look_up(self, name: ObjectName) -> tuple[str | None, list[str], list[Synset]]:
        """The longest words at the head's end that mean things, the words before, the meanings."""
        if not name.is_looked_up:
            return None, [], []
        words = " ".join(name.head).replace("-", " ").split()
        last = len(words) - 1
        for start, part in enumerate(_tails(words)):
            # A blue bottle is no bluebottle.
            joined = part if part.split()[0] in COLOURS else part.replace(" ", "")
            hyphened = re.sub(r"\b([a-z]) (?=[a-z]{2})", r"\1-", part)  # an X-ray tube
            for form in dict.fromkeys((part, hyphened, joined)):
                known = things(self.wordnet, american(form))
                if name.head[-1] in PAIRS:  # safety glasses are not of safety glass
                    named = [s for s in known if form in s.lemma_names()]
                    known = known if start == last and not named else named
                if known:
                    return form, words[:start], known
        return None, [], []

    def _sense(self, synset: Synset, name: ObjectName, ranking: Rank, has_kinds: bool) -> Sense:
        own = frozenset(name.text.split())
        related = {
            "synonym": [synset],
            "hypernym": [h for h in _hypernyms(synset, 2) if h.min_depth() > 4],
            "hyponym": synset.hyponyms() if has_kinds else [],
            "part": _inherited(synset, "part_meronyms") + synset.member_meronyms(),
            "substance": _inherited(synset, "substance_meronyms"),
            "whole": _wholes(synset) if has_kinds else [],
            "attribute": _inherited(synset, "attributes"),
        }
        own_names = [t.replace("-", " ") for t in (name.text, *_tails(name.head))]
        seen = {spelt for own in own_names for spelt in (own, american(own), f"{own}s")}
        words: dict[str, tuple[str, ...]] = {}
        for relation, synsets in related.items():
            # Of the object itself every name counts, of what it is related to the usual one.
            num_names = None if relation == "synonym" else 1
            # nltk keeps relations as sets, whose order changes from run to run.
            ordered = sorted(filter(is_presentable, synsets), key=_most_usual_first)
            names = [n for s in ordered for n in s.lemma_names()[:num_names] if is_common_noun(n)]
            phrases = [n.replace("_", " ").split("(")[0] for n in names]
            new = [w for w in dict.fromkeys(phrases) if w.replace("-", " ") not in seen]
            words[relation] = tuple(w for w in new if not self.means_damage(w, own))[:MAX_WORDS]
            seen.update(new)
        return Sense(
            name=synset.name(),
            gloss=synset.definition(),
            words=words,
            countable=not is_mass(name.head[-1], synset),
            points=ranking.points,
            reason=ranking.reason,
        )


def _tails(words: Sequence[str]) -> Iterable[str]:
    """Of "old metal nut": itself, "metal nut", "nut". English compounds end in their head noun."""
    return (" ".join(words[start:]) for start in range(len(words)))


def _most_usual_first(synset: Synset) -> tuple[int, str]:
    return -synset.lemmas()[0].count(), str(synset.name())


def _hypernyms(synset: Synset, levels: int) -> list[Synset]:
    return list(synset.closure(lambda s: s.hypernyms(), depth=levels))


def _wholes(synset: Synset) -> list[Synset]:
    return [
        *synset.part_holonyms(), *synset.member_holonyms(), *synset.substance_holonyms(),
    ]  # fmt: skip


def _inherited(synset: Synset, relation: str) -> list[Synset]:
    """The related synsets of a synset and of what it is directly a kind of: a vessel's brim."""
    return [r for s in [synset, *synset.hypernyms()] for r in getattr(s, relation)()]
