"""Runs the guard's trial and the correlation study over categories, part by part, resumable."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from models.evaluation.cells import digest
from models.evaluation.experiment import Experiment, Plan
from models.evaluation.guard_trial.report import write_guard_page
from models.evaluation.guard_trial.trial import Defendant, Judgement, try_guard
from models.evaluation.records import Record, read_records, write_records
from models.evaluation.rows.generated import (
    OPTIONS,
    PRODUCT,
    draws,
    generate,
    models_of,
    pictures,
    prepared_product,
)
from models.evaluation.rows.plain import RowInput
from models.evaluation.study.correlation import GeneratedSet, set_properties, write_study
from models.evaluation.table import progress_bar
from models.views.view import to_tensor

# What a part depends on besides its plan: the code of the trials themselves.
TRIAL_FILES = (
    "guard_trial/defects.py",
    "guard_trial/trial.py",
    "study/correlation.py",
    "trials.py",
)


def defendant(data: RowInput) -> Defendant:
    """The guard of the product's request for these real images, and images that it let pass."""
    generated = pictures(generate(data, PRODUCT))
    guard, device = prepared_product(data).guard, models_of(data).device
    return Defendant(guard, draws(data).seen_size, generated, device)


def run_guard(experiment: Experiment, plans: Sequence[Plan]) -> Path:
    """Tries the guard of each plan; writes guard.md, guard.csv and the curves."""

    def judge(plan: Plan) -> list[Judgement]:
        data = experiment.row_input(plan)
        return list(try_guard(plan.category, data, defendant))

    judgements = _parts(experiment, plans, Judgement, judge)
    write_records(experiment.folder / "guard.csv", Judgement, judgements)
    return write_guard_page(experiment.folder, judgements)


def run_study(experiment: Experiment, plans: Sequence[Plan]) -> Path:
    """Makes the set of each plan and measures it; writes study.md and study.csv.

    What the table measured counts here too, and the other way round.
    """

    def measure(plan: Plan) -> list[GeneratedSet]:
        return [_generated_set(experiment, plan)]

    return write_study(experiment.folder, _parts(experiment, plans, GeneratedSet, measure))


def _generated_set(experiment: Experiment, plan: Plan) -> GeneratedSet:
    data = experiment.row_input(plan)
    result = generate(data, OPTIONS[plan.row])
    generated = pictures(result)
    real = Plan(plan.category, plan.shots, plan.seed, "real")
    finished = experiment.finished([real, plan])
    baseline = finished.get(real) or experiment.measure(real)
    cell = finished.get(plan) or experiment.measure(plan, [*data.images, *generated])
    models = models_of(data)
    properties = set_properties(
        models.encoder,
        *(
            torch.stack([to_tensor(image, result.size) for image in images]).to(models.device)
            for images in (generated, data.images)
        ),
        prompt=result.prompt,
        object_name=data.object_name,
    )
    return GeneratedSet(
        category=plan.category.name,
        shots=plan.shots,
        seed=plan.seed,
        variant=plan.row,
        uplift=cell.image_auroc - baseline.image_auroc,
        **properties,
    )


def _parts(
    experiment: Experiment,
    plans: Sequence[Plan],
    kind: type[Record],
    measure: Callable[[Plan], list[Record]],
) -> list[Record]:
    """The records of all plans; those of each plan are kept in a file and not measured again."""
    folder = experiment.folder / "parts"
    folder.mkdir(exist_ok=True)
    trial = digest({}, [Path(__file__).parent / name for name in TRIAL_FILES])
    records: list[Record] = []
    with progress_bar() as progress:
        for plan in progress.track(plans, description=kind.__name__):
            *names, key = map(str, experiment.identity(plan))
            part = folder / f"{kind.__name__.lower()}-{'-'.join(names)}-{key}-{trial}.csv"
            if not part.exists():
                write_records(part, kind, measure(plan))
            records += read_records(part, kind)
    return records
