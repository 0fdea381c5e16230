"""The stage "rounds": the text-guided integrator on the views of this job."""

import torch
from torch import Tensor

from models.integrator.rounds import Integration, integrate
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.views.draws import ROUND_SEEDS


def run_rounds(generation: Generation, prepared: Prepared) -> Integration:
    """Guides the generator by the prompt; it ends with the best round's decoder."""
    effort, draws = generation.effort, generation.draws
    guided = generation.options.text_guidance
    num_rounds = effort.num_rounds if guided else 1
    num_updates = effort.num_updates if guided else 0
    num_steps = num_rounds * effort.round_size + (num_rounds - 1) * num_updates

    def draw_set(number: int) -> tuple[Tensor, list[int]]:
        """The views (J, 3, H, W) and the seeds of a round."""
        first = number * effort.round_size
        drawn = [draws.draw(ROUND_SEEDS, first + j) for j in range(effort.round_size)]
        views = draws.at_work(torch.stack([d.pixels for d in drawn]))
        return views, [d.seed for d in drawn]

    return integrate(
        prepared.generator,
        generation.models.encoder,
        prepared.prompt.embedding,
        draw_set,
        num_rounds=num_rounds,
        num_updates=num_updates,
        settings=generation.options.sampling,
        on_step=generation.progress.counter("rounds", 50.0, 70.0, num_steps),
    )
