"""Sigma: the evidence for it in good images, and the head of the VQ model that learns it.

sigma must come from what the images show, not from chance: a latent cell's variance is the spread
of the latents at patches that look the same as its own, in the other images or elsewhere in the
same one. A cell that nothing resembles gets none.

Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.1.2, for a predicted sigma; that it is
learned from matched patches is ours.

Axes: k images, D latent channels, h x w latent cells, F patch features.
"""

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from models.features.nearest import nearest_distances
from models.features.patches import PatchFeatures
from models.generator.frame import without_frame
from models.generator.latents import NO_EVIDENCE_LOGVAR
from models.runtime.device_memory import HalvingBatch

if TYPE_CHECKING:
    # diffusers, which a job that varies no image does without.
    from models.generator.vqgan import VarianceAwareVQModel

NUM_MATCHES = 6
# Cells this close in the same image are the same patch seen again, no evidence of anything.
EXCLUDED_RADIUS_CELLS = 2
# Weight of "no variance here" against the matches' weights, each at most 1.
PRIOR_WEIGHT = 1.0
MAX_KEYS = 8192
# Views whose patches say how far a patch lies from itself seen again, and how many other images of
# the same parts they are looked for in; more would only cost time.
NUM_SEEN_AGAIN = 8
NUM_LOOKED_IN = 16
HEAD_LEARNING_RATE = 3e-3
HEAD_STEPS = 150


def learn_variance(
    model: "VarianceAwareVQModel",
    images: Tensor,
    features: PatchFeatures,
    same_distance: float,
    *,
    on_step: Callable[[], None] = lambda: None,
    on_piece: Callable[[], None] = lambda: None,
) -> None:
    """Fits the model's log-variance head to the evidence in the good images, in place.

    Minimises the Gaussian negative log-likelihood 0.5 (log sigma^2 + s^2 / sigma^2), whose minimum
    is sigma^2 = E[s^2 | encoder features]; s^2 from `match_variance`.

    Args:
        model: its log-variance head is learned anew, the rest stays as it is.
        images: k good ones, (k, 3, H, W) in [0, 1].
        features: what patches are matched by.
        same_distance: from `distance_seen_again`, > 0.
        on_step: called after each of HEAD_STEPS steps; it may raise to stop.
        on_piece: called after each piece of the work before these steps; it may raise to stop.
    """
    head = model.logvar_head
    with torch.no_grad():
        hidden = torch.cat([_told(model.features(2 * x - 1), on_piece) for x in images.split(1)])
        mean = model.quant_conv(model.encoder.conv_out(hidden))
        descriptors = torch.cat([features.patch_grid(x) for x in images.split(1)])
        shifted = _shifted_means(model, images, on_piece)
        evidence = match_variance(mean, shifted, descriptors, same_distance, on_piece)  # s^2
        evidence = without_frame(evidence + math.exp(NO_EVIDENCE_LOGVAR), model.padding_reach_cells)
        hidden = without_frame(hidden, model.padding_reach_cells)
        # From the mean evidence everywhere, the likelihood is well behaved.
        model.forget_variance()
        cast(Tensor, head[-1].bias).copy_(evidence.mean(dim=(0, 2, 3)).log())
    head.requires_grad_(True)
    optimizer = torch.optim.Adam(head.parameters(), lr=HEAD_LEARNING_RATE)
    batch = HalvingBatch(len(hidden))

    def set_gradients(pieces: list[slice]) -> None:
        optimizer.zero_grad(set_to_none=True)
        for piece in pieces:
            logvar = head(hidden[piece])  # log sigma^2
            loss = 0.5 * (logvar + evidence[piece] / logvar.exp()).mean()
            (len(logvar) / len(hidden) * loss).backward()  # type: ignore[no-untyped-call]

    for _ in range(HEAD_STEPS):
        batch.run(set_gradients, len(hidden))
        optimizer.step()
        on_step()
    head.requires_grad_(False)


@torch.no_grad()
def distance_seen_again(
    images: Tensor,
    views: Tensor,
    features: PatchFeatures,
    on_image: Callable[[], None] = lambda: None,
) -> float:
    """Within which distance patches count as the same: > 0, in feature units.

    The median distance of the first views' patches to the nearest patch of the good images
    (k, 3, H, W) and of the other views (N, 3, H, W), both in [0, 1]; of NUM_LOOKED_IN of these at
    most. Views show the images by turns: with more images than NUM_SEEN_AGAIN, these are the first.
    `on_image` is called after each image, at most NUM_SEEN_AGAIN + NUM_LOOKED_IN times; it may
    raise to stop.
    """

    def patches(image: Tensor) -> Tensor:
        found = features.patches(image)[0]
        on_image()
        return found

    others = torch.cat([images[:NUM_SEEN_AGAIN], views[NUM_SEEN_AGAIN:]])[:NUM_LOOKED_IN]
    known = torch.cat([patches(x) for x in others.split(1)])
    thinned = torch.randperm(len(known), generator=torch.Generator().manual_seed(0))[:MAX_KEYS]
    bank = known[thinned.to(known.device)]
    again = [patches(x) for x in views[:NUM_SEEN_AGAIN].split(1)]
    nearest = torch.cat([nearest_distances(each, bank)[0] for each in again])
    return max(float(nearest.median()), 1e-6)


@torch.no_grad()
def match_variance(
    latents: Tensor,
    shifted: Tensor,
    descriptors: Tensor,
    same_distance: float,
    on_piece: Callable[[], None] = lambda: None,
) -> Tensor:
    """Variance of each latent that matched patches speak for, (k, D, h, w), >= 0.

    s_i^2 = sum_j w_ij (mu_j - mu_i)^2 / 2 / (sum_j w_ij + PRIOR_WEIGHT) over the NUM_MATCHES
    nearest patches j, w_ij = exp(-(d_ij / same_distance)^2). Half the squared difference of two
    draws of one distribution has its variance as the mean. Patches are matched on the coarser of
    the two grids; finer latents are compared cell by cell within matched patches.

    Each match j is taken at whichever of its S slightly shifted versions lies nearest to mu_i: an
    edge that runs through both patches a little apart is no evidence of variance, since a shift
    brings it to rest; grain is, since none does.

    Args:
        latents: mu of the k good images, (k, D, h, w).
        shifted: mu of the same images shifted by a few pixels, (S, k, D, h, w), S >= 1; the
            unshifted one among them.
        descriptors: patch features of the images, (k, F, h', w'); h is a multiple of h' or less.
        same_distance: distance of a patch to itself seen again (through a small view), > 0.
        on_piece: called now and then; it may raise to stop.
    """
    ratio = max(1, latents.shape[-1] // descriptors.shape[-1])
    values, (k, height, width) = _rows(latents, ratio)
    moved = torch.stack([_rows(version, ratio)[0] for version in shifted])  # (S, N, D * ratio^2)
    keys, _ = _rows(F.adaptive_avg_pool2d(descriptors, (height, width)), 1)
    positions = _positions(k, height, width).to(latents.device)
    thinned = torch.randperm(len(keys), generator=torch.Generator().manual_seed(0))[:MAX_KEYS]
    thinned = thinned.to(latents.device)
    variances = []
    for start in range(0, len(keys), 1024):
        rows = slice(start, start + 1024)
        distance = torch.cdist(keys[rows], keys[thinned])
        apart = (positions[rows, None] - positions[None, thinned]).abs().amax(dim=2)
        distance[apart <= EXCLUDED_RADIUS_CELLS] = torch.inf
        nearest, index = distance.topk(min(NUM_MATCHES, distance.shape[1]), dim=1, largest=False)
        weights = torch.exp(-((nearest / same_distance) ** 2))
        spread = torch.zeros_like(values[rows])
        for match in range(nearest.shape[1]):
            squares = (moved[:, thinned[index[:, match]]] - values[rows]) ** 2 / 2
            best = squares.sum(dim=2).argmin(dim=0)  # the shift that explains most, per row
            spread += (
                weights[:, match, None] * squares[best, torch.arange(len(best), device=best.device)]
            )
        variances.append(spread / (weights.sum(dim=1, keepdim=True) + PRIOR_WEIGHT))
        on_piece()
    variance = torch.cat(variances).reshape(k, height, width, -1).permute(0, 3, 1, 2)
    return F.pixel_shuffle(variance, ratio)


def _rows(grid: Tensor, ratio: int) -> tuple[Tensor, tuple[int, int, int]]:
    """(k, C, h, w) as rows of ratio x ratio cells, (k * h' * w', C * ratio^2), and (k, h', w')."""
    folded = F.pixel_unshuffle(grid, ratio).permute(0, 2, 3, 1)
    return folded.flatten(0, 2), (folded.shape[0], folded.shape[1], folded.shape[2])


def _positions(k: int, height: int, width: int) -> Tensor:
    """(k * h * w, 3): the image's number, far apart for different images, then row and column."""
    image, row, column = torch.meshgrid(
        torch.arange(k) * 10_000, torch.arange(height), torch.arange(width), indexing="ij"
    )
    return torch.stack([image, row, column], dim=-1).reshape(-1, 3)


def _told(found: Tensor, on_piece: Callable[[], None]) -> Tensor:
    on_piece()
    return found


def _shifted_means(
    model: "VarianceAwareVQModel", images: Tensor, on_piece: Callable[[], None]
) -> Tensor:
    """The images' (k, 3, H, W) mu, shifted by up to one and a half cells: (S, k, D, h, w).

    Half a cell is a shift of the pixels, a whole one a roll of the latents.
    """
    half = model.downsampling_factor // 2
    height, width = images.shape[-2:]
    padded = F.pad(images, (0, half, 0, half), mode="replicate")
    versions = []
    for down, right in itertools.product((0, half), repeat=2):
        shifted = padded[..., down : down + height, right : right + width]
        means = [_told(model.posterior(2 * x - 1).mean, on_piece) for x in shifted.split(1)]
        mean = torch.cat(means)
        versions += [mean.roll(r, (2, 3)) for r in itertools.product((-1, 0, 1), repeat=2)]
    return torch.stack(versions)
