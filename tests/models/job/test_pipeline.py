import numpy as np
import pytest
import torch
from PIL import Image

from models.catalog.chosen import chosen
from models.generator.sampling import SamplingSettings
from models.job.options import PipelineOptions
from models.job.pipeline import load_pipeline
from tests.models.conftest import small_vqgan
from tests.models.job.conftest import draft

RECONSTRUCTIONS = PipelineOptions(
    text_guidance=False,
    selection=False,
    guard=False,
    adaptation=False,
    sampling=SamplingSettings(scale=0.0, output="decode"),
)


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(pipeline, made):
    first, second = made.result, pipeline.generate(draft())
    assert [i.pixels.tobytes() for i in first.images] == [i.pixels.tobytes() for i in second.images]
    assert first.images[0].scores == second.images[0].scores
    other = pipeline.generate(draft(seed=6))
    assert first.images[0].pixels.tobytes() != other.images[0].pixels.tobytes()


@pytest.mark.parametrize(("mean", "deviation"), [(22, 4), (240, 4)], ids=["rubber", "paper"])
def test_a_surface_without_contrast_gives_all_its_images(pipeline, mean, deviation):
    grain = np.random.default_rng(0).normal(mean, deviation, (256, 256))
    surface = Image.fromarray(grain.clip(0, 255).astype(np.uint8)).convert("RGB")
    made = pipeline.generate(draft(images=[surface], num_images=6, image_size=256))
    assert len(made.images) == 6
    assert made.report["rejections"]["near_copy"] < 12


def test_a_vq_model_from_a_folder_is_the_one_that_draws(tmp_path, pipeline):
    folder = small_vqgan()
    folder.save_pretrained(tmp_path)
    loaded = load_pipeline(vqgan=str(tmp_path), device="cpu")
    weights = loaded.models.vqgan.state_dict()
    for name, tensor in folder.state_dict().items():
        assert torch.equal(weights[name], tensor), name
    (named,) = (model for model in loaded.models.catalog if model.role == "vqgan")
    assert named.name == str(tmp_path)
    assert named not in pipeline.models.catalog
    # An untrained decoder draws grey noise of any view, the shipped one a part on a dark ground.
    drawn, shipped = (
        p.generate(draft(num_images=1), options=RECONSTRUCTIONS).images[0].pixels.astype(float)
        for p in (loaded, pipeline)
    )
    assert np.abs(drawn - shipped).mean() > 20


def test_the_report_names_each_model_with_its_revision(pipeline, made):
    named = made.result.report["models"]
    assert named == {
        model.role: {"name": model.name, "revision": model.revision} for model in chosen()
    }


def test_missing_models_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="nowhere"):
        load_pipeline(vqgan=str(tmp_path / "nowhere"), device="cpu")
    with pytest.raises(RuntimeError, match="nowhere"):
        load_pipeline(encoder=str(tmp_path / "nowhere"), device="cpu")


ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.gpu
@ON_GPU
def test_the_gpu_gives_the_same_views(made):
    on_gpu = load_pipeline(device="cuda").generate(draft())
    assert [i.transform for i in on_gpu.images] == [i.transform for i in made.result.images]


@pytest.mark.gpu
@ON_GPU
@pytest.mark.parametrize("preset", ["goodmany", "varied"])
def test_the_gpu_gives_the_same_bytes_each_time(preset):
    on_gpu = load_pipeline(device="cuda")
    first, second = (on_gpu.generate(draft(preset=preset, num_images=5)) for _ in range(2))
    assert [i.pixels.tobytes() for i in first.images] == [i.pixels.tobytes() for i in second.images]
