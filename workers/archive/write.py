"""The archive that a job hands out: a ZIP that anomaly detection libraries read as it is.

    <slug>/train/good/000.png ...   the generated images, marked synthetic
    <slug>/train/metadata.csv       one row an image, no empty cell
    <slug>/reference/good/000.png   the real images, if asked for
    manifest.json                   everything about the job (workers/archive/manifest.py)
    README.md                       how to load it (workers/archive/dataset_card.py)

The bytes are a function of the arguments: entries stand in this order with one fixed date, PNGs are
stored, texts deflated. Between two runs of one request on one device only `run` in `manifest.json`
differs (job id, times); images, `metadata.csv` and README are equal byte for byte.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import BinaryIO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from app.jobs.inputs import InputImage
from models.job.request import GeneratedImage, GenerationRequest, GenerationResult
from workers.archive.dataset_card import write_dataset_card
from workers.archive.manifest import ManifestFacts, describe_generation
from workers.archive.synthetic_png import Making, encode_real_png, encode_synthetic_png

COLUMNS = (
    "file_name",
    "image_path",
    "label",
    "label_index",
    "split",
    "seed",
    "source",
)
# A ZIP's dates have no time zone and begin in 1980: unpacked west of where it was packed again, the
# first of January is a day in 1979, which no ZIP can hold.
ZIP_EPOCH = (1980, 2, 1, 0, 0, 0)
UNIX = 3
READABLE_FILE = 0o100644 << 16
MAX_SLUG_CHARS = 64
# PNGs that are encoded at once: one on two cores, which make the next image meanwhile, and more
# beside a GPU, which makes images of 1024 px four times as fast as one core encodes them.
NUM_ENCODERS = max(1, min(4, (os.cpu_count() or 1) // 2))
RESERVED_ON_WINDOWS = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


class Judge(Protocol):
    """Says how a set lies among real images that are held out; a `SetJudge`, which needs torch."""

    def see(self, pixels: np.ndarray) -> None:
        """One more image of the set, (H, W, 3) uint8."""

    def figures(self) -> dict[str, object]:
        """JSON-able, of all that were seen."""


def slugify(object_name: str) -> str:
    """A folder name that every file system and anomalib (printable ASCII only) accept.

    Lower-case ASCII letters, digits and single underscores, 1 to 64 characters, never a name that
    Windows reserves. A name of which nothing is left ("螺丝") becomes `object_` and a hash, so that
    two such objects stay apart.
    """
    ascii_name = unicodedata.normalize("NFKD", object_name.casefold()).encode("ascii", "ignore")
    slug = re.sub(r"[^a-z0-9]+", "_", ascii_name.decode().lower()).strip("_")
    slug = slug[:MAX_SLUG_CHARS].rstrip("_")
    if not slug:
        return "object_" + hashlib.sha256(object_name.encode()).hexdigest()[:8]
    return f"{slug}_object" if RESERVED_ON_WINDOWS.fullmatch(slug) else slug


def write_archive(
    file: BinaryIO,
    result: GenerationResult,
    request: GenerationRequest,
    *,
    job_id: str,
    created_at: datetime,
    inputs: Sequence[InputImage] = (),
    bit_depth: int | None = None,
    include_reference: bool = False,
    on_image: Callable[[np.ndarray], None] = lambda _: None,
    judge: Judge | None = None,
) -> None:
    """Writes the ZIP to `file`, NUM_ENCODERS + 1 images in memory at a time.

    A file that cannot seek (a pipe, an object store) gets the same bytes by way of a temporary
    file: written directly, a ZIP would need data descriptors, which some readers refuse for stored
    entries.

    Args:
        file: open for binary writing; stays open.
        result: at least the images to write; their scores must have the same names throughout.
        request: what was asked for.
        job_id: goes into the manifest.
        created_at: when the job was accepted; goes into the manifest.
        inputs: what was understood of each of the request's images; goes into the manifest.
        bit_depth: what the request said of them; goes into the manifest.
        include_reference: also write the real images.
        on_image: called with the pixels (H, W, 3) of each generated image once it is written; what
            it raises leaves this function unchanged.
        judge: sees each generated image; what it says of all of them goes into the manifest.

    Raises:
        ValueError: the report holds a number that JSON has not (NaN, infinity).
    """
    facts = ManifestFacts(
        job_id=job_id, created_at=created_at, inputs=tuple(inputs), bit_depth=bit_depth
    )
    entries = _entries(result, request, facts, include_reference, on_image=on_image, judge=judge)
    if file.seekable():
        _write_zip(file, entries)
        return
    with tempfile.TemporaryFile() as spool:
        _write_zip(spool, entries)
        spool.seek(0)
        shutil.copyfileobj(spool, file)


def _entries(
    result: GenerationResult,
    request: GenerationRequest,
    facts: ManifestFacts,
    include_reference: bool,
    *,
    on_image: Callable[[np.ndarray], None],
    judge: Judge | None,
) -> Iterator[tuple[str, bytes]]:
    """(path in the archive, content), made one by one as the ZIP is written."""
    slug = slugify(request.object_name)
    file_names = _number(len(result.images))
    score_names = sorted(result.images[0].scores) if result.images else []
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow([*COLUMNS, *score_names, "sha256"])

    encoded = _encoded(result.images, request.preset)
    for file_name, (image, pixels, png) in zip(file_names, encoded, strict=True):
        yield f"{slug}/train/{file_name}", png
        on_image(pixels)
        if judge is not None:
            judge.see(pixels)
        place = [file_name, f"train/{file_name}", "normal", 0, "train", image.seed, image.source]
        scores = [f"{image.scores[name]:.6f}" for name in score_names]
        rows.writerow([*place, *scores, hashlib.sha256(png).hexdigest()])
    yield f"{slug}/train/metadata.csv", table.getvalue().encode()

    if include_reference:
        for name, real in zip(_number(len(request.images)), request.images, strict=True):
            yield f"{slug}/reference/{name}", encode_real_png(real)

    manifest = describe_generation(
        result,
        request,
        facts,
        file_names=[f"{slug}/train/{name}" for name in file_names],
        held_out=None if judge is None else judge.figures(),
    )
    yield "manifest.json", _to_json(manifest)
    card = write_dataset_card(result, request, slug=slug, include_reference=include_reference)
    yield "README.md", card.encode()


def _encoded(
    images: Sequence[GeneratedImage], preset: str
) -> Iterator[tuple[GeneratedImage, np.ndarray, bytes]]:
    """Each image, its pixels and its PNG, in order; up to NUM_ENCODERS are encoded beside."""
    with ThreadPoolExecutor(NUM_ENCODERS, "png") as beside:
        waiting: deque[tuple[GeneratedImage, np.ndarray, Future[bytes]]] = deque()
        for image in images:
            pixels = image.pixels
            making = Making.of(image.kind, preset)
            waiting.append((image, pixels, beside.submit(encode_synthetic_png, pixels, making)))
            if len(waiting) > NUM_ENCODERS:
                yield _finished(waiting)
        while waiting:
            yield _finished(waiting)


def _finished(
    waiting: deque[tuple[GeneratedImage, np.ndarray, Future[bytes]]],
) -> tuple[GeneratedImage, np.ndarray, bytes]:
    image, pixels, png = waiting.popleft()
    return image, pixels, png.result()


def _number(count: int) -> list[str]:
    """`good/000.png` ..., as wide as the last number needs and at least three digits."""
    digits = max(3, len(str(count - 1)))
    return [f"good/{index:0{digits}d}.png" for index in range(count)]


def _to_json(manifest: dict[str, object]) -> bytes:
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _write_zip(file: BinaryIO, entries: Iterator[tuple[str, bytes]]) -> None:
    with ZipFile(file, "w") as archive:
        for path, content in entries:
            entry = ZipInfo(path, date_time=ZIP_EPOCH)
            entry.create_system = UNIX
            entry.external_attr = READABLE_FILE
            entry.compress_type = ZIP_STORED if path.endswith(".png") else ZIP_DEFLATED
            archive.writestr(entry, content)
