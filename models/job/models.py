"""The loaded models of a process: all that a generation needs beside its request."""

from dataclasses import dataclass

import torch

from models.catalog.entry import Model
from models.encoder.protocol import TextImageEncoder
from models.features.patches import PatchFeatures
from models.generator.vqgan import VarianceAwareVQModel
from models.prompt.choice import PromptGenerator


@dataclass(frozen=True)
class Models:
    """Loaded once, used by every generation and changed by none.

    Attributes:
        encoder: f and G, text and image as unit vectors of one space.
        prompts: finds and chooses prompts with it.
        vqgan: E, q and D; each generation adapts a copy.
        features: what patches are compared by.
        device: where all of them lie, and the images with them.
        catalog: which models these are.
    """

    encoder: TextImageEncoder
    prompts: PromptGenerator
    vqgan: VarianceAwareVQModel
    features: PatchFeatures
    device: torch.device
    catalog: tuple[Model, ...]
