import torch
from torch import nn

from models.training.vqgan.average import WeightAverage


def test_the_first_step_is_its_own_average():
    model = nn.Linear(2, 2)
    average = WeightAverage(model)
    nn.init.constant_(model.weight, 5.0)
    average.update(model, 1)
    assert torch.equal(average.model.weight, model.weight)


def test_the_average_lags_by_a_share_of_the_run():
    # Of weights that grow evenly to t it is t * (gamma + 1) / (gamma + 2): the mean of the density
    # proportional to tau^gamma on [0, t].
    model = nn.Linear(1, 1)
    average = WeightAverage(model)
    for step in range(1, 1001):
        nn.init.constant_(model.weight, float(step))
        average.update(model, step)
    assert abs(float(average.model.weight) / 1000 - 7.94 / 8.94) < 0.002


def test_the_average_does_not_train():
    average = WeightAverage(nn.Linear(2, 2))
    assert not any(p.requires_grad for p in average.model.parameters())
