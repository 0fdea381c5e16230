"""What every stage of one generation knows."""

from dataclasses import dataclass

from models.job.models import Models
from models.job.options import EFFORTS, PRESETS, Effort, PipelineOptions
from models.job.progress import Progress
from models.job.request import GenerationRequest, ProgressCallback
from models.views.draws import Draws
from models.views.view import INVARIANCES


@dataclass(frozen=True)
class Generation:
    """One call of `Pipeline.generate`.

    Attributes:
        models: the loaded models.
        request: what is asked for.
        options: which parts of the method take part.
        draws: the good images and the views drawn of them.
        progress: whom to tell.
    """

    models: Models
    request: GenerationRequest
    options: PipelineOptions
    draws: Draws
    progress: Progress

    @classmethod
    def of(
        cls,
        models: Models,
        request: GenerationRequest,
        options: PipelineOptions | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> "Generation":
        """The generation that answers the request, with other options than its preset's if given.

        Raises:
            ValueError: no image, or an unknown effort, preset or invariance.
        """
        _check(request)
        draws = Draws(request.images, request.image_size, request.seed, models.device)
        options = options or PRESETS[request.preset]
        return cls(models, request, options, draws, Progress(on_progress))

    @property
    def effort(self) -> Effort:
        """How much work it may be."""
        return EFFORTS[self.request.effort]

    @property
    def adaptation_steps(self) -> int:
        """Gradient steps on the views."""
        return self.effort.adaptation_steps if self.options.adaptation and self._learns else 0

    @property
    def num_rounds(self) -> int:
        """Rounds under the prompt."""
        return self.effort.num_rounds if self.options.text_guidance and self._learns else 0

    @property
    def round_size(self) -> int:
        """Images in a round's set, J."""
        if self.options.delivers_round:
            return self.request.num_images
        return self.effort.round_size

    @property
    def fill_percent(self) -> float:
        """How far the job is when the rounds are over."""
        return 70.0 if self.num_rounds else 50.0 if self.adaptation_steps else 20.0

    @property
    def _learns(self) -> bool:
        """Whether it is worth the time that the decoder learns."""
        delivered = self.options.sampling.output == "decode"
        return delivered or (self.options.varied_share > 0 and self.effort.is_thorough)


def _check(request: GenerationRequest) -> None:
    if not request.images:
        raise ValueError("at least one good image is needed, got 0")
    if request.effort not in EFFORTS:
        raise ValueError(f"effort is one of {', '.join(EFFORTS)}, got {request.effort!r}")
    if request.preset not in PRESETS:
        raise ValueError(f"preset is one of {', '.join(PRESETS)}, got {request.preset!r}")
    unknown = (request.invariances or frozenset()) - set(INVARIANCES)
    if unknown:
        raise ValueError(f"unknown invariances {sorted(unknown)}, known are {list(INVARIANCES)}")
