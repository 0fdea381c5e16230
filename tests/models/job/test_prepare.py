import pytest
import torch

from models.job.options import EFFORTS, PipelineOptions
from models.job.prepare import choose_prompt, decide_views, fit_generator
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


def test_preparing_adapts_the_decoder_and_leaves_the_loaded_models_alone(pipeline, prepared):
    assert prepared.adaptation["steps"] == EFFORTS["draft"].adaptation_steps
    loaded = pipeline.models.vqgan.decoder_parameters()
    pairs = zip(prepared.base_decoder, prepared.adapted_decoder, loaded, strict=True)
    assert all(torch.equal(base, now) for base, _, now in pairs)
    assert not torch.equal(prepared.base_decoder[0], prepared.adapted_decoder[0])


def test_without_adaptation_the_decoder_stays(pipeline):
    generation = generation_of(pipeline.models, PipelineOptions(adaptation=False))
    generator, base_decoder, report = fit_generator(generation)
    assert report["steps"] == 0
    assert report["psnr_before_db"] == report["psnr_after_db"]
    for before, after in zip(base_decoder, generator.decoder_state(), strict=True):
        assert torch.equal(before, after)
