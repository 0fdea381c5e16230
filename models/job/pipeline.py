"""The main job, end to end: good images and a name in, new good images out.

`load_pipeline` is the one place where the method's parts are wired together.
"""

import torch

from models.catalog import embedded
from models.catalog.chosen import EMBEDDED
from models.encoder.protocol import load_encoder
from models.features.patches import load_patch_features
from models.job.generation import Generation
from models.job.models import Models
from models.job.options import PipelineOptions
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from models.job.run import run
from models.runtime.device import AUTO, chosen_device, use_native_kernels
from models.runtime.errors import DeviceMemoryError

# What torch says on a CPU, where it has no exception of its own for it.
CPU_MEMORY = "DefaultCPUAllocator: can't allocate memory"


class Pipeline:
    """The loaded models; `generate` may be called any number of times, one call at a time."""

    def __init__(self, models: Models):
        self.models = models

    def generate(
        self,
        request: GenerationRequest,
        on_progress: ProgressCallback | None = None,
        options: PipelineOptions | None = None,
    ) -> GenerationResult:
        """Makes up to `request.num_images` new good images, by its preset if no options are given.

        Raises:
            ValueError: no image, or an unknown effort, preset or invariance.
            DeviceMemoryError: the device's memory does not suffice, even with the smallest batch.
            StrictError: no image passed the guard within the budget, or fewer than `num_images` and
                `request.strict`.
        """
        try:
            return run(Generation.of(self.models, request, options, on_progress))
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or CPU_MEMORY in str(error):
                raise DeviceMemoryError(str(error)) from error
            raise
        finally:
            # The next job may be of another size, and other processes may want the memory.
            torch.cuda.empty_cache()


def load_pipeline(
    *, encoder: str = EMBEDDED, vqgan: str = EMBEDDED, device: str = AUTO
) -> Pipeline:
    """The models, once for all jobs.

    What the caller has chosen is loaded at once, since much may be wrong with it. What comes with
    goodmany and its packages is checked, and loaded when it is first needed, but for the network
    that sees. WordNet is neither checked nor loaded here.

    Args:
        encoder: "embedded", a folder, or a model hub's id of a CLIP model.
        vqgan: "embedded", a folder, or a model hub's `owner/name[:subfolder]` of a VQ model.
        device: "auto" (CUDA when there is one), "cpu", "cuda", "cuda:1", ...

    Raises:
        RuntimeError: a model is missing or damaged, or the machine has no such device; the message
            names it.
    """
    lies_on = chosen_device(device)
    use_native_kernels(lies_on)
    features = load_patch_features()
    models = Models(
        encoder=load_encoder(encoder, features).to(lies_on),
        features=features.to(lies_on),
        device=lies_on,
        encoder_source=encoder,
        vqgan_source=vqgan,
    )
    if vqgan == EMBEDDED:
        embedded.vqgan().check()
    else:
        _ = models.vqgan
    return Pipeline(models)
