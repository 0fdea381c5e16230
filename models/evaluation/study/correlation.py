"""The paper's correlation study: which property of a generated set goes with its uplift.

Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), the study of the CLIP score: Spearman's rho
between a set's uplift and its similarity to the real images, its visual variance, and its CLIP
score under the chosen prompt, the plain prompt and the bare word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from models.encoder.protocol import TextImageEncoder
from models.evaluation.records import write_records

PLAIN_PROMPT = "a photo of a {}"
PROPERTIES = (
    "similarity",
    "visual_variance",
    "score_chosen_prompt",
    "score_plain_prompt",
    "score_bare_word",
)


@dataclass(frozen=True, kw_only=True)
class GeneratedSet:
    """One generated set and what it did.

    Attributes:
        uplift: image AUROC with the set, less that of the real images alone.
        similarity: cos(mean of f over the set, mean of f over the real images).
        visual_variance: variance of f within the set, summed over f's dimensions.
        score_chosen_prompt: cos(z^v, z^t) under the prompt that was chosen; likewise the others.
    """

    category: str
    shots: int
    seed: int
    variant: str
    uplift: float
    similarity: float
    visual_variance: float
    score_chosen_prompt: float
    score_plain_prompt: float
    score_bare_word: float


@torch.no_grad()
def set_properties(
    encoder: TextImageEncoder, generated: Tensor, real: Tensor, *, prompt: str, object_name: str
) -> dict[str, float]:
    """The PROPERTIES of generated images (M, 3, H, W) beside the real ones (k, 3, H, W)."""
    embedded = torch.cat([encoder.embed_image(image[None]) for image in generated])
    z_v = embedded.mean(dim=0)
    z_real = torch.cat([encoder.embed_image(image[None]) for image in real]).mean(dim=0)
    z_t = encoder.embed_text([prompt, PLAIN_PROMPT.format(object_name), object_name])
    scores = torch.cosine_similarity(z_v[None], z_t)
    values = (
        float(torch.cosine_similarity(z_v, z_real, dim=0)),
        float(embedded.var(dim=0, correction=0).sum()),
        *scores.tolist(),
    )
    return dict(zip(PROPERTIES, values, strict=True))


def correlations(sets: Sequence[GeneratedSet]) -> dict[str, dict[str, float]]:
    """Spearman's rho of each property with the uplift: pooled, and within each category's mean.

    Categories differ in both for reasons of their own; "within" takes each category's own rho
    (number of real images and all) and averages them, leaving out those where nothing varies.
    """
    result = {}
    for name in PROPERTIES:
        pooled = spearman([getattr(s, name) for s in sets], [s.uplift for s in sets])
        groups = [
            [s for s in sets if (s.category, s.shots) == group]
            for group in {(s.category, s.shots) for s in sets}
        ]
        each = [spearman([getattr(s, name) for s in g], [s.uplift for s in g]) for g in groups]
        valid = [rho for rho in each if not np.isnan(rho)]
        result[name] = {
            "pooled": pooled,
            "within": float(np.mean(valid)) if valid else float("nan"),
        }
    return result


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Rank correlation in [-1, 1]; ties get their mean rank; nan where x or y is constant."""
    ranks = np.stack([stats.rankdata(x), stats.rankdata(y)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    return float(ranks[0] @ ranks[1] / norms.prod()) if norms.all() else float("nan")


def write_study(folder: Path, sets: Sequence[GeneratedSet]) -> Path:
    """Writes study.csv (the sets) and study.md (the correlations); returns the latter."""
    write_records(folder / "study.csv", GeneratedSet, sets)
    lines = ["# Correlation with the uplift", ""]
    lines += [f"Spearman's rho over {len(sets)} generated sets.", ""]
    lines += ["| property of the set | pooled | within categories |", "|---|---|---|"]
    for name, rho in correlations(sets).items():
        words = name.replace("_", " ")
        lines.append(f"| {words} | {rho['pooled']:+.2f} | {rho['within']:+.2f} |")
    page = folder / "study.md"
    page.write_text("\n".join([*lines, ""]))
    return page
