from dataclasses import replace

import pytest
import torch

from models.generator.sampling import VarianceAwareGenerator
from models.job.options import EFFORTS, PipelineOptions
from models.job.rounds import run_rounds
from tests.models.job.conftest import generation_of


@pytest.fixture
def untrained(prepared, vqgan):
    """Prepared with a small generator, whose rounds take a moment."""
    return replace(prepared, generator=VarianceAwareGenerator(vqgan))


def test_the_best_round_is_kept_whichever_it_is(pipeline, untrained, monkeypatch):
    monkeypatch.setitem(EFFORTS, "draft", replace(EFFORTS["draft"], is_thorough=True, num_rounds=3))
    kept = set()
    for seed in range(8):
        integration = run_rounds(generation_of(pipeline.models, seed=seed), untrained)
        cosines = [r.cosine for r in integration.rounds]
        assert len(cosines) == 3
        assert integration.kept == cosines.index(max(cosines))
        kept.add(integration.kept)
    assert len(kept) > 1


def test_progress_ends_where_the_next_stage_begins(pipeline, untrained, monkeypatch):
    effort = replace(EFFORTS["draft"], is_thorough=True, num_rounds=3, num_updates=2)
    monkeypatch.setitem(EFFORTS, "draft", effort)
    generation, told = generation_of(pipeline.models), []
    generation.progress.on_progress = lambda *news: told.append(news[1])
    run_rounds(generation, untrained)
    assert len(told) == 3 * effort.round_size + 2 * 2
    assert told[-1] == pytest.approx(70.0)


@pytest.mark.parametrize(
    ("effort", "options"),
    [("high", PipelineOptions(text_guidance=False)), ("standard", PipelineOptions())],
)
def test_where_there_is_nothing_to_learn_there_is_no_round(pipeline, untrained, effort, options):
    generation, told = generation_of(pipeline.models, options, effort=effort), []
    generation.progress.on_progress = lambda *news: told.append(news)
    before = untrained.generator.decoder_state()
    integration = run_rounds(generation, untrained)
    assert integration.as_dict() == {"rounds": [], "kept": None}
    assert [stage for stage, _, _ in told] == ["rounds"]
    for one, other in zip(before, untrained.generator.decoder_state(), strict=True):
        assert torch.equal(one, other)
