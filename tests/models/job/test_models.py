"""What is imported and loaded when, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.job.pipeline import load_pipeline

HEAVY = ("transformers", "diffusers", "nltk")
TELL = f"print(*(name for name in {HEAVY} if name in sys.modules))"


def imported(code: str) -> set[str]:
    """Which of HEAVY a process has imported that has run the code."""
    command = [sys.executable, "-c", f"import sys\n{code}\n{TELL}"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(told.splitlines()[-1].split())


def test_what_a_worker_is_ready_with_imports_none_of_the_slow_libraries():
    load = "from models.job.pipeline import load_pipeline; models = load_pipeline().models"
    assert imported(load) == set()
    assert imported("import workers.generation.tasks, workers.generation.warm_child") == set()
    assert imported(f"{load}; models.load_what_jobs_begin_with()") == {"transformers", "nltk"}


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["goodmany", "paper"])
def test_only_a_job_that_varies_images_imports_what_draws(preset: str):
    job = f"""
import numpy as np
from PIL import Image
from models.guard import normality
from models.job.pipeline import load_pipeline
from models.job.request import GenerationRequest

normality.LEAST_SIDE_PX = 128
pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
request = GenerationRequest(
    images=[Image.fromarray(pixels)], object_name="nut", num_images=1, image_size=64, seed=0,
    effort="draft", preset="{preset}",
)
assert len(load_pipeline(device="cpu").generate(request).images) == 1
"""
    assert ("diffusers" in imported(job)) == (preset == "paper")


def test_words_that_cannot_be_copied_are_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    models = load_pipeline(device="cpu").models
    with pytest.raises(RuntimeError, match="cannot copy WordNet to"):
        models.load_what_jobs_begin_with()
    monkeypatch.undo()
    # Nothing of it is kept: the next try may do better.
    models.load_what_jobs_begin_with()
