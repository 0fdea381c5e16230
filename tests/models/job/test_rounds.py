from dataclasses import replace

import pytest
import torch

from models.generator.sampling import VarianceAwareGenerator
from models.integrator.cosine import set_cosine
from models.job.options import EFFORTS, PipelineOptions
from models.job.rounds import run_rounds
from models.job.run import complete
from tests.models.job.conftest import generation_of


@pytest.fixture
def untrained(prepared, vqgan):
    """Prepared with a small generator, whose rounds take a moment."""
    return replace(prepared, generator=VarianceAwareGenerator(vqgan))


def test_the_paper_delivers_the_set_of_its_best_round(pipeline, prepared, vqgan, monkeypatch):
    """What is delivered has, on the mean, the cosine that the round was kept for."""
    monkeypatch.setitem(EFFORTS, "draft", replace(EFFORTS["draft"], num_rounds=3, num_updates=2))
    generation = generation_of(pipeline.models, preset="paper", num_images=3)
    untrained = replace(prepared, generator=VarianceAwareGenerator(vqgan))
    result = complete(generation, untrained)
    rounds, kept = (result.report["integration"][key] for key in ("rounds", "kept"))
    assert len({each["cosine"] for each in rounds}) == 3
    assert [image.kind for image in result.images] == ["varied"] * 3
    images = torch.stack(
        [torch.from_numpy(image.pixels).permute(2, 0, 1) / 255 for image in result.images]
    )
    cosine = set_cosine(pipeline.models.encoder.embed_image(images), prepared.prompt.embedding)
    # Steps of 8 bits, and six decimals.
    assert float(cosine) == pytest.approx(rounds[kept]["cosine"], abs=2e-4)


def test_progress_ends_where_the_next_stage_begins(pipeline, untrained, monkeypatch):
    effort = replace(EFFORTS["draft"], is_thorough=True, num_rounds=3, num_updates=2)
    monkeypatch.setitem(EFFORTS, "draft", effort)
    generation, told = generation_of(pipeline.models, preset="varied"), []
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
