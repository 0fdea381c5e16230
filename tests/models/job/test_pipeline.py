import numpy as np
import pytest
import torch
from PIL import Image

from models.generator.sampling import SamplingSettings
from models.job.options import PipelineOptions
from models.job.pipeline import Pipeline, load_pipeline
from models.job.request import GenerationRequest
from models.runtime.errors import StrictError
from tests.models.conftest import part_image, small_vqgan


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load_pipeline(device="cpu")


def picture(angle_deg: float, seed: int = 0) -> Image.Image:
    pixels = part_image(angle_deg=angle_deg, size=96, seed=seed).permute(1, 2, 0).numpy()
    return Image.fromarray((pixels * 255).astype(np.uint8))


def request(**changes: object) -> GenerationRequest:
    fields: dict[str, object] = {
        "images": [picture(33)],
        "object_name": "hazelnut",
        "num_images": 2,
        "image_size": 64,
        "seed": 5,
        "effort": "draft",
    }
    return GenerationRequest(**{**fields, **changes})


def test_the_same_request_gives_the_same_bytes(pipeline):
    first, second = (pipeline.generate(request()) for _ in range(2))
    assert [i.pixels.tobytes() for i in first.images] == [i.pixels.tobytes() for i in second.images]
    assert first.images[0].scores == second.images[0].scores
    other = pipeline.generate(request(seed=6))
    assert first.images[0].pixels.tobytes() != other.images[0].pixels.tobytes()


def test_progress_never_falls_and_tells_the_stages_in_order(pipeline):
    told: list[tuple[str, float, dict[str, object]]] = []
    result = pipeline.generate(request(), lambda *told_now: told.append(told_now))
    percents = [percent for _, percent, _ in told]
    assert percents == sorted(percents)
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        "prompt",
        "adapt",
        "rounds",
        "fill",
    ]
    assert {"prompt": result.prompt} in [facts for _, _, facts in told]


def test_what_the_callback_raises_comes_out_of_every_stage(pipeline):
    class StoppedError(Exception):
        pass

    for wanted in ("prompt", "adapt", "rounds", "fill"):

        def stop(stage: str, percent: float, facts: dict[str, object], wanted=wanted) -> None:
            if stage == wanted:
                raise StoppedError

        with pytest.raises(StoppedError):
            pipeline.generate(request(), stop)


def test_no_two_images_are_alike_and_each_passed_the_guard(pipeline):
    result = pipeline.generate(request(num_images=5))
    assert len(result.images) == 5
    thumbnails = [i.pixels.astype(float) for i in result.images]
    for i, first in enumerate(thumbnails):
        for second in thumbnails[:i]:
            assert np.abs(first - second).mean() > 1.0
    assert all(i.scores["guard_distance"] <= 1.0 for i in result.images)


def test_turned_images_are_spread_over_the_circle(pipeline):
    asked = request(num_images=6, invariances=frozenset({"rotate"}))
    angles = sorted(i.transform["angle_deg"] % 360 for i in pipeline.generate(asked).images)
    gaps = np.diff([*angles, angles[0] + 360])
    assert gaps.min() > 20


def test_the_report_says_what_was_done(pipeline):
    report = pipeline.generate(request(images=[picture(10), picture(80, 1)])).report
    assert set(report["timings_s"]) == {"prompt", "adapt", "rounds", "fill"}
    assert set(report["models"]) == {"text_image_encoder", "vqgan", "patch_features"}
    assert report["integration"]["kept"] == int(
        np.argmax([r["cosine"] for r in report["integration"]["rounds"]])
    )
    assert set(report["rejections"]) == {"anomalous", "near_copy"}


def test_the_users_prompt_and_invariances_are_taken(pipeline):
    asked = request(prompt="a shiny hazelnut", invariances=frozenset({"flip_horizontal"}))
    result = pipeline.generate(asked)
    assert result.prompt == "a shiny hazelnut"
    assert result.report["prompt"]["decided_by"] == "request"
    assert result.report["invariances"]["allowed"] == ["flip_horizontal"]
    assert all(abs(i.transform["angle_deg"]) <= 3.0 for i in result.images)


def test_shapes_follow_the_first_image(pipeline):
    wide = picture(33).resize((128, 96))
    result = pipeline.generate(request(images=[wide, picture(33)]))
    assert result.size == (64, 48)
    assert {i.pixels.shape for i in result.images} == {(48, 64, 3)}
    assert result.variance.shape == (2, 48, 64)
    assert 0.0 <= float(result.variance.min()) <= float(result.variance.max()) <= 1.0


def test_a_blind_generator_is_caught_by_the_guard_and_strict_says_so(pipeline):
    blind = PipelineOptions(sampling=SamplingSettings(unit_sigma=True, scale=50.0, output="decode"))
    result = pipeline.generate(request(), options=blind)
    assert len(result.images) < 2
    assert result.report["rejections"]["anomalous"] > 0
    with pytest.raises(StrictError, match="of 2 images"):
        pipeline.generate(request(strict=True), options=blind)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": []}, "at least one"),
        ({"effort": "heroic"}, "draft, standard, high"),
        ({"invariances": frozenset({"melt"})}, "melt"),
    ],
)
def test_a_wrong_request_is_a_value_error(pipeline, changes, message):
    with pytest.raises(ValueError, match=message):
        pipeline.generate(request(**changes))


def test_a_vq_model_from_a_folder_is_used(tmp_path):
    small_vqgan().save_pretrained(tmp_path)
    loaded = load_pipeline(vqgan=str(tmp_path), device="cpu")
    assert loaded.models.revisions["vqgan"]["name"] == str(tmp_path)
    assert len(loaded.generate(request(num_images=1)).images) <= 1


def test_missing_models_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="nowhere"):
        load_pipeline(vqgan=str(tmp_path / "nowhere"), device="cpu")
    with pytest.raises(RuntimeError, match="nowhere"):
        load_pipeline(encoder=str(tmp_path / "nowhere"), device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_gives_the_same_views(pipeline):
    on_gpu = load_pipeline(device="cuda").generate(request())
    on_cpu = pipeline.generate(request())
    assert [i.transform for i in on_gpu.images] == [i.transform for i in on_cpu.images]
    torch.cuda.synchronize()
