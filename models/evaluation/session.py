"""One run of the command: reads the data, wires the experiment, writes the wanted page."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.evaluation.data.dataset import Category
from models.evaluation.experiment import Experiment, Settings, plan
from models.evaluation.rows.plain import PLAIN_ROWS, ROWS, find_row
from models.evaluation.table import read_categories, write_table
from models.features.patches import load_patch_features
from models.views.view import INVARIANCES

__all__ = ["EvaluationRequest", "Settings", "run"]


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What to measure.

    Attributes:
        data: sources as `read_dataset` takes them.
        shots: numbers of real images.
        num_seeds: draws of the real images.
        rows: names of rows; None is all of them.
        max_test_images: at most so many good and so many defective ones; None is all.
        kind: the rows' table, the guard on planted defects, the correlation study, or how well the
            images look like real ones.
    """

    data: Sequence[str]
    shots: Sequence[int] = (1,)
    num_seeds: int = 3
    rows: Sequence[str] | None = None
    max_test_images: int | None = 40
    kind: Literal["table", "guard", "study", "fidelity"] = "table"


def run(settings: Settings, request: EvaluationRequest, folder: Path) -> Path:
    """Measures and writes into `folder`; returns the page to read.

    Raises:
        ValueError: no data, an unknown row or invariance, or more shots than training images.
        RuntimeError: a network's weights are missing.
    """
    if unknown := set(settings.invariances or ()) - set(INVARIANCES):
        raise ValueError(f"{min(unknown)!r} is no invariance; known: {', '.join(INVARIANCES)}")
    categories = read_categories(request.data, max_test_images=request.max_test_images)
    if request.kind == "fidelity":
        return _fidelity(settings, request, categories, folder)
    rows = request.rows or ROWS
    for name in request.rows or ():
        find_row(name)
    experiment = Experiment(folder, load_patch_features(), settings)
    if request.kind == "table":
        return write_table(experiment, plan(categories, rows, request.shots, request.num_seeds))
    # Loaded with the pipeline, which a table of plain rows does without.
    from models.evaluation import trials  # noqa: PLC0415

    if request.kind == "guard":
        plans = plan(categories, ["goodmany"], request.shots, request.num_seeds)
        return trials.run_guard(experiment, plans)
    generating = [row for row in rows if row not in PLAIN_ROWS]
    return trials.run_study(
        experiment, plan(categories, generating, request.shots, request.num_seeds)
    )


def _fidelity(
    settings: Settings, request: EvaluationRequest, categories: Sequence[Category], folder: Path
) -> Path:
    # The second network is read by a package that the other kinds do without.
    from models.evaluation.detector.networks import load_networks  # noqa: PLC0415
    from models.evaluation.fidelity.rows import (  # noqa: PLC0415
        FIDELITY_ROWS,
        REAL_ROWS,
        find_making_row,
    )
    from models.evaluation.fidelity.run import write_fidelity  # noqa: PLC0415
    from models.evaluation.fidelity.trial import FidelityTrial  # noqa: PLC0415

    rows = request.rows or FIDELITY_ROWS
    for name in rows:
        if name not in REAL_ROWS:
            find_making_row(name)
    trial = FidelityTrial(folder, load_networks(), settings)
    plans = plan(categories, rows, request.shots, request.num_seeds)
    return write_fidelity(trial, plans, command_line(settings, request))


def command_line(settings: Settings, request: EvaluationRequest) -> str:
    """The command that measures the same again, whatever the defaults will be then."""
    words = ["goodmany", "evaluate", *request.data]
    if request.kind != "table":
        words.append(f"--{request.kind}")
    for number in request.shots:
        words += ["--shots", str(number)]
    for name in request.rows or ():
        words += ["--row", name]
    options = {
        "--seeds": request.num_seeds,
        "--detector": settings.detector,
        "--num-images": settings.num_images,
        "--image-size": settings.image_size,
        "--effort": settings.effort,
        "--encoder": settings.encoder,
        "--vqgan": settings.vqgan,
        "--device": settings.device,
        "--coreset": settings.coreset_size,
        "--coresets": settings.num_coresets,
    }
    for option, value in options.items():
        words += [] if value is None else [option, str(value)]
    if settings.invariances is not None:
        for name in settings.invariances or ("none",):
            words += ["--invariance", name]
    words += ["--reweight"] * settings.reweight + ["--all"] * (request.max_test_images is None)
    return shlex.join(words)
