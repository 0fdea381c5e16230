"""Decodes files of strangers in processes that can be killed, and says how it went.

A decoder is one long-lived child (`decoding_child.py`), started at its first image and again after
each that ended it, so that an image costs no start of a process. This side neither decodes nor
imports anything that does.
"""

import json
import logging
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from app.images.facts import ImageFacts
from app.images.limits import DecodingLimits, ImageLimits
from app.problems import DamagedImage, DecoderUnavailable, ImageTooCostly, UnusableImage
from app.settings import Settings

log = logging.getLogger("goodmany.decoders")

CHILD = "app.files.decoding_child"
START_WITHIN_S = 60.0
# The clock is no measure of an image on a busy machine; this is for a child that is stuck.
CLOCK_S_PER_CPU_S = 8
LEAST_CLOCK_S = 60.0
STOP_WITHIN_S = 2.0
RETRY_AFTER_S = "5"
CRASHES = {
    signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What one file is.

    Attributes:
        facts: all but the pixels.
        pixels: 8-bit RGB, upright, row by row; None when they were not asked for, or when which
            value is white is still to be decided.
    """

    facts: ImageFacts
    pixels: bytes | None


class Decoder:
    """One child at most, and what it is asked; for one thread at a time.

    Args:
        limits: what an image may be.
        decoding: what its decoding may take.
    """

    def __init__(self, limits: ImageLimits, decoding: DecodingLimits):
        self.limits, self.decoding = limits, decoding
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None when there is none."""
        return self._process.pid if self._process is not None else None

    def read(self, content: bytes, *, bits: int | None = None, pixels: bool = False) -> Reading:
        """What the file is.

        Args:
            content: the file.
            bits: the white is 2^bits - 1; None leaves it to the file.
            pixels: whether they are wanted.

        Raises:
            UnusableImage: one of its kinds says why.
            DecoderUnavailable: the fault is not the image's.
        """
        if self._process is not None and self._process.poll() is not None:
            # Somebody has killed it since.
            self.stop()
        try:
            connection = self._connection or self._start()
            connection.send_bytes(json.dumps({"bits": bits, "pixels": pixels}).encode())
            connection.send_bytes(content)
            answer = self._receive(max(LEAST_CLOCK_S, self.decoding.cpu_s * CLOCK_S_PER_CPU_S))
            raw = connection.recv_bytes() if answer.get("has_pixels") else None
        except (EOFError, OSError):
            raise self._reason_of_death() from None
        except BaseException:
            # Such as the end of a job's time: the next image must not get this one's answer.
            self._kill()
            raise
        if "refusal" in answer:
            problem = _refusals()[answer["refusal"]](answer["detail"])
            if isinstance(problem, ImageTooCostly):
                # It ends itself: what an image has left of its memory is not known.
                self.stop()
            raise problem
        return Reading(ImageFacts(**answer["facts"]), raw)

    def stop(self) -> None:
        """Ends the child, if there is one; the next image starts another."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> Connection:
        connection, childs_end = Pipe()
        limits = {"image": asdict(self.limits), "decoding": asdict(self.decoding)}
        with childs_end, _no_process_is_ours():
            self._process = subprocess.Popen(
                # Safe path: a folder named `app` where the service is started is not ours.
                [sys.executable, "-P", "-m", CHILD, str(childs_end.fileno()), json.dumps(limits)],
                pass_fds=[childs_end.fileno()],
                env=os.environ | {"PYTHONPATH": _search_path(), "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = connection
        self._receive(START_WITHIN_S)
        return connection

    def _receive(self, within_s: float) -> dict[str, Any]:
        assert self._connection is not None
        if not self._connection.poll(within_s):
            self._kill()
            log.error("the decoding process has not answered within %.0f s", within_s)
            raise _unavailable("The process that decodes images has not answered.")
        answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return answer

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self.stop()

    def _reason_of_death(self) -> UnusableImage | DecoderUnavailable:
        """What a child that has gone in mid-image died of."""
        process = self._process
        self.stop()
        code = process.returncode if process is not None else None
        if code == -signal.SIGPROF:
            return ImageTooCostly(
                f"Its decoding takes more than {self.decoding.cpu_s:g} s of processor time."
            )
        if code is not None and -code in CRASHES:
            log.warning("an image crashed its decoder (%s)", signal.Signals(-code).name)
            return DamagedImage("The image makes its decoder crash.")
        log.error("the decoding process ended with exit code %s", code)
        return _unavailable("The process that decodes images was ended.")


def limits_of(settings: Settings) -> tuple[ImageLimits, DecodingLimits]:
    """The limits that the operator has set."""
    image = ImageLimits(
        max_bytes=settings.max_image_bytes,
        max_pixels=settings.max_image_pixels,
        min_side_px=settings.min_image_side_px,
    )
    return image, DecodingLimits(
        cpu_s=settings.decoding_cpu_s, memory_bytes=settings.decoding_memory_bytes
    )


class Decoders:
    """As many decoders as images may be decoded at the same time, lent out one by one.

    Args:
        settings: the limits.
        size: how many.
    """

    def __init__(self, settings: Settings, size: int = 1):
        limits, decoding = limits_of(settings)
        self.limits = limits
        self._all = [Decoder(limits, decoding) for _ in range(size)]
        # The last one that was used is the one whose child has been started.
        self._idle: queue.LifoQueue[Decoder] = queue.LifoQueue()
        for decoder in self._all:
            self._idle.put(decoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def borrow(self) -> Iterator[Decoder]:
        """A decoder for one's own; waits for one."""
        decoder = self._idle.get()
        try:
            yield decoder
        finally:
            self._idle.put(decoder)

    def close(self) -> None:
        """Ends the children."""
        for decoder in self._all:
            decoder.stop()


@contextmanager
def _no_process_is_ours() -> Iterator[None]:
    """A process that cannot be started (no memory, no file descriptor) is no fault of an image."""
    try:
        yield
    except OSError as error:
        log.error("the decoding process does not start: %s", error)
        raise _unavailable("The process that decodes images does not start.") from error


def _refusals() -> dict[str, type[UnusableImage]]:
    return {kind.slug: kind for kind in UnusableImage.__subclasses__()}


def _search_path() -> str:
    """Where this process finds its modules, for a child to find the same ones."""
    return os.pathsep.join(os.path.abspath(place) for place in sys.path)  # noqa: PTH100


def _unavailable(detail: str) -> DecoderUnavailable:
    return DecoderUnavailable(detail, headers={"Retry-After": RETRY_AFTER_S})
