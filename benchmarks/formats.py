"""Which image files are read, and whether rightly: the format grid as a table.

    python -m benchmarks.formats

Each file of the grid is made by hand, and what is read from it is compared with plain arithmetic on
the array that was written.
"""

import argparse
import re
from collections import Counter, defaultdict

from app.files.read_image import read_image
from app.problems import UnusableImage
from tests.app.images.format_grid import all_variants
from tests.app.images.grid_variant import Variant
from tests.app.images.test_format_grid import LIMITS, find_fault


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="draws the pixels")
    arguments = parser.parse_args()
    rows: dict[tuple[str, str, str], list[Variant]] = defaultdict(list)
    for variant in all_variants(arguments.seed):
        rows[variant.format, variant.pixels, outcome(variant)].append(variant)
    print("| format | pixels | bits | files | outcome |\n|---|---|---|---|---|")
    total: Counter[str] = Counter()
    for (name, pixels, told), variants in rows.items():
        total[told.split(":")[0]] += len(variants)
        print(f"| {name} | {pixels} | {depths(variants)} | {len(variants)} | {told} |")
    print(f"\n{total.total()} files: " + ", ".join(f"{n} {what}" for what, n in total.items()))


def depths(variants: list[Variant]) -> str:
    """The depths in short, such as "8, 16, 10/12/14 in 16"."""
    stored: dict[str, list[str]] = defaultdict(list)
    for depth in dict.fromkeys(variant.depth for variant in variants):
        bits, _, room = depth.partition(" in ")
        stored[room].append(bits)
    plain = stored.pop("", [])
    return ", ".join([*plain, *(f"{'/'.join(bits)} in {room}" for room, bits in stored.items())])


def outcome(variant: Variant) -> str:
    if fault := find_fault(variant):
        return f"WRONG ({fault})"
    if variant.expected is not None:
        return "right" if variant.tolerance == 0 else "right within the coding's loss"
    try:
        read_image(variant.content, LIMITS)
    except UnusableImage as problem:
        return "refused: " + re.sub(r"up to \d+", "up to ...", problem.detail)
    return "WRONG (not refused)"


if __name__ == "__main__":
    main()
