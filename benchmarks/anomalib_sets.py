"""Makes what benchmarks/anomalib_bench.py compares: k real images, plain augmentation, our ZIP.

    python -m benchmarks.anomalib_sets DATA --shots 1 --out results/anomalib

Writes OUT/real/*, OUT/augment/*.png (the real ones and their plain augmentation) and
OUT/goodmany.zip; DATA is one category in the MVTec layout.
"""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

from models.evaluation.data.dataset import load_image, read_dataset
from models.evaluation.rows.plain import RowInput, augment
from models.job.pipeline import load_pipeline
from models.job.request import GenerationRequest
from workers.archive.write import write_archive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="one category in the MVTec layout, or 'textile'")
    parser.add_argument("--shots", type=int, default=1, help="real images")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--num-images", type=int, default=24, help="new ones for each real one")
    parser.add_argument("--out", type=Path, default=Path("results/anomalib"))
    arguments = parser.parse_args()
    (category,) = read_dataset(arguments.data)
    files = category.choose(arguments.shots, arguments.seed)
    images = [load_image(file) for file in files]
    for name in ("real", "augment"):
        shutil.rmtree(arguments.out / name, ignore_errors=True)
        (arguments.out / name).mkdir(parents=True)
    for file in files:
        shutil.copy(file, arguments.out / "real")
    augmented = augment(
        RowInput(
            images=images,
            object_name=category.object_name,
            seed=arguments.seed,
            train=category.train,
        )
    )
    for number, image in enumerate(augmented):
        image.save(arguments.out / "augment" / f"{number:04}.png")
    request = GenerationRequest(
        images=images,
        object_name=category.object_name,
        num_images=arguments.num_images * len(files),
        seed=arguments.seed,
    )
    result = load_pipeline().generate(request)
    with (arguments.out / "goodmany.zip").open("wb") as file:
        write_archive(file, result, request, job_id="none", created_at=datetime.now(UTC))
    print(f"{len(files)} real and {len(result.images)} new images of {category.name}")


if __name__ == "__main__":
    main()
