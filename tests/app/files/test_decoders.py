"""Images are decoded in a process that may die of them; it says of what, and comes back."""

import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.files import decoders as decoders_module
from app.files.decoders import Decoder, Decoders
from app.files.read_image import read_image
from app.images.limits import DecodingLimits, ImageLimits
from app.problems import DamagedImage, DecoderUnavailable, ImageTooCostly, Problem
from app.settings import Settings
from tests.app.http.hostile_images import costly_image
from tests.app.images import tiff_writer as tiff
from tests.app.images.tiff_writer import TiffLayout
from tests.conftest import encode, texture, wait_until
from tests.processes import alive

LIMITS = ImageLimits(max_bytes=2**26, max_pixels=50_000_000, min_side_px=32)
PNG = encode(texture())
COSTLY = costly_image()


@pytest.fixture
def start() -> Iterator[Callable[..., Decoder]]:
    """A decoder with other limits than the usual ones."""
    started: list[Decoder] = []

    def start_one(cpu_s: float = 60, memory_bytes: int = 2**31) -> Decoder:
        decoding = DecodingLimits(cpu_s=cpu_s, memory_bytes=memory_bytes)
        started.append(Decoder(LIMITS, decoding))
        return started[-1]

    yield start_one
    for decoder in started:
        decoder.stop()


def test_a_child_reads_what_this_process_reads(start: Callable[..., Decoder]):
    decoder = start()
    deep = np.linspace(0, 4095, 64 * 48).astype(np.uint16).reshape(48, 64)
    for content, bits in (
        (PNG, 8),
        (encode(texture((96, 40)), "JPEG"), 8),
        (tiff_of(deep), 12),
    ):
        reading = decoder.read(content, bits=bits, pixels=True)
        expected = read_image(content, LIMITS)
        assert reading.facts.size == expected.size
        assert reading.pixels == expected.tobytes()


def tiff_of(pixels: np.ndarray) -> bytes:
    return encode(Image.fromarray(pixels), "TIFF")


def test_pixels_come_when_they_are_asked_for_and_their_white_is_known(
    start: Callable[..., Decoder],
):
    decoder = start()
    assert decoder.read(PNG).pixels is None
    assert decoder.read(PNG, pixels=True).pixels is not None
    deep = tiff_of(np.full((40, 40), 1000, np.uint16))
    assert decoder.read(deep, pixels=True).pixels is None
    assert decoder.read(deep, pixels=True, bits=12).pixels is not None


def test_one_child_reads_many_images_also_bad_ones(start: Callable[..., Decoder]):
    decoder = start()
    assert decoder.pid is None
    decoder.read(PNG)
    first = decoder.pid
    for _ in range(3):
        with pytest.raises(DamagedImage):
            decoder.read(PNG[:-100])
        decoder.read(PNG)
    assert decoder.pid == first


@pytest.mark.parametrize("is_started", [True, False])
def test_a_reading_that_is_broken_off_leaves_no_answer_behind(
    start: Callable[..., Decoder], monkeypatch: pytest.MonkeyPatch, is_started: bool
):
    """As the end of a job's time does it, wherever the job is."""
    decoder = start()
    if is_started:
        decoder.read(PNG)

    class TimeIsOver(BaseException):
        pass

    def wait(*_: object) -> bool:
        raise TimeIsOver

    with monkeypatch.context() as patch:
        patch.setattr("app.files.decoders.Connection.poll", wait)
        with pytest.raises(TimeIsOver):
            decoder.read(PNG)
    other = encode(texture((96, 40)))
    assert decoder.read(other).facts.size == (96, 40)


def run_lengths() -> bytes:
    """A BMP of ten million runs of one pixel each."""
    rows = (b"\1\7" * 5000 + b"\0\0") * 2000
    header = struct.pack("<IiiHHIIiiII", 40, 5000, 2000, 1, 8, 1, len(rows), 0, 0, 0, 0)
    start = 14 + 40 + 1024
    head = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start)
    return head + header + bytes(1024) + rows


def many_strips() -> bytes:
    """A TIFF of so many rows, each a strip of its own, all at the same place."""
    number, width = 39_000, 1_250
    each = {257: (4, (number,)), 273: (4, (8,) * number), 279: (4, (width,) * number)}
    layout = TiffLayout(bits=8, photometric=tiff.BLACK_IS_ZERO, rows_per_strip=1, more=each)
    return tiff.write_tiff(np.zeros((1, width, 1), np.uint8), layout)


@pytest.mark.parametrize("costly", [lambda: COSTLY, run_lengths, many_strips])
def test_too_much_time_ends_the_child_and_is_the_image_s_fault(
    start: Callable[..., Decoder], costly: Callable[[], bytes]
):
    decoder = start(cpu_s=0.1)
    content = costly()
    with pytest.raises(ImageTooCostly, match=r"more than 0\.1 s of processor time"):
        decoder.read(content)
    assert decoder.pid is None


def test_after_an_image_that_ended_it_the_next_is_read(start: Callable[..., Decoder]):
    decoder = start(memory_bytes=100 * 2**20)
    decoder.read(PNG)
    first = decoder.pid
    with pytest.raises(ImageTooCostly, match="memory"):
        decoder.read(COSTLY)
    assert decoder.read(PNG).facts.width == 64
    assert decoder.pid != first


@pytest.mark.parametrize(
    ("number", "problem"),
    [(signal.SIGKILL, DecoderUnavailable), (signal.SIGSEGV, DamagedImage)],
)
def test_a_child_that_dies_over_an_image_says_whose_fault_it_is(
    start: Callable[..., Decoder],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    problem: type[Problem],
):
    decoder = start()
    decoder.read(PNG)
    pid = decoder.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    asked = threading.Event()
    receive = decoder._receive

    def tell_and_receive(within_s: float) -> dict[str, Any]:
        asked.set()
        return receive(within_s)

    monkeypatch.setattr(decoder, "_receive", tell_and_receive)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(decoder.read, PNG)
        assert asked.wait(20)
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        with pytest.raises(problem):
            reading.result()
    assert decoder.read(PNG).facts.width == 64


def test_a_child_that_was_killed_while_idle_costs_no_image(start: Callable[..., Decoder]):
    decoder = start()
    decoder.read(PNG)
    pid = decoder.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive({pid}))
    assert decoder.read(PNG).facts.width == 64


def test_a_child_that_does_not_answer_is_ended(
    start: Callable[..., Decoder], monkeypatch: pytest.MonkeyPatch
):
    decoder = start(cpu_s=1)
    decoder.read(PNG)
    pid = decoder.pid
    assert pid is not None
    monkeypatch.setattr(decoders_module, "CLOCK_S_PER_CPU_S", 0.2)
    monkeypatch.setattr(decoders_module, "LEAST_CLOCK_S", 0.0)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DecoderUnavailable):
        decoder.read(PNG)
    assert not alive({pid})


@pytest.mark.parametrize(
    ("name", "value"), [("CHILD", "app.files.no_such_module"), ("START_WITHIN_S", 0.0)]
)
def test_a_child_that_does_not_start_is_no_fault_of_the_image(
    start: Callable[..., Decoder], monkeypatch: pytest.MonkeyPatch, name: str, value: object
):
    monkeypatch.setattr(decoders_module, name, value)
    with pytest.raises(DecoderUnavailable) as told:
        start().read(PNG)
    assert told.value.headers == {"Retry-After": "5"}


def test_without_an_interpreter_too(start: Callable[..., Decoder], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(DecoderUnavailable):
        start().read(PNG)


def test_decoders_are_lent_out_one_by_one_and_end_with_their_owner():
    with Decoders(Settings(), 2) as decoders:
        with decoders.borrow() as first, decoders.borrow() as second:
            first.read(PNG)
            second.read(PNG)
            pids = [first.pid, second.pid]
            third = threading.Event()

            def borrow() -> None:
                with decoders.borrow():
                    third.set()

            thread = threading.Thread(target=borrow)
            thread.start()
            assert not third.wait(0.2)
        thread.join()
        assert third.is_set()
        # The one whose child runs is the first to be lent again.
        with decoders.borrow() as again:
            assert again.pid in pids
    assert all(pid is not None and not alive({pid}) for pid in pids)


def test_a_child_does_not_outlive_a_killed_owner():
    program = (
        "import sys; from app.files.decoders import Decoders; from app.settings import Settings\n"
        "with Decoders(Settings()) as decoders, decoders.borrow() as decoder:\n"
        "    decoder.read(sys.stdin.buffer.read()); print(decoder.pid, flush=True)\n"
        "    import time; time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        owner.stdin.write(PNG)
        owner.stdin.close()
        pid = int(owner.stdout.readline())
        owner.kill()
    wait_until(lambda: not alive({pid}))
