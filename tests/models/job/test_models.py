"""What is imported and loaded when, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.job.pipeline import load_pipeline

HEAVY = ("transformers", "diffusers", "nltk")
TELL = f"print('imported', *(name for name in {HEAVY} if name in sys.modules))"
LIGHT = "import workers.generation.tasks, workers.generation.warm_child"
LOAD = """
import numpy as np
from PIL import Image
from models.guard import normality
from models.job.pipeline import load_pipeline
from models.job.request import GenerationRequest

pipeline = load_pipeline(device="cpu")
"""
BEGIN = "pipeline.models.load_what_jobs_begin_with()"


def job(preset: str) -> str:
    """A small one."""
    return f"""
normality.LEAST_SIDE_PX = 128
pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
request = GenerationRequest(
    images=[Image.fromarray(pixels)], object_name="nut", num_images=1, image_size=64, seed=0,
    effort="draft", preset="{preset}",
)
assert len(pipeline.generate(request).images) == 1
"""


def imported(*steps: str) -> list[set[str]]:
    """Which of HEAVY a process has imported after each of the steps, all in one process."""
    code = "\n".join(["import sys", *(f"{step}\n{TELL}" for step in steps)])
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [line.split() for line in told.splitlines()]
    return [set(names) for first, *names in lines if first == "imported"]


@pytest.mark.slow
def test_a_slow_library_is_imported_when_it_is_needed_and_not_before():
    words = {"transformers", "nltk"}
    light, ready, begun, views, varied = imported(LIGHT, LOAD, BEGIN, job("goodmany"), job("paper"))
    assert light == ready == set()
    assert begun == words
    # Only a job that varies images draws.
    assert views == words
    assert varied == {*words, "diffusers"}


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
