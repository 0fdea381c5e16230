from dataclasses import replace

import pytest
import torch

from models.generator.sampling import SamplingSettings
from models.job.options import EFFORTS, PRESETS, PipelineOptions
from models.job.prepare import choose_prompt, decide_views, fit_generator, fit_guard
from models.views.decision.invariances import InvarianceDecision
from models.views.draws import VIEW_SEEDS
from tests.models.job.conftest import generation_of


def test_the_users_prompt_and_invariances_are_taken(pipeline):
    generation = generation_of(
        pipeline.models, prompt="a shiny hazelnut", invariances=frozenset({"flip_horizontal"})
    )
    prompt, decision = choose_prompt(generation), decide_views(generation)
    assert prompt.text == prompt.report["text"] == "a shiny hazelnut"
    assert prompt.report["decided_by"] == decision.decided_by == "request"
    assert decision.invariances == {"flip_horizontal"}


def test_else_prompt_and_views_are_decided_from_the_images(pipeline):
    generation = generation_of(pipeline.models)
    prompt, decision = choose_prompt(generation), decide_views(generation)
    assert prompt.report["decided_by"] == decision.decided_by == "images"
    assert prompt.text in [candidate["text"] for candidate in prompt.report["candidates"]]
    torch.testing.assert_close(
        prompt.embedding, pipeline.models.encoder.embed_text([prompt.text])[0]
    )
    assert float(prompt.embedding.norm()) == pytest.approx(1.0, abs=1e-4)


def test_the_guard_knows_pictures_turned_by_half_where_they_may_be(pipeline):
    """Few of one image's views are turned so, and each is as good as any other."""
    distances = []
    for invariances in ((), ("half_turn",)):
        generation = generation_of(pipeline.models)
        generation.draws.decision = InvarianceDecision(frozenset(invariances))
        turned = generation.draws.images[:1].flip((2, 3))
        guard = fit_guard(generation)
        distances.append(float(guard.distance(turned)) / guard.threshold)
    assert distances[1] < 1.0
    assert distances[1] < 0.5 * distances[0]


DECODED = PipelineOptions(sampling=SamplingSettings(output="decode"))


def fitted(generation):
    generation.draws.decision = decide_views(generation)
    return fit_generator(generation, generation.draws.views(VIEW_SEEDS, 8))


def test_preparing_adapts_the_decoder_and_leaves_the_loaded_models_alone(pipeline):
    generator, base_decoder, report = fitted(generation_of(pipeline.models, DECODED))
    assert report["steps"] == EFFORTS["draft"].adaptation_steps > 0
    assert report["psnr_before_db"] != report["psnr_after_db"]
    adapted, loaded = generator.decoder_state(), pipeline.models.vqgan.decoder_parameters()
    assert all(torch.equal(base, now) for base, now in zip(base_decoder, loaded, strict=True))
    assert not torch.equal(base_decoder[0], adapted[0])


@pytest.mark.parametrize("options", [PRESETS["varied"], replace(DECODED, adaptation=False)])
def test_where_adaptation_would_not_show_or_is_off_the_decoder_stays(pipeline, options):
    generator, base_decoder, report = fitted(generation_of(pipeline.models, options))
    assert (report["steps"], report["psnr_before_db"], report["psnr_after_db"]) == (0, None, None)
    for before, after in zip(base_decoder, generator.decoder_state(), strict=True):
        assert torch.equal(before, after)


def test_what_shows_views_alone_needs_no_generator(pipeline):
    generation = generation_of(pipeline.models, PRESETS["goodmany"])
    generator, base_decoder, report = fitted(generation)
    assert (generator, base_decoder) == (None, [])
    assert set(report) == set(fitted(generation_of(pipeline.models, DECODED))[2])
