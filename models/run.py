"""One generation from request to result: the method's stages in the paper's order."""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.generation import (
    GeneratedImage,
    GenerationRequest,
    GenerationResult,
    ProgressCallback,
    StrictError,
)
from models.generator import HEAD_STEPS, VarianceAwareGenerator
from models.guard import NormalityGuard, Verdict
from models.integrator import Integration, integrate
from models.invariances import InvarianceDecision, decide_invariances, lone_part_mask
from models.options import EFFORTS, PipelineOptions
from models.selection import Candidate, select
from models.views import (
    INVARIANCES,
    View,
    apply_view,
    covering,
    draw_view,
    output_size,
    to_tensor,
)

if TYPE_CHECKING:
    from models.pipeline import Pipeline

# A source larger than the output is worked on at up to this multiple, so that turning blurs
# nothing.
WORKING_FACTOR = 2
NUM_UNSEEN_VIEWS = 16
# Candidates looked at for each image wanted before a job ends with fewer.
CANDIDATE_BUDGET = 4
# An image that the guard finds anomalous is made again with its sigma times the next of these.
SIGMA_STEPS = (1.0, 0.5, 0.25)
# Draws of one kind have a seed range of their own, apart from the request's seed.
VIEW_SEEDS, ROUND_SEEDS, FILL_SEEDS = 1, 2, 3
# Steps of the golden ratio spread any number of angles evenly, so that no two are alike by chance.
GOLDEN_RATIO = (5**0.5 - 1) / 2
TURN_SEED = 2**31


class Draw(NamedTuple):
    """One view: its pixels (3, H, W) in [0, 1], how it was made, and the seed for its eps."""

    pixels: Tensor
    view: View
    source: int
    seed: int


class GenerationRun:
    """The inputs, the random draws and the progress of one call of `Pipeline.generate`."""

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
        self.size = output_size(request.images[0], request.image_size)
        width, height = self.size
        smallest = min(min(image.size) for image in request.images)
        self.factor = min(WORKING_FACTOR, max(1, smallest // min(self.size)))
        working = (width * self.factor, height * self.factor)
        self.sources = [to_tensor(i, working).to(pipeline.device) for i in request.images]
        self.images = torch.stack([to_tensor(i, self.size) for i in request.images])
        self.images = self.images.to(pipeline.device)
        lone = [lone_part_mask(image) is not None for image in self.images.cpu()]
        self.fills = ["ground" if alone else "mirror" for alone in lone]
        self.invariances: frozenset[str] = frozenset()
        self.timings_s: dict[str, float] = {}
        self.rejections = {"anomalous": 0, "near_copy": 0}

    def result(self) -> GenerationResult:
        """Runs the stages in order."""
        with self._stage("prompt"):
            prompt = self._choose_prompt()
            text_embedding = self.pipeline.encoder.embed_text([str(prompt["text"])])[0]
        with self._stage("adapt"):
            decision = self._decide_invariances()
            guard = self._fit_guard()
            generator, adaptation = self._adapt_generator(guard)
        with self._stage("rounds"):
            integration = self._integrate(generator, text_embedding)
        with self._stage("fill"):
            candidates = self._fill(generator, guard, text_embedding)
            chosen = select(candidates, self.request.num_images)
        if self.request.strict and len(chosen) < self.request.num_images:
            raise StrictError(
                f"{len(chosen)} of {self.request.num_images} images passed the normality guard; "
                f"rejected: {self.rejections}"
            )
        sigma = generator.sigma_map(self.images).cpu().numpy()
        report: dict[str, object] = {
            "prompt": prompt,
            "invariances": decision.as_dict(),
            "adaptation": adaptation,
            "integration": integration.as_dict(),
            "guard": {"threshold": round(guard.threshold, 6), "bank_size": len(guard.bank)},
            "rejections": self.rejections,
            "num_accepted": len(candidates),
            "models": self.pipeline.models,
            "timings_s": self.timings_s,
        }
        return GenerationResult(
            images=[c.image for c in chosen],
            prompt=str(prompt["text"]),
            report=report,
            variance=(sigma / max(float(sigma.max()), 1e-9)).astype(np.float32),
            size=self.size,
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

    def _rng(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.request.seed, kind, number])

    def _draw(self, kind: int, number: int) -> Draw:
        """View `number` of its kind, the same at every call."""
        rng = self._rng(kind, number)
        source = number % len(self.sources)
        turn = (float(self._rng(kind, TURN_SEED).random()) + number * GOLDEN_RATIO) % 1.0
        view = draw_view(self.invariances, rng, fill=self.fills[source], turn=turn)
        view = covering(view, self.size)
        return Draw(self._show(source, view), view, source, int(rng.integers(2**31)))

    def _show(self, source: int, view: View) -> Tensor:
        """Real image number `source` as the view shows it, (3, H, W), at the output's size."""
        width, height = self.size
        shown = apply_view(self.sources[source], view, (width * self.factor, height * self.factor))
        return F.avg_pool2d(shown, self.factor) if self.factor > 1 else shown

    def _views(self, kind: int, count: int) -> Tensor:
        return torch.stack([self._draw(kind, number).pixels for number in range(count)])

    def _choose_prompt(self) -> dict[str, object]:
        self._tell("prompt", 1.0)
        choice = self.pipeline.prompts.choose(
            self.request.object_name,
            self.images,
            outlier_rule=self.options.outlier_rule,
            prompt=self.request.prompt or None,
        )
        decided_by = "request" if self.request.prompt else "images"
        chosen = {**choice.as_dict(), "decided_by": decided_by}
        self._tell("prompt", 8.0, prompt=chosen["text"])
        return chosen

    def _decide_invariances(self) -> InvarianceDecision:
        if self.request.invariances is None:
            decision = decide_invariances(self.images, self.pipeline.features)
        else:
            decision = InvarianceDecision(self.request.invariances, {}, decided_by="request")
        self.invariances = decision.invariances
        self._tell("adapt", 11.0, invariances=sorted(self.invariances))
        return decision

    def _fit_guard(self) -> NormalityGuard:
        """The memory bank sees one half of the views, the threshold is set on the other."""
        unseen = max(NUM_UNSEEN_VIEWS, len(self.sources))
        views = self._views(VIEW_SEEDS, self.effort.num_views + unseen)
        guard = NormalityGuard.fit(
            self.pipeline.features,
            torch.cat([self.images, views[unseen:]]),
            views[:unseen],
            seed=self.request.seed,
            on_image=self._counter("adapt", 11.0, 16.0, len(self.images) + len(views)),
        )
        for image in self.images:
            guard.remember(image)
        return guard

    def _adapt_generator(
        self, guard: NormalityGuard
    ) -> tuple[VarianceAwareGenerator, dict[str, object]]:
        """Learns sigma from the images, then fits the decoder to the views."""
        generator = VarianceAwareGenerator(self.pipeline.vqgan, self.pipeline.features)
        views = self._views(VIEW_SEEDS, self.effort.num_views)
        # A patch seen again through a small view: the distance within which patches count as equal.
        same_distance = float(guard.distance_map(views[:8]).median())
        on_step = self._counter("adapt", 16.0, 20.0, HEAD_STEPS)
        generator.learn_variance(self.images, max(same_distance, 1e-6), on_step)
        before_db = generator.reconstruction_psnr_db(views[:4])
        steps = self.effort.adaptation_steps if self.options.adaptation else 0
        for step, _ in enumerate(generator.adapt(views, steps, seed=self.request.seed), start=1):
            self._tell("adapt", 20.0 + 30.0 * step / steps)
        after_db = generator.reconstruction_psnr_db(views[:4])
        return generator, {
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
            draws = [self._draw(ROUND_SEEDS, first + j) for j in range(self.effort.round_size)]
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
        for step in SIGMA_STEPS:
            scale = self.options.sampling.scale * step
            with torch.no_grad():
                image = generator.sample(
                    draw.pixels[None], [draw.seed], replace(self.options.sampling, scale=scale)
                )[0]
            # What is judged is what is delivered: 8 bits a channel.
            image = (image * 255).round() / 255
            verdict = guard.judge(image)
            if verdict.reason != "anomalous" or not self.options.guard:
                break
        return image, scale, verdict

    def _fill(
        self, generator: VarianceAwareGenerator, guard: NormalityGuard, text_embedding: Tensor
    ) -> list[Candidate]:
        """Accepted candidates, until there are enough to choose from or the budget is spent."""
        wanted = self.request.num_images
        enough = math.ceil(wanted * (self.effort.surplus if self.options.text_guidance else 1.0))
        candidates: list[Candidate] = []
        for number in range(enough * CANDIDATE_BUDGET):
            if len(candidates) == enough:
                break
            draw = self._draw(FILL_SEEDS, number)
            image, scale, verdict = self._sample_and_judge(generator, guard, draw)
            percent = 70.0 + 29.0 * max(
                len(candidates) / enough, number / enough / CANDIDATE_BUDGET
            )
            self._tell("fill", percent, num_images=min(len(candidates), wanted))
            if verdict.reason is not None and self.options.guard:
                self.rejections[verdict.reason] += 1
                continue
            guard.remember(image)
            cosine = float(
                (self.pipeline.encoder.embed_image(image[None])[0] @ text_embedding).cpu()
            )
            generated = _generated(image, draw, sigma_scale=scale, cosine=cosine, verdict=verdict)
            candidates.append(Candidate(generated, _thumbnail(image)))
        self._tell("fill", 99.0, num_images=min(len(candidates), wanted))
        return candidates


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


def _thumbnail(image: Tensor) -> Tensor:
    """A flat 16 x 16 copy of the image, (768,)."""
    return F.adaptive_avg_pool2d(image, 16).flatten().cpu()


def _check(request: GenerationRequest) -> None:
    if not request.images:
        raise ValueError("at least one good image is needed, got 0")
    if request.effort not in EFFORTS:
        raise ValueError(f"effort is one of {', '.join(EFFORTS)}, got {request.effort!r}")
    unknown = (request.invariances or frozenset()) - set(INVARIANCES)
    if unknown:
        raise ValueError(f"unknown invariances {sorted(unknown)}, known are {list(INVARIANCES)}")
