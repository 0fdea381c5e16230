"""Categories of normal and defective images, read from disk in the MVTec layout.

Source of the layout: Bergmann et al., "MVTec AD", CVPR 2019.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}
GOOD = "good"
# Seeds of further attempts at a draw lie this far apart.
SEEDS_APART = 100_000
TEXTILE = "textile"
PACKAGE_PREFIX = "conformal-clip-data:"
# The packaged textile set is cut to the size of an ordinary category.
TEXTILE_TRAIN, TEXTILE_GOOD, TEXTILE_DEFECTIVE_A_KIND = 60, 40, 30


@dataclass(frozen=True)
class TestImage:
    """One test image and what is known about it.

    Attributes:
        path: the image file.
        defect: name of the defect's folder; "good" for a normal image.
        mask: file whose non-zero pixels are defective; None where nobody drew one.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    path: Path
    defect: str
    mask: Path | None = None

    @property
    def is_defective(self) -> bool:
        """Whether a detector should raise an alarm."""
        return self.defect != GOOD


@dataclass(frozen=True)
class Category:
    """One kind of object: its normal training images and its labelled test images."""

    name: str
    train: tuple[Path, ...]
    test: tuple[TestImage, ...]

    @property
    def object_name(self) -> str:
        """The category's name as a word, for the prompt."""
        return self.name.replace("_", " ")

    def choose(self, num_images: int, seed: int) -> tuple[Path, ...]:
        """The k = `num_images` training images of a seed: a subset drawn without replacement.

        Its first image is no smaller seed's, as long as there are others: one image is never two
        draws.

        Raises:
            ValueError: the category has fewer training images.
        """
        if num_images > len(self.train):
            raise ValueError(
                f"{self.name} has {len(self.train)} training images, {num_images} are asked for"
            )
        first: set[Path] = set()
        for number in range(seed + 1):
            if len(first) == len(self.train):
                first.clear()
            for attempt in itertools.count():
                rng = random.Random(number + SEEDS_APART * attempt)
                subset = rng.sample(self.train, num_images)
                if subset[0] not in first:
                    break
            first.add(subset[0])
        return tuple(subset)


def load_image(path: Path) -> Image.Image:
    """The image file as 8-bit RGB."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def read_dataset(data: str, *, max_test_images: int | None = 40) -> list[Category]:
    """Reads one category, or a folder of categories.

    Args:
        data: a folder that holds `train/good`, a folder of such folders, or "textile" for the
            textile set of the package conformal-clip-data.
        max_test_images: at most so many good and so many defective test images per category, always
            the same ones; None keeps all.

    Raises:
        ValueError: no category lies there, or one of them lacks good or defective test images.
    """
    root = Path(data)
    if data.removeprefix(PACKAGE_PREFIX) == TEXTILE and not root.is_dir():
        return [_read_textile(max_test_images)]
    if (root / "train" / GOOD).is_dir():
        return [_read_category(root, max_test_images)]
    folders = sorted(p.parent.parent for p in root.glob(f"*/train/{GOOD}"))
    if not folders:
        raise ValueError(f"no category in the MVTec layout (train/{GOOD}) lies at {data}")
    return [_read_category(folder, max_test_images) for folder in folders]


def image_files(folder: Path) -> list[Path]:
    """The image files directly in a folder, in order of name; none if there is no such folder."""
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def _read_category(root: Path, max_test_images: int | None) -> Category:
    good = [TestImage(path, GOOD) for path in image_files(root / "test" / GOOD)]
    defective = [
        TestImage(path, folder.name, _mask_file(root, folder.name, path))
        for folder in sorted((root / "test").iterdir())
        if folder.is_dir() and folder.name != GOOD
        for path in image_files(folder)
    ]
    train = tuple(image_files(root / "train" / GOOD))
    return _category(root.resolve().name, train, good, defective, max_test_images)


def _mask_file(root: Path, defect: str, image: Path) -> Path | None:
    masks = root / "ground_truth" / defect
    # MVTec calls it NNN_mask.png; other sets in this layout give it the image's own name.
    for name in (f"{image.stem}_mask.png", f"{image.stem}.png", f"{image.stem}_mask.bmp"):
        if (masks / name).is_file():
            return masks / name
    return None


def _read_textile(max_test_images: int | None) -> Category:
    try:
        import conformal_clip_data as package  # noqa: PLC0415  only this set needs it
    except ImportError as error:
        raise ValueError("the textile set needs the package conformal-clip-data") from error
    rng = random.Random(0)
    nominal, local, overall = (
        rng.sample(files, len(files))
        for files in map(
            image_files, (package.nominal_dir(), package.local_dir(), package.global_dir())
        )
    )
    good = [TestImage(path, GOOD) for path in nominal[TEXTILE_TRAIN:][:TEXTILE_GOOD]]
    defective = [
        TestImage(path, kind)
        for kind, paths in (("local", local), ("global", overall))
        for path in paths[:TEXTILE_DEFECTIVE_A_KIND]
    ]
    return _category(TEXTILE, tuple(nominal[:TEXTILE_TRAIN]), good, defective, max_test_images)


def _category(
    name: str,
    train: tuple[Path, ...],
    good: Sequence[TestImage],
    defective: Sequence[TestImage],
    max_test_images: int | None,
) -> Category:
    if not (train and good and defective):
        raise ValueError(
            f"{name} has {len(train)} training, {len(good)} good and {len(defective)} defective "
            "test images; at least one of each is needed"
        )
    rng = random.Random(0)
    chosen = [
        image for group in (good, defective) for image in _at_most(group, max_test_images, rng)
    ]
    return Category(name, train, tuple(chosen))


def _at_most(images: Sequence[TestImage], limit: int | None, rng: random.Random) -> list[TestImage]:
    return rng.sample(images, len(images))[: limit or len(images)]
