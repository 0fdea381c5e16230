"""What the service says of the images that it was sent, over real HTTP."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import pytest
from PIL import Image

from app.files import decoders
from app.settings import Settings
from tests.app.http.hostile_images import costly_image
from tests.app.images import png_writer as png
from tests.app.images import tiff_writer as tiff
from tests.app.images.test_pages import scans
from tests.app.images.tiff_writer import TiffLayout
from tests.conftest import encode, served, texture, wait_until
from tests.processes import alive, children, command_line

SHAPE = (64, 64)
PICTURE = np.asarray(texture(SHAPE)).astype(int)


def send(api: httpx2.Client, *files: bytes, **fields: object) -> httpx2.Response:
    images = [("images", ("a", content)) for content in files]
    return api.post("/v1/jobs", data={"object_name": "nut", **fields}, files=images)


def inputs(answer: httpx2.Response) -> list[dict]:
    return answer.raise_for_status().json()["inputs"]


def slug(answer: httpx2.Response) -> str:
    return answer.json()["type"].rsplit(":", 1)[1]


def camera(brightest: int, kind: str) -> bytes:
    """A camera of 12 bits: its brightest pixel, and the kind of its files."""
    scaled = np.rint(PICTURE * brightest / PICTURE.max()).astype(np.uint16)
    grey = scaled.max(axis=2, keepdims=True)
    if kind == "grey PNG":
        return png.write_png(grey, depth=16, kind=png.GREY)
    if kind == "colour PNG":
        return png.write_png(scaled, depth=16, kind=png.RGB)
    photometric = tiff.RGB if kind == "colour TIFF" else tiff.BLACK_IS_ZERO
    layout = TiffLayout(bits=16, photometric=photometric)
    return tiff.write_tiff(scaled if kind == "colour TIFF" else grey, layout)


KINDS = ("grey PNG", "colour PNG", "grey TIFF", "colour TIFF")


@pytest.mark.parametrize("first", KINDS)
def test_three_shots_of_one_camera_have_one_white(api: httpx2.Client, first: str):
    for second in KINDS:
        shots = [camera(1000, first), camera(1100, second), camera(990, first)]
        assert [image["white"] for image in inputs(send(api, *shots))] == [4095] * 3, second
        deeper = inputs(send(api, *shots, bit_depth=14))
        assert [image["white"] for image in deeper] == [16383] * 3, second
    assert [image["white"] for image in inputs(send(api, shots[0], bit_depth=12))] == [4095]


def test_a_depth_that_cannot_be_is_refused(api: httpx2.Client):
    answer = send(api, camera(1000, "grey PNG"), camera(4095, "grey PNG"), bit_depth=10)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert "images[1] has a pixel of 4095" in answer.json()["detail"]
    assert api.get("/v1/jobs").json()["items"] == []


def test_a_job_says_what_was_understood(api: httpx2.Client):
    exif = Image.Exif()
    exif[0x0112] = 6
    first = encode(texture((64, 80)), exif=exif)
    job = send(api, first, first, encode(Image.new("L", (80, 64)))).raise_for_status().json()
    usual = {"width": 80, "height": 64, "bit_depth": 8, "white": 255}
    one = {**usual, "channels": 3, "orientation": 6}
    assert job["inputs"][0] == {**one, "field": "images[0]", "warnings": []}
    duplicate = {"code": "duplicate", "detail": "The same pixels as image 0.", "same_as": 0}
    assert job["inputs"][1] == {**one, "field": "images[1]", "warnings": [duplicate]}
    codes = [warning["code"] for warning in job["inputs"][2]["warnings"]]
    assert codes == ["nearly_black", "constant"]
    assert api.get(job["links"]["self"]).json() == job
    assert api.get("/v1/jobs").json()["items"] == [job]


def test_another_shape_is_cut_or_refused(api: httpx2.Client, settings: Settings):
    files = [encode(texture((96, 72))), encode(texture((96, 64), 1))]
    (warning,) = inputs(send(api, *files))[1]["warnings"]
    assert (warning["code"], warning["detail"][:16]) == ("cropped", "Cut to 85 x 64 p")
    before = sorted(settings.data_dir.rglob("*"))
    answer = send(api, files[0], encode(texture((72, 96))))
    assert (answer.status_code, slug(answer)) == (422, "shape-mismatch")
    assert answer.json()["errors"][0]["field"] == "images[1]"
    assert sorted(settings.data_dir.rglob("*")) == before


def test_a_jpeg_of_200_scans_costs_nothing(api: httpx2.Client):
    bomb = scans(encode(texture((64, 64)), "JPEG", progressive=True), 200)
    answer = send(api, bomb)
    assert (answer.status_code, slug(answer)) == (422, "image-too-costly")


def test_images_that_cost_too_much_stop_nobody_else(serve_api: Callable[..., httpx2.Client]):
    api = serve_api(decoding_cpu_s=0.5, max_image_pixels=50_000_000)
    costly = costly_image()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(send, api, costly) for _ in range(4)]
        # Both decoders are taken, and whoever only asks is served.
        assert api.get("/livez").status_code == 200
        assert api.get("/v1/jobs").json()["items"] == []
        assert {slug(answer.result()) for answer in answers} == {"image-too-costly"}
    assert inputs(send(api, encode(texture())))[0]["width"] == 64


def test_a_decoder_that_is_away_is_our_fault_and_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(decoders, "CHILD", "app.files.no_such_module")
    with served(settings, own_decoders=True) as api:
        answer = send(api, encode(texture()))
        assert (answer.status_code, slug(answer)) == (503, "decoder-unavailable")
        assert answer.headers["retry-after"] == "5"
        assert not list(settings.data_dir.rglob("inputs"))
        monkeypatch.undo()
        assert send(api, encode(texture())).status_code == 202


def test_a_decoder_that_is_killed_is_replaced_and_none_outlives_its_service(settings: Settings):
    before = decoding_children()
    with served(settings, own_decoders=True) as api:
        assert send(api, encode(texture())).status_code == 202
        (pid,) = decoding_children() - before
        os.kill(pid, signal.SIGKILL)
        # Until it is gone, an image may still be given to it and share its death.
        wait_until(lambda: not alive({pid}))
        assert send(api, encode(texture())).status_code == 202
        assert len(decoding_children() - before) == 1
    assert decoding_children() <= before


def decoding_children() -> set[int]:
    return {pid for pid in children(os.getpid()) if "decoding_child" in command_line(pid)}
