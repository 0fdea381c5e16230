"""Feeds the image reader with files made wrong on purpose, and counts what it dies of.

    python -m benchmarks.fuzz_images --minutes 10 --seed 0 --out results/fuzz_images

The files go through the service's own decoding child with its own limits. A crash, a decoding that
had to be ended, an exception that no reader expected, or a picture that is not what its facts say
is a finding; its file is kept. Exit code 1 when there is one.
"""

import argparse
import hashlib
import os
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from app.files.decoders import Decoder, limits_of
from app.problems import DamagedImage, DecoderUnavailable, ImageTooCostly, UnusableImage
from app.settings import Settings
from benchmarks.image_mutations import mutate
from tests.app.http.hostile_images import bad_images, odd_images
from tests.app.images.format_grid import all_variants

# Larger ones are slow to change and change no more.
MAX_SEED_BYTES = 100_000
TOLD_EVERY_S = 30


@dataclass
class Figures:
    """What was seen so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    slowest_cpu_s: float = 0.0
    peak_bytes: int = 0
    num_starts: int = 0

    def line(self, elapsed_s: float) -> str:
        """All of it in one line."""
        num_inputs = self.outcomes.total()
        taken = self.outcomes["taken"]
        return (
            f"{elapsed_s:.0f} s: {num_inputs} inputs ({num_inputs / elapsed_s:.0f}/s), "
            f"{taken} taken, {self.findings['crash']} crashes, {self.findings['hang']} hangs, "
            f"{self.findings['fault']} faults, slowest {self.slowest_cpu_s:.2f} s of processor "
            f"time, largest {self.peak_bytes / 2**20:.0f} MiB, {self.num_starts} children"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/fuzz_images"))
    arguments = parser.parse_args()
    decoder = Decoder(*limits_of(Settings()))
    draw = random.Random(arguments.seed)
    seeds = seed_files()
    figures, start = Figures(), time.monotonic()
    next_line = start + TOLD_EVERY_S
    print(f"{len(seeds)} files to start from")
    while time.monotonic() < start + 60 * arguments.minutes:
        content = mutate(draw.choice(seeds), seeds, draw)
        finding = try_one(decoder, content, draw.random() < 0.5, figures)
        if finding:
            figures.findings[finding] += 1
            keep(content, finding, arguments.out)
        if time.monotonic() > next_line:
            next_line += TOLD_EVERY_S
            print(figures.line(time.monotonic() - start), flush=True)
    decoder.stop()
    print(figures.line(time.monotonic() - start))
    for outcome, number in figures.outcomes.most_common():
        print(f"{number:8d} {outcome}")
    raise SystemExit(1 if figures.findings else 0)


def seed_files() -> list[bytes]:
    """Small files of every format and layout, good and bad."""
    grid = [variant.content for variant in all_variants()]
    hostile = [content for _, content, _ in bad_images()] + list(odd_images().values())
    return [content for content in grid + hostile if 16 <= len(content) <= MAX_SEED_BYTES]


def try_one(decoder: Decoder, content: bytes, pixels: bool, figures: Figures) -> str:
    """Decodes one file; the kind of finding, if it is one."""
    before_pid, before_s = decoder.pid, cpu_s(decoder.pid)
    finding = ""
    try:
        reading = decoder.read(content, bits=8 if pixels else None, pixels=pixels)
        outcome = "taken"
        num_bytes = 3 * reading.facts.width * reading.facts.height
        if pixels and len(reading.pixels or b"") != num_bytes:
            finding = "fault"
    except ImageTooCostly as problem:
        outcome = f"{problem.slug}: {problem.detail}"
        finding = "hang" if "processor time" in problem.detail else ""
    except DamagedImage as problem:
        outcome = problem.slug
        finding = "crash" if "crash" in problem.detail else ""
    except UnusableImage as problem:
        outcome = problem.slug
    except DecoderUnavailable:
        outcome, finding = "decoder-unavailable", "fault"
    figures.outcomes[outcome] += 1
    if decoder.pid != before_pid:
        figures.num_starts += decoder.pid is not None
    elif decoder.pid is not None:
        figures.slowest_cpu_s = max(figures.slowest_cpu_s, cpu_s(decoder.pid) - before_s)
    # The child that holds the most: the one that lives, or one that has been waited for.
    ended_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures.peak_bytes = max(figures.peak_bytes, ended_kib * 1024, peak_bytes(decoder.pid))
    return finding


def cpu_s(pid: int | None) -> float:
    """Processor time that the process has had."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int | None) -> int:
    """The most memory that the process has had."""
    if pid is None:
        return 0
    status = Path(f"/proc/{pid}/status").read_text()
    return next(
        (int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0
    )


def keep(content: bytes, finding: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{finding}-{hashlib.sha256(content).hexdigest()[:12]}").write_bytes(content)


if __name__ == "__main__":
    main()
