"""The stages "prompt" and "adapt": what is learnt from the good images before any is made.

Axes: k images, N views, D embedding dimensions, H x W pixels; images in [0, 1].
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

from torch import Tensor

from models.generator.adaptation import adapt, reconstruction_psnr_db
from models.generator.sampling import VarianceAwareGenerator
from models.generator.variance import (
    HEAD_STEPS,
    NUM_LOOKED_IN,
    NUM_SEEN_AGAIN,
    distance_seen_again,
)
from models.guard.allowance import Allowance
from models.guard.normality import NormalityGuard, RealImage
from models.job.generation import Generation
from models.views.decision.invariances import (
    InvarianceDecision,
    all_analysed,
    all_detailed,
    decide_invariances,
    requested_invariances,
)
from models.views.draws import VIEW_SEEDS

# Views that the guard's threshold is set on, at least.
NUM_UNSEEN_VIEWS = 16
# Views whose reconstruction is measured before and after the adaptation.
NUM_MEASURED_VIEWS = 4
# The report of a decoder that stays as it is.
NOT_ADAPTED = MappingProxyType({"steps": 0, "psnr_before_db": None, "psnr_after_db": None})


@dataclass(frozen=True)
class ChosenPrompt:
    """The prompt of a generation.

    Attributes:
        text: P.
        embedding: z^t = G(P), (D,).
        report: the choice with its candidates, JSON-able.
    """

    text: str
    embedding: Tensor
    report: dict[str, object]


@dataclass(frozen=True)
class Prepared:
    """What the stages before the rounds leave behind; several sets may be made of it.

    Attributes:
        prompt: guides the rounds.
        guard: knows the real images.
        allowance: how far sigma may change an image.
        generator: has learned from them and is adapted to their views; None where every image is
            a view as it is.
        base_decoder: the decoder's state before the adaptation, adapted_decoder: after it; empty
            without a generator.
        adaptation: for the report.
    """

    prompt: ChosenPrompt
    guard: NormalityGuard
    allowance: Allowance
    generator: VarianceAwareGenerator | None
    base_decoder: list[Tensor]
    adapted_decoder: list[Tensor]
    adaptation: dict[str, object]


def choose_prompt(generation: Generation) -> ChosenPrompt:
    """The keyword-to-prompt generator's choice, or the request's own prompt."""
    models, request, progress = generation.models, generation.request, generation.progress
    progress.tell("prompt", 1.0)
    choice = models.prompts.choose(
        request.object_name,
        generation.draws.pictures,
        sense=request.sense,
        outlier_rule=generation.options.outlier_rule,
        prompt=request.prompt or None,
    )
    report = {**choice.as_dict(), "decided_by": "request" if request.prompt else "images"}
    progress.tell("prompt", 8.0, prompt=choice.text)
    return ChosenPrompt(choice.text, models.encoder.embed_text([choice.text])[0], report)


def decide_views(generation: Generation) -> InvarianceDecision:
    """Which views leave a good part good: the request's word, or what the images show."""
    device, features = generation.models.device, generation.models.features
    images = all_analysed(generation.request.images).to(device)
    requested = generation.request.invariances
    decision = (
        decide_invariances(images, features, all_detailed(generation.request.images))
        if requested is None
        else requested_invariances(requested, images, features)
    )
    generation.progress.tell("adapt", 11.0, invariances=sorted(decision.invariances))
    return decision


def fit_guard(generation: Generation) -> NormalityGuard:
    """The guard: its bank sees the images and some moved ones, its threshold is set on others.

    The images are moved as the views of VIEW_SEEDS are, each as a whole. Where views may be turned
    by half, half of what it sees is, however few of the views are: it knows both as well.
    """
    draws, progress = generation.draws, generation.progress
    num_unseen = max(NUM_UNSEEN_VIEWS, len(draws.pictures))
    plans = draws.plans(VIEW_SEEDS, generation.effort.num_views + num_unseen)
    pictures = [RealImage(draws.images[n], source=n) for n in draws.distinct]
    may_turn = "half_turn" in draws.decision.invariances
    if may_turn:
        pictures += [replace(seen, pixels=seen.pixels.flip((1, 2))) for seen in pictures]
    on_moved = progress.counter("adapt", 11.0, 12.0, len(plans))
    moved = []
    for number, plan in enumerate(plans):
        turned = may_turn and number // len(draws.distinct) % 2 == 1
        view = replace(plan.view, half_turn=turned)
        shown = draws.sources[plan.source].moved_whole(view)
        moved.append(RealImage(*shown, plan.source))
        on_moved()
    guard = NormalityGuard.fit(
        generation.models.features,
        [*pictures, *moved[num_unseen:]],
        moved[:num_unseen],
        seed=generation.request.seed,
        on_image=progress.counter("adapt", 12.0, 15.0, len(pictures) + len(moved)),
    )
    guard.remember_real(draws.pictures)
    return guard


def draw_views(generation: Generation) -> Tensor:
    """As many views I_1..I_N as the effort says, (N, 3, h, w); none if nothing learns of them."""
    is_used = generation.options.uses_sigma or generation.adaptation_steps
    count = generation.effort.num_views if is_used else 0
    on_view = generation.progress.counter("adapt", 15.0, 16.0, count)
    return generation.draws.views(VIEW_SEEDS, count, on_view)


def allowance_of(generation: Generation, views: Tensor) -> Allowance:
    """How far sigma may change an image, by what the views (N, 3, h, w) change."""
    draws = generation.draws
    sources = draws.sources_of(range(len(views)))
    return Allowance(generation.models.features, views, draws.images, sources)


def fit_generator(
    generation: Generation, seen: Tensor
) -> tuple[VarianceAwareGenerator | None, list[Tensor], dict[str, object]]:
    """The generator, with sigma learned and its decoder adapted where that is to show.

    Where every image is a view as it is there is none, and the VQ model is not even loaded.

    Args:
        generation: whose images they are.
        seen: the views, (N, 3, h, w).

    Returns:
        The generator, its decoder's state before the adaptation, and the report.
    """
    report: dict[str, object] = {"same_distance": None}
    if not generation.options.uses_generator:
        return None, [], {**report, **NOT_ADAPTED}
    generator = VarianceAwareGenerator(generation.models.vqgan)
    base_decoder = generator.decoder_state()
    views = generation.draws.at_work(seen)  # I_1..I_N
    if generation.options.uses_sigma:
        report["same_distance"] = _learn_sigma(generation, generator, views)
    return generator, base_decoder, {**report, **_adapt(generation, generator, views)}


def _learn_sigma(generation: Generation, generator: VarianceAwareGenerator, views: Tensor) -> float:
    """Learns sigma from the images; returns within which distance patches count as the same."""
    features, draws, progress = generation.models.features, generation.draws, generation.progress
    images = draws.at_work(draws.pictures)
    on_image = progress.counter("adapt", 16.0, 17.0, NUM_SEEN_AGAIN + NUM_LOOKED_IN)
    same_distance = distance_seen_again(images, views, features, on_image)
    on_step = progress.counter("adapt", 17.0, 20.0, HEAD_STEPS)
    generator.learn(images, features, same_distance, on_step, lambda: progress.tell("adapt", 17.0))
    return round(same_distance, 6)


def _adapt(
    generation: Generation, generator: VarianceAwareGenerator, views: Tensor
) -> dict[str, object]:
    """Adapts the decoder to the views (N, 3, H, W), if it is to learn; returns the report."""
    steps, progress = generation.adaptation_steps, generation.progress
    if not steps:
        return dict(NOT_ADAPTED)
    measured = views[:NUM_MEASURED_VIEWS]
    before_db = reconstruction_psnr_db(generator.model, measured)
    taken = adapt(generator.model, views, steps, seed=generation.request.seed)
    for step, _ in enumerate(taken, start=1):
        progress.tell("adapt", 20.0 + 30.0 * step / steps)
    after_db = reconstruction_psnr_db(generator.model, measured)
    return {
        "steps": steps,
        "psnr_before_db": round(before_db, 2),
        "psnr_after_db": round(after_db, 2),
    }
