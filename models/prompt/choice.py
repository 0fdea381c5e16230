"""Keyword-to-prompt generator: chooses the text that fits the good images best.

Source: Lee & Choi (TGI-AD), CVPR 2024 (arXiv 2403.06247), section 4.1.1; the symbols are the
paper's: W^o object name, W_t words, S_t candidate texts, f image and G text embedding, d their
distance.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import torch
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from torch import Tensor

from models.encoder.protocol import TextImageEncoder
from models.prompt.texts import candidate_texts
from models.prompt.words import ObjectWordFinder, ObjectWords, Sense
from models.runtime.device_memory import HalvingBatch

OutlierRule = Literal["mad", "paper"]

PAPER_THRESHOLD = 0.5
NUM_DEVIATIONS = 3.0
# The factor that makes the MAD of normally distributed values their standard deviation.
MAD_TO_STD = 1.4826


@dataclass(frozen=True)
class Candidate:
    """One text of S_t and how it stands to the images.

    Attributes:
        text: the prompt.
        word: the word of W_t in it, empty for the bare object or a user's own prompt.
        relation: how WordNet relates the word to the object, or `state`, `object`, `given`.
        distance: d(S, I^o), mean L2 distance of unit vectors over the k images, in [0, 2].
        cosine: mean cosine over the k images, in [-1, 1].
        kept: whether the outlier rule keeps it.
    """

    text: str
    word: str
    relation: str
    distance: float
    cosine: float
    kept: bool


@dataclass(frozen=True)
class SenseScore:
    """One meaning of the object's name.

    Attributes:
        name: WordNet's name of it.
        gloss: its definition.
        points: how likely it is by the name alone; `reason` says what for.
        reason: in words.
        cosine: mean cosine of name and gloss to the k images, in [-1, 1].
    """

    name: str
    gloss: str
    points: float
    reason: str
    cosine: float


@dataclass(frozen=True)
class PromptChoice:
    """The chosen prompt P, and everything that led to it.

    Attributes:
        text: P.
        object_name: W^o as the candidates write it.
        sense: WordNet's name of the chosen meaning, None for an unknown word.
        sense_reason: why that one, in words; why none, for an unknown word.
        senses: every meaning considered, the likeliest by the name first.
        words: W_t, relation -> words.
        candidates: S_t in the order of WordNet, each with distance and cosine.
        outlier_rule: `mad`, `paper`, or `none` for a prompt that the user gave.
        threshold: the distance that the rule compares with, None where there is no rule.
    """

    text: str
    object_name: str
    sense: str | None
    sense_reason: str
    senses: tuple[SenseScore, ...]
    words: dict[str, tuple[str, ...]]
    candidates: tuple[Candidate, ...]
    outlier_rule: str
    threshold: float | None

    def as_dict(self) -> dict[str, object]:
        """JSON-able, for the manifest."""
        return asdict(self)


class PromptGenerator:
    """Finds words around an object's name and chooses the prompt that the images fit best."""

    def __init__(self, encoder: TextImageEncoder, wordnet: WordNetCorpusReader):
        self.encoder = encoder
        self.finder = ObjectWordFinder(wordnet)

    def words(self, object_name: str) -> ObjectWords:
        """W_t without images: the words of every meaning, for a dry run.

        Raises:
            ValueError: the name holds no letter or is too long.
        """
        return self.finder.find(object_name)

    @torch.no_grad()
    def choose(
        self,
        object_name: str,
        images: Tensor,
        *,
        sense: str | None = None,
        outlier_rule: OutlierRule = "mad",
        prompt: str | None = None,
    ) -> PromptChoice:
        """The prompt P for `images` (k, 3, H, W) in [0, 1]: the kept candidate of greatest cosine.

        The order of the images does not matter. `sense` names the meaning whose words are taken.
        `prompt`, if given, is taken as it stands, and only its distance and cosine are measured.

        Raises:
            ValueError: the name holds no letter, is too long, or has no such meaning.
        """
        found = self.finder.find(object_name)
        # f(I^o), (k, D)
        f = HalvingBatch(len(images)).concatenate(self.encoder.embed_image, images)
        chosen, reason, scores = self._sense(found, f, sense)
        words = {**(chosen.words if chosen else {}), "state": found.states}
        if prompt is None:
            countable = chosen.countable if chosen else found.countable
            texts = list(candidate_texts(found.object_name, words, countable))
        else:
            texts = [(prompt, "", "given")]
        g = self.encoder.embed_text([text for text, _, _ in texts])  # G(S_t), (T, D)
        distances, cosines = torch.stack(
            [torch.cdist(g, f).mean(dim=1), (g @ f.T).mean(dim=1)]
        ).cpu()
        kept, threshold = (
            keep(distances, outlier_rule) if prompt is None else (distances >= 0, None)
        )
        best = int(torch.where(kept, cosines, -torch.inf).argmax())
        columns = zip(texts, distances.tolist(), cosines.tolist(), kept.tolist(), strict=True)
        return PromptChoice(
            text=texts[best][0],
            object_name=found.object_name,
            sense=chosen.name if chosen else None,
            sense_reason=reason,
            senses=scores,
            words=words,
            candidates=tuple(Candidate(*text, d, c, k) for text, d, c, k in columns),
            outlier_rule=outlier_rule if prompt is None else "none",
            threshold=threshold,
        )

    def _sense(
        self, found: ObjectWords, f: Tensor, wanted: str | None
    ) -> tuple[Sense | None, str, tuple[SenseScore, ...]]:
        """The likeliest meaning by the name; of those with equal points the images f (k, D) choose.

        On parts, the embedded encoder's cosines tell meanings apart little better than chance: for
        a hazelnut they chose the tree.

        Raises:
            ValueError: the name has no meaning that is called as the one that is wanted.
        """
        known = {sense.name: sense for sense in found.senses}
        if wanted is not None and wanted not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"{found.object_name!r} has no meaning {wanted!r}; it has: {listed}")
        if not found.senses:
            return None, "no word of the name is known as a thing: the bare name is used", ()
        texts = [f"{found.object_name}: {sense.gloss}" for sense in found.senses]
        cosines = (self.encoder.embed_text(texts) @ f.T).mean(dim=1).cpu()
        points = torch.tensor([sense.points for sense in found.senses])
        equal = points == points.max()
        sense = found.senses[int(torch.where(equal, cosines, -torch.inf).argmax())]
        scores = zip(found.senses, cosines.tolist(), strict=True)
        if wanted is not None:
            sense = known[wanted]
        by = (
            "as asked for"
            if wanted is not None
            else f"of {int(equal.sum())} equally likely, by the images"
            if equal.sum() > 1
            else "by the name"
        )
        return (
            sense,
            f"{by}: {sense.reason}",
            tuple(SenseScore(s.name, s.gloss, s.points, s.reason, c) for s, c in scores),
        )


def keep(distances: Tensor, rule: OutlierRule) -> tuple[Tensor, float]:
    """Which candidates are no outliers, (T,) bool, and the threshold, for distances (T,).

    `mad` keeps d <= median + 3 * 1.4826 * MAD, MAD being the median distance from the median: texts
    that lie unusually far from the images are out, whatever the encoder's scale. `paper` keeps
    d > 0.5 (TGI-AD, section 4.1.1), and every candidate where that keeps none.
    """
    if rule == "paper":
        kept = distances > PAPER_THRESHOLD
        return (kept if kept.any() else torch.ones_like(kept)), PAPER_THRESHOLD
    median = distances.median()
    mad = (distances - median).abs().median()
    threshold = median + NUM_DEVIATIONS * MAD_TO_STD * mad
    return distances <= threshold, float(threshold)
