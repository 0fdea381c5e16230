from dataclasses import replace
from functools import partial

import pytest

from models.job.progress import Progress
from models.job.run import complete, run
from models.runtime.errors import StrictError
from tests.models.job.conftest import generation_of
from tests.models.job.test_fill import BLIND

STAGES = ["prompt", "adapt", "rounds", "fill"]


def test_progress_never_falls_and_tells_the_stages_in_order(made):
    percents = [percent for _, percent, _ in made.told]
    assert percents == sorted(percents)
    assert list(dict.fromkeys(stage for stage, _, _ in made.told)) == STAGES
    assert {"prompt": made.result.prompt} in [facts for _, _, facts in made.told]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("wanted", STAGES)
def test_what_the_callback_raises_comes_out_of_every_stage(pipeline, prepared, wanted):
    def stop(stage: str, percent: float, facts: dict[str, object]) -> None:
        if stage == wanted:
            raise StoppedError

    generation = replace(generation_of(pipeline.models), progress=Progress(stop))
    stages = run if wanted in ("prompt", "adapt") else partial(complete, prepared=prepared)
    with pytest.raises(StoppedError):
        stages(generation)


def test_a_strict_request_says_how_many_are_missing_and_why(pipeline, prepared):
    with pytest.raises(StrictError, match=r"of 2 images.*'anomalous': [1-9]"):
        complete(generation_of(pipeline.models, BLIND, strict=True), prepared)


def test_a_set_of_nothing_is_no_success(pipeline, prepared, monkeypatch):
    monkeypatch.setattr(prepared.guard, "threshold", 1e-9)
    with pytest.raises(StrictError, match="0 of 2 images"):
        complete(generation_of(pipeline.models), prepared)
