import torch

from models.training.vqgan.codebook import CodebookAverage


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_codebook_moves_to_its_codes_and_dead_entries_restart():
    weight = torch.tensor([[0.0, 0.0], [50.0, 50.0]])
    average = CodebookAverage(weight, decay=0.5)
    z = torch.tensor([[1.0, 1.0]]).repeat(100, 1)
    for _ in range(20):
        average.update(z, torch.zeros(100, dtype=torch.long), generator())
    torch.testing.assert_close(weight[0], torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(weight[1], torch.tensor([1.0, 1.0]))  # 50, 50 won nothing


def test_an_entry_is_the_average_of_what_it_won():
    weight = torch.zeros(3, 1)
    average = CodebookAverage(weight, decay=0.0)
    z = torch.tensor([[1.0], [3.0], [-5.0], [7.0]])
    average.update(z, torch.tensor([0, 0, 1, 2]), generator())
    torch.testing.assert_close(weight, torch.tensor([[2.0], [-5.0], [7.0]]))


def test_the_codebook_starts_from_the_latents():
    weight = torch.zeros(8, 2)
    average = CodebookAverage(weight)
    z = torch.arange(20.0).reshape(10, 2)
    average.start_from(z, generator())
    assert all(any(torch.equal(row, each) for each in z) for row in weight)
    assert len(weight.unique(dim=0)) > 1


def test_it_goes_on_from_its_state():
    z, codes = torch.randn(50, 2, generator=generator()), torch.arange(50) % 3
    one, other = torch.eye(4, 2), torch.eye(4, 2)
    first, second = CodebookAverage(one), CodebookAverage(other)
    first.update(z, codes, generator())
    other.copy_(one)
    second.load_state(first.state())
    for average in (first, second):
        average.update(z.flip(0), codes, generator())
    assert torch.equal(one, other)
