"""The main job, end to end: good images and a name in, new good images out.

`load_pipeline` is the one place where the method's parts are wired together.
"""

import torch

from models.catalog import embedded
from models.catalog.chosen import EMBEDDED, chosen
from models.encoder.protocol import load_encoder
from models.features.patches import load_patch_features
from models.generator.vqgan import EMBEDDED_VQGAN, load_vqgan
from models.job.generation import Generation
from models.job.models import Models
from models.job.options import PipelineOptions
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from models.job.run import run
from models.prompt.choice import PromptGenerator
from models.prompt.wordnet import load_wordnet
from models.runtime.device import AUTO, chosen_device, make_repeatable
from models.runtime.errors import DeviceMemoryError
from models.views.draws import WORK_MULTIPLE_PX

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
    """Loads every model, once.

    Args:
        encoder: "embedded", a folder, or a model hub's id of a CLIP model.
        vqgan: "embedded", a folder, or a model hub's `owner/name[:subfolder]` of a VQ model.
        device: "auto" (CUDA when there is one), "cpu", "cuda", "cuda:1", ...

    Raises:
        RuntimeError: a model is missing or damaged, or the machine has no such device; the message
            names it.
    """
    lies_on = chosen_device(device)
    make_repeatable(lies_on)
    text_image = load_encoder(encoder).to(lies_on)
    if vqgan == EMBEDDED:
        embedded.vqgan().check()
    vq_model = load_vqgan(EMBEDDED_VQGAN if vqgan == EMBEDDED else vqgan)
    if WORK_MULTIPLE_PX % vq_model.downsampling_factor:
        raise RuntimeError(
            f"the VQ model {vqgan} has cells of {vq_model.downsampling_factor} px; it needs cells "
            f"of which {WORK_MULTIPLE_PX} px are a multiple"
        )
    return Pipeline(
        Models(
            encoder=text_image,
            prompts=PromptGenerator(text_image, load_wordnet()),
            vqgan=vq_model.to(lies_on),
            features=load_patch_features().to(lies_on),
            device=lies_on,
            catalog=tuple(chosen(encoder, vqgan)),
        )
    )
