"""The stage "rounds": the text-guided integrator on the views of this job."""

import torch
from torch import Tensor

from models.integrator.rounds import Integration, integrate
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.views.draws import ROUND_SEEDS


def run_rounds(generation: Generation, prepared: Prepared) -> Integration:
    """Guides the generator by the prompt; it ends with the best round's decoder."""
    effort, draws, progress = generation.effort, generation.draws, generation.progress
    if not (num_rounds := generation.num_rounds):
        progress.tell("rounds", generation.fill_percent)
        return Integration()
    num_steps = num_rounds * effort.round_size + (num_rounds - 1) * effort.num_updates

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
        num_updates=effort.num_updates,
        settings=generation.options.sampling,
        on_step=progress.counter("rounds", 50.0, generation.fill_percent, num_steps),
    )
