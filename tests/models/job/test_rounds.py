from dataclasses import replace

import pytest

from models.generator.sampling import VarianceAwareGenerator
from models.job.options import EFFORTS, PipelineOptions
from models.job.rounds import run_rounds
from tests.models.job.conftest import generation_of


@pytest.fixture
def untrained(prepared, vqgan):
    """Prepared with a small generator, whose rounds take a moment."""
    return replace(prepared, generator=VarianceAwareGenerator(vqgan))


def test_the_best_round_is_kept_whichever_it_is(pipeline, untrained, monkeypatch):
    monkeypatch.setitem(EFFORTS, "draft", replace(EFFORTS["draft"], num_rounds=3))
    kept = set()
    for seed in range(8):
        integration = run_rounds(generation_of(pipeline.models, seed=seed), untrained)
        cosines = [r.cosine for r in integration.rounds]
        assert len(cosines) == 3
        assert integration.kept == cosines.index(max(cosines))
        kept.add(integration.kept)
    assert len(kept) > 1


def test_progress_ends_where_the_next_stage_begins(pipeline, untrained, monkeypatch):
    effort = replace(EFFORTS["draft"], num_rounds=3, num_updates=2)
    monkeypatch.setitem(EFFORTS, "draft", effort)
    generation, told = generation_of(pipeline.models), []
    generation.progress.on_progress = lambda *news: told.append(news[1])
    run_rounds(generation, untrained)
    assert len(told) == 3 * effort.round_size + 2 * 2
    assert told[-1] == pytest.approx(70.0)


def test_without_a_prompt_to_follow_there_is_one_round(pipeline, untrained):
    options = PipelineOptions(text_guidance=False)
    generation = generation_of(pipeline.models, options, effort="standard")
    assert len(run_rounds(generation, untrained).rounds) == 1
