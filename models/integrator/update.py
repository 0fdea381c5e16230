"""Updates the generator between two rounds: its decoder moves towards the prompt.

It minimises 1 - cos(z^v, z^t) over a few images of the round's set, anchored to what they were.
Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.2; the anchor is ours.

Axes: J images of the set, D embedding dimensions, H x W pixels; images in [0, 1].
"""

from collections.abc import Callable

import torch
from torch import Tensor

from models.encoder.protocol import TextImageEncoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.cosine import set_cosine
from models.runtime.device_memory import HalvingBatch

LEARNING_RATE = 1e-4
# The update may not buy similarity to the prompt with pixels: L1 to the set before, this many
# times.
ANCHOR_WEIGHT = 10.0


def update(
    generator: VarianceAwareGenerator,
    encoder: TextImageEncoder,
    text_embedding: Tensor,
    views: Tensor,
    seeds: list[int],
    *,
    anchor: Tensor,
    settings: SamplingSettings,
    steps: int,
    on_step: Callable[[], None],
) -> None:
    """Takes `steps` gradient steps of 1 - cos(z^v, z^t) + ANCHOR_WEIGHT * |I+ - anchor|.

    z^v is that of the set with no more of its change than keeps within the good images' colours.

    Args:
        generator: its decoder is updated in place.
        encoder: f; differentiable in the image.
        text_embedding: z^t = G(P), (D,).
        views: the set's, (J, 3, H, W) in [0, 1].
        seeds: of each image's eps, J of them.
        anchor: the set I+ before the update, (J, 3, H, W) in [0, 1].
        settings: how the set is sampled.
        steps: gradient steps, >= 0.
        on_step: called after each step; may raise to stop.
    """
    trained = generator.model.decoder_parameters()
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE)
    batch = HalvingBatch(len(views))

    def embed(piece: slice) -> tuple[Tensor, Tensor]:
        images = generator.sample(views[piece], seeds[piece], settings)
        change = images - anchor[piece]
        # A colour that good images do not have brings nothing nearer to the prompt.
        embeddings = encoder.embed_image(anchor[piece] + generator.in_colours(change))
        return embeddings, ANCHOR_WEIGHT * change.abs().mean()

    def set_gradients(pieces: list[slice]) -> None:
        optimizer.zero_grad(set_to_none=True)
        # The cosine is the whole set's. Its gradient by each embedding comes first, then piece by
        # piece what the embedding passes on: the chain rule, without the whole set in memory.
        pulls = None if len(pieces) == 1 else _pulls(embed, pieces, text_embedding)
        for piece in pieces:
            embeddings, loss = embed(piece)
            if pulls is None:
                loss = loss + 1 - set_cosine(embeddings, text_embedding)
            else:
                loss = loss * len(embeddings) / len(views) + (embeddings * pulls[piece]).sum()
            loss.backward()  # type: ignore[no-untyped-call]

    for _ in range(steps):
        batch.run(set_gradients, len(views))
        optimizer.step()
        on_step()
    for parameter in trained:
        parameter.requires_grad_(False)


def _pulls(
    embed: Callable[[slice], tuple[Tensor, Tensor]], pieces: list[slice], text_embedding: Tensor
) -> Tensor:
    """d(1 - cos(z^v, z^t)) / d f(I+_j) for each image, (J, D)."""
    with torch.no_grad():
        embeddings = torch.cat([embed(piece)[0] for piece in pieces])
    embeddings.requires_grad_(True)
    (pulls,) = torch.autograd.grad(1 - set_cosine(embeddings, text_embedding), embeddings)
    return pulls
