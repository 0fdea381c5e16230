"""One generation from request to result: the method's stages in the paper's order."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from models.generator.sampling import HEAD_STEPS, VarianceAwareGenerator
from models.generator.variance import NUM_LOOKED_IN, NUM_SEEN_AGAIN, distance_seen_again
from models.guard.normality import NormalityGuard, Verdict
from models.integrator.rounds import Integration, integrate
from models.integrator.selection import SCORE_WEIGHT, Candidate, looked_at, select
from models.job.options import EFFORTS, PipelineOptions
from models.job.request import GeneratedImage, GenerationRequest, GenerationResult, ProgressCallback
from models.runtime.errors import StrictError
from models.views.draws import FILL_SEEDS, MAX_SEED, ROUND_SEEDS, VIEW_SEEDS, Draw, Draws
from models.views.invariances import decide_invariances, requested_invariances
from models.views.view import INVARIANCES

if TYPE_CHECKING:
    from models.job.pipeline import Pipeline

NUM_UNSEEN_VIEWS = 16
# Candidates looked at for each image wanted before a job ends with fewer to choose from, or fewer.
CANDIDATE_BUDGET = 5
# An image that the guard finds anomalous is made again with its sigma times the next of these.
SIGMA_STEPS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Prepared:
    """What the stages before the rounds leave behind; several sets may be made of it.

    Attributes:
        prompt: the choice, for the report.
        text_embedding: z^t = G(P), (D,).
        guard: knows the real images.
        generator: adapted to them.
        base_decoder: the decoder's state before the adaptation, adapted_decoder: after it.
        adaptation: for the report.
    """

    prompt: dict[str, object]
    text_embedding: Tensor
    guard: NormalityGuard
    generator: VarianceAwareGenerator
    base_decoder: list[Tensor]
    adapted_decoder: list[Tensor]
    adaptation: dict[str, object]


class GenerationRun:
    """The inputs and the progress of one call of `Pipeline.generate`."""

    def __init__(
        self,
        pipeline: "Pipeline",
        request: GenerationRequest,
        on_progress: ProgressCallback | None,
        options: PipelineOptions,
    ):
        _check(request)
        self.pipeline, self.request, self.options = pipeline, request, options
        self.effort = EFFORTS[request.effort]
        self.on_progress = on_progress
        self.draws = Draws(request.images, request.image_size, request.seed, pipeline.device)
        self.timings_s: dict[str, float] = {}
        self.rejections = {"anomalous": 0, "near_copy": 0}

    def result(self) -> GenerationResult:
        """Runs the stages in order."""
        return self.complete(self.prepare())

    def prepare(self) -> Prepared:
        """Chooses the prompt, learns from the images, adapts the generator to them."""
        with self._stage("prompt"):
            prompt, text_embedding = self.choose_prompt()
        with self._stage("adapt"):
            self.decide_invariances()
            guard = self._fit_guard()
            generator = VarianceAwareGenerator(self.pipeline.vqgan, self.pipeline.features)
            base_decoder = generator.decoder_state()
            adaptation = self._adapt(generator)
        return Prepared(
            prompt,
            text_embedding,
            guard,
            generator,
            base_decoder,
            generator.decoder_state(),
            adaptation,
        )

    def complete(self, prepared: Prepared) -> GenerationResult:
        """Runs the rounds and fills the set.

        Raises:
            StrictError: the request is strict, and fewer images passed than it wants.
        """
        generator, guard = prepared.generator, prepared.guard
        with self._stage("rounds"):
            integration = self._integrate(generator, prepared.text_embedding)
        with self._stage("fill"):
            candidates = self._fill(generator, guard, prepared.text_embedding)
            chosen = self._choose(candidates)
        if self.request.strict and len(chosen) < self.request.num_images:
            raise StrictError(
                f"{len(chosen)} of {self.request.num_images} images passed the normality guard; "
                f"rejected: {self.rejections}"
            )
        sigma = generator.sigma_map(self.draws.images).cpu().numpy()
        report: dict[str, object] = {
            "prompt": prepared.prompt,
            "invariances": self.draws.decision.as_dict(),
            "adaptation": prepared.adaptation,
            "integration": integration.as_dict(),
            "guard": {"threshold": round(guard.threshold, 6), "bank_size": len(guard.bank)},
            "rejections": self.rejections,
            "num_accepted": len(candidates),
            "models": self.pipeline.models,
            "timings_s": self.timings_s,
        }
        return GenerationResult(
            images=[c.image for c in chosen],
            prompt=str(prepared.prompt["text"]),
            report=report,
            variance=(sigma / max(float(sigma.max()), 1e-9)).astype(np.float32),
            size=self.draws.size,
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.timings_s[name] = round(time.monotonic() - start, 3)

    def _tell(self, stage: str, percent: float, **facts: object) -> None:
        if self.on_progress is not None:
            self.on_progress(stage, percent, facts)

    def _counter(self, stage: str, start: float, end: float, count: int) -> Callable[[], None]:
        """What to call `count` times while `stage` goes from `start` to `end` percent."""
        done = itertools.count(1)
        return lambda: self._tell(stage, start + (end - start) * next(done) / count)

    def choose_prompt(self) -> tuple[dict[str, object], Tensor]:
        """The choice for the report, and z^t = G(P), (D,)."""
        self._tell("prompt", 1.0)
        choice = self.pipeline.prompts.choose(
            self.request.object_name,
            self.draws.images,
            outlier_rule=self.options.outlier_rule,
            prompt=self.request.prompt or None,
        )
        decided_by = "request" if self.request.prompt else "images"
        chosen = {**choice.as_dict(), "decided_by": decided_by}
        self._tell("prompt", 8.0, prompt=chosen["text"])
        return chosen, self.pipeline.encoder.embed_text([choice.text])[0]

    def decide_invariances(self) -> None:
        """Decides which views are good; all draws follow it."""
        images, features = self.draws.images, self.pipeline.features
        requested = self.request.invariances
        self.draws.decision = (
            decide_invariances(images, features)
            if requested is None
            else requested_invariances(requested, images, features)
        )
        self._tell("adapt", 11.0, invariances=sorted(self.draws.decision.invariances))

    def _fit_guard(self) -> NormalityGuard:
        """The memory bank sees one half of the views, the threshold is set on the other."""
        images = self.draws.images
        unseen = max(NUM_UNSEEN_VIEWS, len(images))
        views = self.draws.views(VIEW_SEEDS, self.effort.num_views + unseen)
        guard = NormalityGuard.fit(
            self.pipeline.features,
            torch.cat([images, views[unseen:]]),
            views[:unseen],
            sources=[*range(len(images)), *self.draws.sources_of(range(unseen, len(views)))],
            unseen_sources=self.draws.sources_of(range(unseen)),
            seed=self.request.seed,
            on_image=self._counter("adapt", 11.0, 16.0, len(images) + len(views)),
        )
        for image in images:
            guard.remember(image)
        return guard

    def _adapt(self, generator: VarianceAwareGenerator) -> dict[str, object]:
        """Learns sigma from the images, then fits the decoder to the views; reports."""
        views = self.draws.views(VIEW_SEEDS, self.effort.num_views)
        on_image = self._counter("adapt", 16.0, 17.0, NUM_SEEN_AGAIN + NUM_LOOKED_IN)
        same_distance = distance_seen_again(
            self.draws.images, views, self.pipeline.features, on_image
        )
        on_step = self._counter("adapt", 17.0, 20.0, HEAD_STEPS)
        generator.learn_variance(self.draws.images, same_distance, on_step)
        before_db = generator.reconstruction_psnr_db(views[:4])
        steps = self.effort.adaptation_steps if self.options.adaptation else 0
        for step, _ in enumerate(generator.adapt(views, steps, seed=self.request.seed), start=1):
            self._tell("adapt", 20.0 + 30.0 * step / steps)
        after_db = generator.reconstruction_psnr_db(views[:4])
        return {
            "steps": steps,
            "psnr_before_db": round(before_db, 2),
            "psnr_after_db": round(after_db, 2),
            "same_distance": round(same_distance, 6),
        }

    def _integrate(self, generator: VarianceAwareGenerator, text_embedding: Tensor) -> Integration:
        guided = self.options.text_guidance
        num_rounds = self.effort.num_rounds if guided else 1

        def draw_set(number: int) -> tuple[Tensor, list[int]]:
            first = number * self.effort.round_size
            draws = [self.draws.draw(ROUND_SEEDS, first + j) for j in range(self.effort.round_size)]
            return torch.stack([d.pixels for d in draws]), [d.seed for d in draws]

        num_updates = self.effort.num_updates if guided else 0
        num_steps = num_rounds * self.effort.round_size + (num_rounds - 1) * num_updates

        return integrate(
            generator,
            self.pipeline.encoder,
            text_embedding,
            draw_set,
            num_rounds=num_rounds,
            num_updates=num_updates,
            settings=self.options.sampling,
            on_step=self._counter("rounds", 50.0, 70.0, num_steps),
        )

    def _sample_and_judge(
        self, generator: VarianceAwareGenerator, guard: NormalityGuard, draw: Draw
    ) -> tuple[Tensor, float, Verdict]:
        """The image (3, H, W) with as much of its sigma as the guard lets pass, and the verdict."""
        varied = draw.seed < self.options.varied_share * MAX_SEED
        with torch.no_grad():
            encoded = generator.encode(draw.pixels[None])
        for step in SIGMA_STEPS:
            scale = self.options.sampling.scale * step if varied else 0.0
            settings = replace(self.options.sampling, scale=scale)
            with torch.no_grad():
                image = generator.vary(encoded, [draw.seed], settings)[0]
            # What is judged is what is delivered: 8 bits a channel.
            image = (image * 255).round() / 255
            verdict = guard.judge(image)
            if verdict.reason != "anomalous" or not scale or not self.options.guard:
                break
        return image, scale, verdict

    def _fill(
        self, generator: VarianceAwareGenerator, guard: NormalityGuard, text_embedding: Tensor
    ) -> list[Candidate]:
        """Accepted candidates, until there are enough to choose from or the budget is spent."""
        wanted = self.request.num_images
        enough = self.effort.num_candidates(wanted) if self.options.selection else wanted
        budget = wanted * CANDIDATE_BUDGET
        candidates: list[Candidate] = []
        for number in range(budget):
            if len(candidates) == enough:
                break
            draw = self.draws.draw(FILL_SEEDS, number)
            image, scale, verdict = self._sample_and_judge(generator, guard, draw)
            percent = 70.0 + 27.0 * max(len(candidates) / enough, number / budget)
            self._tell("fill", percent, num_images=min(len(candidates), wanted))
            if verdict.reason is not None and self.options.guard:
                self.rejections[verdict.reason] += 1
                continue
            guard.remember(image)
            cosine = float(
                (self.pipeline.encoder.embed_image(image[None])[0] @ text_embedding).cpu()
            )
            generated = _generated(image, draw, sigma_scale=scale, cosine=cosine, verdict=verdict)
            candidates.append(Candidate.of(generated, image, self.pipeline.features))
        self._tell("fill", 97.0, num_images=min(len(candidates), wanted))
        return candidates

    def _choose(self, candidates: list[Candidate]) -> list[Candidate]:
        """The set, of the candidates."""
        wanted = self.request.num_images
        return select(
            candidates,
            wanted,
            torch.cat([looked_at(image, self.pipeline.features) for image in self.draws.images]),
            score_weight=SCORE_WEIGHT if self.options.text_guidance else 0.0,
            on_step=self._counter("fill", 97.0, 99.0, len(candidates) + wanted),
        )


def _generated(
    image: Tensor, draw: Draw, *, sigma_scale: float, cosine: float, verdict: Verdict
) -> GeneratedImage:
    return GeneratedImage(
        pixels=(image * 255).round().byte().permute(1, 2, 0).cpu().numpy(),
        seed=draw.seed,
        source=draw.source,
        transform={**draw.view.as_dict(), "sigma_scale": sigma_scale},
        scores={
            "prompt_cosine": round(cosine, 6),
            "guard_distance": round(verdict.guard_distance, 6),
            "nearest_distance": round(verdict.nearest_distance, 6),
        },
    )


def _check(request: GenerationRequest) -> None:
    if not request.images:
        raise ValueError("at least one good image is needed, got 0")
    if request.effort not in EFFORTS:
        raise ValueError(f"effort is one of {', '.join(EFFORTS)}, got {request.effort!r}")
    unknown = (request.invariances or frozenset()) - set(INVARIANCES)
    if unknown:
        raise ValueError(f"unknown invariances {sorted(unknown)}, known are {list(INVARIANCES)}")
