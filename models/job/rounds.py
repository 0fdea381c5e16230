"""The stage "rounds": the text-guided integrator on the views that the job's images start from."""

from torch import Tensor

from models.integrator.rounds import Integration, integrate
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.views.draws import FILL_SEEDS


def run_rounds(generation: Generation, prepared: Prepared) -> Integration:
    """Guides the generator by the prompt; it ends with the best round's decoder."""
    effort, draws, progress = generation.effort, generation.draws, generation.progress
    if not (num_rounds := generation.num_rounds):
        progress.tell("rounds", generation.fill_percent)
        return Integration()
    assert prepared.generator is not None
    drawn = draws.plans(FILL_SEEDS, generation.round_size)
    num_steps = num_rounds * len(drawn) + (num_rounds - 1) * effort.num_updates

    def view(number: int) -> Tensor:
        return draws.at_work(draws.seen(drawn[number]))

    return integrate(
        prepared.generator,
        generation.models.encoder,
        prepared.prompt.embedding,
        view,
        [plan.seed for plan in drawn],
        num_rounds=num_rounds,
        num_updates=effort.num_updates,
        settings=generation.options.sampling,
        on_step=progress.counter("rounds", 50.0, generation.fill_percent, num_steps),
    )
