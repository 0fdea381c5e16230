"""The process in which files of strangers are decoded; started and ended by `decoders.py`.

    python -m app.files.decoding_child DESCRIPTOR LIMITS

It has no more memory than it is given, writes no file, and is killed by the kernel when an image
takes more processor time than allowed: no decoder, however deep in C, can object. Over the
descriptor (one end of a socket pair, in messages of `multiprocessing.connection`) come pairs of
a JSON object and a file; each is answered by a JSON object and, if asked for, pixels.
"""

import contextlib
import json
import logging
import os
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from PIL import Image

from app.files.read_image import TOO_MUCH_MEMORY, read_picture
from app.images.limits import DecodingLimits, ImageLimits
from app.images.measure import measure
from app.images.render import render
from app.problems import ImageTooCostly, UnusableImage

READY: dict[str, Any] = {"ready": True}


def main() -> None:
    """Answers until the other end is closed, or an image has taken all the memory."""
    connection = Connection(int(sys.argv[1]))
    limits = json.loads(sys.argv[2])
    decoding = DecodingLimits(**limits["decoding"])
    _confine(decoding)
    _send(connection, READY)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        goes_on = True
        while goes_on:
            asked = json.loads(connection.recv_bytes())
            content = connection.recv_bytes()
            signal.setitimer(signal.ITIMER_PROF, decoding.cpu_s)
            answer, pixels, goes_on = _answer(content, ImageLimits(**limits["image"]), asked)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _send(connection, answer)
            if pixels is not None:
                connection.send_bytes(pixels)


def _confine(limits: DecodingLimits) -> None:
    # A terminal's Ctrl+C is for the process that waits for the answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        present_bytes = int(statistics.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most_bytes = present_bytes + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    # The limits have been checked by then, and what a decoder finds odd is for nobody's log.
    Image.MAX_IMAGE_PIXELS = None
    logging.disable()


def _answer(
    content: bytes, limits: ImageLimits, asked: dict[str, Any]
) -> tuple[dict[str, Any], bytes | None, bool]:
    """(the answer, the pixels if any, whether this process is good for another image)."""
    try:
        picture = read_picture(content, limits)
        facts = measure(picture)
        pixels = None
        bits = asked["bits"] or facts.bits
        if asked["pixels"] and bits:
            pixels = render(picture, bits).tobytes()
        return {"facts": facts.as_dict(), "has_pixels": pixels is not None}, pixels, True
    except UnusableImage as problem:
        return _refusal(problem), None, not isinstance(problem, ImageTooCostly)
    except MemoryError:
        return _refusal(ImageTooCostly(TOO_MUCH_MEMORY)), None, False


def _refusal(problem: UnusableImage) -> dict[str, Any]:
    return {"refusal": problem.slug, "detail": problem.detail}


def _send(connection: Connection, answer: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
