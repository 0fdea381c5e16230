"""What the guard's trial showed: shares rejected by how plainly a defect is seen, a curve."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.evaluation.guard_trial.defects import AT_A_GLANCE
from models.evaluation.guard_trial.trial import CLEAN, Judgement
from models.evaluation.report.plots import plot_curve

AIMED_FALSE_REJECTION = 0.05
# Bands of visibility in just noticeable differences, lower end included.
BANDS = {
    "at a glance": (AT_A_GLANCE, float("inf")),
    "when looked for": (1.5, AT_A_GLANCE),
    "hardly": (0.0, 1.5),
}


def share_rejected(judgements: Sequence[Judgement], factor: float = 1.0) -> float | None:
    """Share whose distance lies beyond `factor` times the threshold; None of none."""
    if not judgements:
        return None
    return float(np.mean([judgement.ratio > factor for judgement in judgements]))


def in_band(judgements: Sequence[Judgement], band: str) -> list[Judgement]:
    """Planted defects whose visibility lies in the band."""
    low, high = BANDS[band]
    return [j for j in judgements if j.kind != CLEAN and low <= j.visibility < high]


def held_back(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Good images that the guard never saw."""
    return [j for j in judgements if j.base == "held-back"]


def factor_at(judgements: Sequence[Judgement], false_rejection: float) -> float:
    """The factor on the threshold at which this share of held-back good images is rejected."""
    return float(np.quantile([j.ratio for j in held_back(judgements)], 1.0 - false_rejection))


def curve(
    judgements: Sequence[Judgement], planted: Sequence[Judgement]
) -> tuple[list[float], list[float]]:
    """Share of held-back good images rejected, and of `planted` ones, over all factors."""
    factors = sorted({j.ratio for j in [*held_back(judgements), *planted]} | {0.0}, reverse=True)
    good = np.array([j.ratio for j in held_back(judgements)])
    bad = np.array([j.ratio for j in planted])
    return (
        [0.0, *(float((good >= f).mean()) for f in factors)],
        [0.0, *(float((bad >= f).mean()) for f in factors)],
    )


def write_guard_page(folder: Path, judgements: Sequence[Judgement]) -> Path:
    """Writes guard.md and, for each number of real images, a curve; returns the page."""
    num_planted = sum(j.kind != CLEAN for j in judgements)
    lines = ["# The normality guard on planted defects", ""]
    lines += [f"{num_planted} planted defects. Shares rejected; counts in brackets.", ""]
    for shots in sorted({j.shots for j in judgements}):
        chosen = [j for j in judgements if j.shots == shots]
        lines += [f"## {shots} real image{'s' if shots > 1 else ''}", ""]
        lines += _table("category", chosen, lambda j: j.category)
        lines += _table("kind", chosen, lambda j: j.kind if j.kind != CLEAN else None)
        lines += _table("planted into", chosen, lambda j: j.base if j.kind != CLEAN else None)
        factor = factor_at(chosen, AIMED_FALSE_REJECTION)
        shares = [f"{band} {_share(in_band(chosen, band), factor)}" for band in BANDS]
        lines.append(
            f"With the threshold times {factor:.2f}, where {AIMED_FALSE_REJECTION:.0%} of the "
            f"held-back good images are rejected: {', '.join(shares)}."
        )
        lines.append("")
        planted = {band: in_band(chosen, band) for band in BANDS}
        curves = {band: curve(chosen, bad) for band, bad in planted.items() if bad}
        labels = ("good images rejected", "planted defects rejected")
        plot_curve(folder / f"guard-{shots}.png", curves, labels, AIMED_FALSE_REJECTION)
    page = folder / "guard.md"
    page.write_text("\n".join(lines))
    return page


def _table(
    title: str, judgements: Sequence[Judgement], group_of: Callable[[Judgement], str | None]
) -> list[str]:
    names = sorted({name for j in judgements if (name := group_of(j)) is not None})
    lines = [f"| {title} | seen {' | seen '.join(BANDS)} | held-back good |"]
    lines.append("|---" * (len(BANDS) + 2) + "|")
    for name in [*names, "all"]:
        group = [j for j in judgements if name == "all" or group_of(j) == name]
        shares = [_share(in_band(group, band)) for band in BANDS]
        lines.append(f"| {name} | {' | '.join(shares)} | {_share(held_back(group))} |")
    return [*lines, ""]


def _share(judgements: Sequence[Judgement], factor: float = 1.0) -> str:
    share = share_rejected(judgements, factor)
    return "" if share is None else f"{share:.1%} ({len(judgements)})"
