"""Text-guided knowledge integrator: updates the generator round by round, keeps the best decoder.

Each round samples a set I+_1..I+_J and scores it by cos(z^v, z^t), with z^v = mean_j f(I+_j) and
z^t = G(P); between rounds the decoder moves towards the prompt, kept from leaving the views. All
rounds see the same views and seeds, so that none wins by luckier ones: what tells them apart is the
decoder. What comes out is the decoder of the round with the highest cosine, with which the same
views and seeds make its set again (models/job/fill.py).
Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.2.

Axes: J images of a round's set, D embedding dimensions, H x W pixels; images in [0, 1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.encoder.protocol import TextImageEncoder
from models.generator.sampling import SamplingSettings, VarianceAwareGenerator
from models.integrator.cosine import set_cosine
from models.integrator.update import update

# Images of a round's set that the update after it looks at.
UPDATE_BATCH = 4


@dataclass(frozen=True)
class Round:
    """One round t: its set's cosine to the prompt."""

    number: int
    cosine: float


@dataclass
class Integration:
    """All rounds; `kept` is the one whose decoder is kept, the one with the highest cosine.

    Without rounds it is -1, and None in the report.
    """

    rounds: list[Round] = field(default_factory=list)
    kept: int = -1

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        rounds = [{"round": r.number, "cosine": round(r.cosine, 6)} for r in self.rounds]
        return {"rounds": rounds, "kept": self.kept if rounds else None}


def integrate(
    generator: VarianceAwareGenerator,
    encoder: TextImageEncoder,
    text_embedding: Tensor,
    view: Callable[[int], Tensor],
    seeds: Sequence[int],
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
        view: j -> the view (3, H, W) in [0, 1] that image j of every round starts from.
        seeds: of the J images' eps.
        num_rounds: T >= 1.
        num_updates: gradient steps between two rounds; 0 leaves the generator as it is.
        settings: how sets are sampled.
        on_step: called after each image sampled and each gradient step; may raise to stop.
    """
    result = Integration()
    best_cosine, best_state = -2.0, generator.decoder_state()
    few = range(min(UPDATE_BATCH, len(seeds)))
    views = torch.stack([view(j) for j in few])
    for number in range(num_rounds):
        embeddings, first_images = [], []
        for j, seed in enumerate(seeds):
            with torch.no_grad():
                image = generator.sample(view(j)[None], [seed], settings)
                embeddings.append(encoder.embed_image(image))
            if j in few:
                first_images.append(image)
            on_step()
        cosine = float(set_cosine(torch.cat(embeddings), text_embedding))
        result.rounds.append(Round(number, cosine))
        if cosine > best_cosine:
            best_cosine, best_state, result.kept = cosine, generator.decoder_state(), number
        if number < num_rounds - 1 and num_updates:
            update(
                generator,
                encoder,
                text_embedding,
                views,
                [seeds[j] for j in few],
                anchor=torch.cat(first_images),
                settings=settings,
                steps=num_updates,
                on_step=on_step,
            )
    generator.load_decoder_state(best_state)
    return result
