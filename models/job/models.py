"""The loaded models of a process: all that a generation needs beside its request."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from models.catalog.chosen import EMBEDDED, chosen
from models.catalog.entry import Model
from models.encoder.protocol import TextImageEncoder
from models.features.patches import PatchFeatures
from models.runtime.loading import nothing_collected
from models.views.draws import WORK_MULTIPLE_PX

if TYPE_CHECKING:
    # diffusers and nltk: each takes as long to import as the rest of this to load.
    from models.generator.vqgan import VarianceAwareVQModel
    from models.prompt.choice import PromptGenerator


@dataclass(frozen=True)
class Models:
    """Loaded once, used by every generation and changed by none.

    What takes long to load and not every process needs is loaded when it is first asked for.

    Attributes:
        encoder: f and G, text and image as unit vectors of one space.
        features: what patches are compared by.
        device: where all of them lie, and the images with them.
        encoder_source: what `encoder` was loaded from, as `load_pipeline` takes it.
        vqgan_source: what `vqgan` is loaded from.
    """

    encoder: TextImageEncoder
    features: PatchFeatures
    device: torch.device
    encoder_source: str = EMBEDDED
    vqgan_source: str = EMBEDDED

    @cached_property
    def prompts(self) -> "PromptGenerator":
        """What finds and chooses prompts with the encoder.

        Raises:
            RuntimeError: there is no WordNet, or another one, or no cache folder for it.
        """
        with nothing_collected():
            from models.prompt.choice import PromptGenerator  # noqa: PLC0415, nltk
            from models.prompt.wordnet import load_wordnet  # noqa: PLC0415, nltk

            return PromptGenerator(self.encoder, load_wordnet())

    @cached_property
    def vqgan(self) -> "VarianceAwareVQModel":
        """E, q and D; each generation that varies images adapts a copy.

        Raises:
            RuntimeError: it is missing, damaged, or its cells do not fit.
        """
        source = self.vqgan_source
        with nothing_collected():
            from models.generator.vqgan import EMBEDDED_VQGAN, load_vqgan  # noqa: PLC0415, diffusers

            model = load_vqgan(EMBEDDED_VQGAN if source == EMBEDDED else source)
        if WORK_MULTIPLE_PX % model.downsampling_factor:
            raise RuntimeError(
                f"the VQ model {source} has cells of {model.downsampling_factor} px; it needs "
                f"cells of which {WORK_MULTIPLE_PX} px are a multiple"
            )
        return model.to(self.device)

    @cached_property
    def catalog(self) -> tuple[Model, ...]:
        """Which models these are."""
        return tuple(chosen(self.encoder_source, self.vqgan_source))

    def load_what_jobs_begin_with(self) -> None:
        """Loads what the first stage of every job asks for: the words, and what reads texts.

        Raises:
            RuntimeError: it cannot be loaded; the message says why.
        """
        self.encoder.embed_text([self.prompts.words("part").object_name])
