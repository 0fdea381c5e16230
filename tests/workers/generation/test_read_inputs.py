"""A request's files become images with one white and one shape, in the job as in the API."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from PIL import Image

from app.files import decoders as decoders_module
from app.files.decoders import Decoders
from app.files.image_file import ImageFile
from app.jobs.model import JobRequest
from app.problems import NotAnImage, ShapeMismatch
from app.settings import Settings
from tests.conftest import encode, texture
from workers.generation.method_request import to_generation_request
from workers.generation.read_inputs import ReadInputs, read_inputs
from workers.runtime.retry_outage import retry_outage

TONES = np.asarray(texture((64, 64)).convert("L")).astype(np.uint16)


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    with Decoders(Settings()) as made:
        yield made


def deep(brightest: int) -> bytes:
    scaled = np.rint(TONES * (brightest / TONES.max())).astype(np.uint16)
    return encode(Image.fromarray(scaled))


def read(
    decoders: Decoders, contents: Sequence[bytes], bit_depth: int | None = None
) -> tuple[ReadInputs, list[int]]:
    """The images, and how often each file was read."""
    times = [0] * len(contents)

    def file(number: int) -> Callable[[], bytes]:
        def content() -> bytes:
            times[number] += 1
            return contents[number]

        return content

    files = [ImageFile(f"{number}.png", file(number)) for number in range(len(contents))]
    return read_inputs(files, bit_depth, decoders), times


def brightest(image: Image.Image) -> int:
    return int(np.asarray(image).max())


def test_shots_of_one_camera_keep_their_brightness(decoders: Decoders):
    inputs, times = read(decoders, [deep(1000), deep(1100), encode(texture())])
    expected = [round(value * 255 / 4095) for value in (1000, 1100)]
    assert [brightest(image) for image in inputs.images[:2]] == expected
    assert np.array_equal(np.asarray(inputs.images[2]), np.asarray(texture()))
    assert [image.white for image in inputs.understood] == [4095, 4095, 255]
    # What depends on the others is read again, and nothing else.
    assert times == [2, 2, 1]


def test_the_depth_that_was_told_counts(decoders: Decoders):
    inputs, _ = read(decoders, [deep(1000)], bit_depth=14)
    assert brightest(inputs.images[0]) == round(1000 * 255 / 16383)


def test_the_first_fault_is_named(decoders: Decoders):
    with pytest.raises(NotAnImage, match=r"1\.png: The content"):
        read(decoders, [encode(texture()), b"no image"])
    with pytest.raises(ShapeMismatch, match=r"1\.png"):
        read(decoders, [encode(texture()), encode(texture((96, 48)))])


def test_the_method_gets_images_of_one_shape():
    first, wide, same = texture((80, 80)), texture((96, 88), 1), texture((160, 160), 2)
    request = to_generation_request(JobRequest(object_name="nut"), [first, wide, same])
    assert [image.size for image in request.images] == [(80, 80), (88, 88), (160, 160)]
    assert request.images[0] is first
    assert np.array_equal(np.asarray(request.images[1]), np.asarray(wide)[:, 4:92])


def test_a_job_waits_for_a_decoder_that_was_killed(monkeypatch: pytest.MonkeyPatch):
    """As for a storage that is away: the images were good when the job was accepted."""
    with Decoders(Settings()) as decoders:
        monkeypatch.setattr(decoders_module, "CHILD", "app.files.no_such_module")
        tried: list[int] = []

        def read_once() -> ReadInputs:
            tried.append(1)
            if len(tried) == 2:
                monkeypatch.undo()
            return read(decoders, [encode(texture())])[0]

        assert retry_outage(read_once, patience_s=60).images[0].size == (64, 64)
    assert len(tried) == 2
