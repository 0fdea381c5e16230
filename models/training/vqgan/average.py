"""The average of the weights on their way, which is better than where they stand.

Its window grows with the run, so that it may end at any step: no learning rate has to fall towards
an end that must be known before.

Source: Karras et al., "Analyzing and Improving the Training Dynamics of Diffusion Models", CVPR
2024 (arXiv 2312.02696), section 3.1, equation 2: theta_avg(t) = beta theta_avg(t - 1) + (1 - beta)
theta(t), beta = (1 - 1 / t)^(gamma + 1).
"""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)
# A window as wide as a tenth of the run (sigma_rel = 0.1).
GAMMA = 6.94


class WeightAverage(Generic[Model]):
    """Average of a model's parameters over the steps of its training.

    Attributes:
        model: a copy of the model with the averaged parameters.
    """

    def __init__(self, model: Model):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Takes the parameters after step number `step`, 1 for the first."""
        beta = (1 - 1 / step) ** (GAMMA + 1)
        averaged: list[Tensor] = list(self.model.parameters())
        current: list[Tensor] = list(model.parameters())
        torch._foreach_lerp_(averaged, current, 1 - beta)
