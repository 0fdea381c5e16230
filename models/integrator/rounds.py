"""Text-guided knowledge integrator: updates the generator round by round, keeps the best round's.

Each round samples a set I+_1..I+_J and scores it by cos(z^v, z^t), with z^v = mean_j f(I+_j) and
z^t = G(P); between rounds the decoder moves towards the prompt, kept from leaving the views.
Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 3.3.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from models.encoder.protocol import TextImageEncoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.runtime.device_memory import HalvingBatch

UPDATE_LEARNING_RATE = 1e-4
# The update may not buy similarity to the prompt with pixels: L1 to the set before, this many
# times.
ANCHOR_WEIGHT = 10.0
UPDATE_BATCH = 4


@dataclass(frozen=True)
class Round:
    """One round t: its set's cosine to the prompt, and which seeds made it."""

    number: int
    cosine: float
    seeds: list[int]


@dataclass
class Integration:
    """All rounds and the kept one, the round with the highest cosine."""

    rounds: list[Round] = field(default_factory=list)
    kept: int = -1

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        rounds = [{"round": r.number, "cosine": round(r.cosine, 6)} for r in self.rounds]
        return {"rounds": rounds, "kept": self.kept}


def set_cosine(image_embeddings: Tensor, text_embedding: Tensor) -> Tensor:
    """cos(z^v, z^t), a scalar, for f(I+_j) (J, D) and z^t (D,)."""
    return F.cosine_similarity(image_embeddings.mean(dim=0), text_embedding, dim=0)


def integrate(
    generator: VarianceAwareGenerator,
    encoder: TextImageEncoder,
    text_embedding: Tensor,
    draw_set: Callable[[int], tuple[Tensor, list[int]]],
    *,
    num_rounds: int,
    num_updates: int,
    settings: SamplingSettings,
    on_step: Callable[[], None],
) -> Integration:
    """Runs the rounds; the generator ends with the kept round's decoder.

    Args:
        generator: is updated in place.
        encoder: f and G; differentiable in the image.
        text_embedding: z^t = G(P), (D,).
        draw_set: round number -> views (J, 3, H, W) in [0, 1] and a seed for each.
        num_rounds: T >= 1.
        num_updates: gradient steps between two rounds; 0 leaves the generator as it is.
        settings: how sets are sampled.
        on_step: called after each image sampled and each gradient step; may raise to stop.
    """
    result = Integration()
    best_cosine, best_state = -2.0, generator.decoder_state()
    for number in range(num_rounds):
        views, seeds = draw_set(number)
        with torch.no_grad():
            sampled = []
            for view, seed in zip(views, seeds, strict=True):
                sampled.append(generator.sample(view[None], [seed], settings))
                on_step()
            images = torch.cat(sampled)
            embeddings = HalvingBatch(len(images)).concatenate(encoder.embed_image, images)
            cosine = float(set_cosine(embeddings, text_embedding))
        result.rounds.append(Round(number, cosine, seeds))
        if cosine > best_cosine:
            best_cosine, best_state, result.kept = cosine, generator.decoder_state(), number
        if number < num_rounds - 1 and num_updates:
            few = slice(0, UPDATE_BATCH)
            update(
                generator,
                encoder,
                text_embedding,
                views[few],
                seeds[few],
                anchor=images[few],
                settings=settings,
                steps=num_updates,
                on_step=on_step,
            )
    generator.load_decoder_state(best_state)
    return result


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
    """Takes `steps` gradient steps of 1 - cos(z^v, z^t) + ANCHOR_WEIGHT * |I+ - anchor|."""
    trained = generator.decoder_parameters()
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(trained, lr=UPDATE_LEARNING_RATE)
    batch = HalvingBatch(len(views))

    def embed(piece: slice) -> tuple[Tensor, Tensor]:
        images = generator.sample(views[piece], seeds[piece], settings)
        return encoder.embed_image(images), ANCHOR_WEIGHT * (images - anchor[piece]).abs().mean()

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
