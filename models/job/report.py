"""The result of a generation: the chosen images, and how they came about."""

import numpy as np

from models.integrator.rounds import Integration
from models.job.fill import Accepted
from models.job.generation import Generation
from models.job.prepare import Prepared
from models.job.request import GeneratedImage, GenerationResult


def result_of(
    generation: Generation,
    prepared: Prepared,
    integration: Integration,
    accepted: Accepted,
    chosen: list[GeneratedImage],
) -> GenerationResult:
    """The result, after all stages."""
    draws, guard = generation.draws, prepared.guard
    report: dict[str, object] = {
        "prompt": prepared.prompt.report,
        "invariances": draws.decision.as_dict(),
        "adaptation": prepared.adaptation,
        "integration": integration.as_dict(),
        "guard": {"threshold": round(guard.threshold, 6), "bank_size": len(guard.bank)},
        "rejections": accepted.rejections,
        "num_accepted": len(accepted.images),
        "models": {
            model.role: {"name": model.name, "revision": model.revision}
            for model in generation.models.catalog
        },
        "timings_s": generation.progress.timings_s,
    }
    return GenerationResult(
        images=chosen,
        prompt=prepared.prompt.text,
        report=report,
        variance=_variance(generation, prepared),
        size=draws.size,
        rejected=accepted.rejected,
    )


def _variance(generation: Generation, prepared: Prepared) -> np.ndarray | None:
    """The relative sigma of each real image, (k, h, w) in [0, 1]; None if it varies no image."""
    if not generation.options.uses_sigma:
        return None
    draws = generation.draws
    assert prepared.generator is not None
    sigma = prepared.generator.sigma_map(draws.at_work(draws.images)).cpu().numpy()
    return (sigma / max(float(sigma.max()), 1e-9)).astype(np.float32)
