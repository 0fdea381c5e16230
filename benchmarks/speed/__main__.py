"""What a job costs, stage by stage, beside the least it could cost and beside its peers.

    python -m benchmarks.speed                      # everything on a quiet machine or a GPU
    python -m benchmarks.speed --images 16 --size 256 --given 1 --no-service    # a short run

All in one process and one run, so that ratios hold where seconds do not:

- the *floor*: bare decodes of as many images, without gradients, at the best batch;
- the *jobs*: `Pipeline.generate` and the archive, for every combination that is asked for, with
  the share of each stage, images a second, the peak of memory, and the ratio to the floor; before
  them the process's first job, of one image, whose loading no other pays;
- the *peers*: plain augmentation, and VQGAN-CLIP with the same models (a few of its steps,
  multiplied);
- the *service*: from POST to the first progress on a warm worker, what the service adds to the
  same job without one, jobs a minute with one worker and with two.

`--clock cpu` counts the seconds of this process's own processors in place of those on the wall:
on a machine that is shared, these are what can be compared.
"""

import argparse
import itertools
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.speed.floor import measure_floor
from benchmarks.speed.jobs import JobCost, JobSize, measure_job, request_of
from benchmarks.speed.measuring import CLOCKS, measured
from benchmarks.speed.peers import augmentation_s, vqgan_clip_s
from benchmarks.speed.service import measure_service
from models.job.pipeline import Pipeline, load_pipeline

MIB = 2**20


def job_table(costs: list[JobCost]) -> str:
    """One line a job; the stages' shares are of the whole job."""
    stages = list(dict.fromkeys(stage for cost in costs for stage in cost.stages_s))
    head = ["images", "px", "given", "s", "images/s", "over floor", *stages, "peak MiB", "device"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cost in costs:
        size, seconds = cost.size, cost.seconds
        shares = [f"{cost.stages_s.get(s, 0.0) / sum(cost.stages_s.values()):.0%}" for s in stages]
        cells = [
            *(size.num_images, size.side_px, size.num_given),
            *(f"{seconds:.1f}", f"{cost.num_made / seconds:.2f}", f"{cost.over_floor:.1f}"),
            *shares,
            *(f"{cost.peak_bytes / MIB:.0f}", f"{cost.device_peak_bytes / MIB:.0f}"),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def measure_jobs(pipeline: Pipeline, chosen: argparse.Namespace) -> list[JobCost]:
    """Every combination, each beside a floor that was measured just before it.

    A first small job loads what is loaded when it is needed, as a worker's first one does.
    """
    clock = CLOCKS[chosen.clock]
    smallest = JobSize(1, min(chosen.size), 1, chosen.effort, chosen.sample)
    with measured(pipeline.models.device, clock) as first:
        pipeline.generate(request_of(smallest))
    print(f"first job, of one image: {first.seconds:.1f} s", flush=True)
    costs = []
    # The largest last: the process's memory only grows.
    sizes = [
        JobSize(num_images, side_px, num_given, chosen.effort, chosen.sample)
        for side_px, num_given, num_images in itertools.product(
            sorted(chosen.size), sorted(chosen.given), sorted(chosen.images)
        )
    ]
    for size in sizes:
        floor = measure_floor(pipeline.models, size.side_px, clock=clock)
        print(
            f"floor at {size.side_px} px: {floor.image_s * 1000:.0f} ms an image, in batches of "
            f"{floor.batch} ({floor.precision})",
            flush=True,
        )
        costs.append(measure_job(pipeline, size, floor, clock=clock))
        print(job_table(costs[-1:]), flush=True)
    return costs


def tell_peers(pipeline: Pipeline, chosen: argparse.Namespace, costs: list[JobCost]) -> None:
    """Prints what an image costs each peer, and how many times the product's that is."""
    clock = CLOCKS[chosen.clock]
    for cost in costs:
        own_s = cost.seconds / cost.num_made
        plain_s = augmentation_s(cost.size, clock=clock)
        line = f"{cost.size}: {own_s:.3f} s an image; plain augmentation {plain_s:.4f} s"
        if chosen.vqgan_clip_steps:
            steps = chosen.vqgan_clip_steps
            other_s = vqgan_clip_s(pipeline.models, cost.size, num_measured=steps, clock=clock)
            line += f"; VQGAN-CLIP {other_s:.1f} s, {other_s / own_s:.0f} times the product"
        print(line, flush=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--size", type=int, nargs="+", default=[256], help="long sides in px")
    parser.add_argument("--given", type=int, nargs="+", default=[1, 8], help="real images")
    parser.add_argument("--effort", default="standard")
    parser.add_argument("--sample", default="brick", help="brick, coin or textile")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="of torch; else as many as it takes itself")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument(
        "--vqgan-clip-steps", type=int, default=4, help="steps that are measured; 0: no VQGAN-CLIP"
    )
    parser.add_argument("--no-service", action="store_true", help="leave the service out")
    parser.add_argument("--out", type=Path, help="write the jobs' figures here as JSON")
    return parser.parse_args()


def main() -> None:
    chosen = read_arguments()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    pipeline = load_pipeline(device=chosen.device)
    device = pipeline.models.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}", flush=True)
    costs = measure_jobs(pipeline, chosen)
    print(f"\n{job_table(costs)}\n", flush=True)
    tell_peers(pipeline, chosen, costs)
    if chosen.out:
        chosen.out.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
    if not chosen.no_service:
        with tempfile.TemporaryDirectory() as folder:
            print(measure_service(pipeline, Path(folder), chosen.device), flush=True)


if __name__ == "__main__":
    main()
