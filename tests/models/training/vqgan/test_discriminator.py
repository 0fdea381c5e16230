import torch

from models.training.vqgan.discriminator import (
    PatchDiscriminator,
    adaptive_weight,
    discriminator_loss,
    generator_loss,
)


def test_the_hinge_is_content_with_a_margin_of_one():
    sure, unsure = torch.full((2, 1, 3, 3), 1.5), torch.zeros(2, 1, 3, 3)
    assert float(discriminator_loss(sure, -sure)) == 0.0
    assert float(discriminator_loss(unsure, unsure)) == 1.0
    assert float(discriminator_loss(-sure, sure)) == 2.5


def test_the_decoder_wants_high_logits():
    assert float(generator_loss(torch.ones(1, 1, 2, 2))) < float(
        generator_loss(torch.zeros(1, 1, 2, 2))
    )


def test_a_logit_sees_a_patch_and_not_the_whole():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(channels=4).eval()
    image = torch.zeros(1, 3, 128, 128, requires_grad=True)
    logits = discriminator(image)
    assert logits.shape == (1, 1, 14, 14)
    logits[0, 0, 7, 7].backward()
    assert image.grad is not None
    rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70  # Isola et al.'s 70 x 70 patches


def test_balanced_gradients_are_of_one_length():
    last = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    reconstruction, adversarial = (last**2).sum(), 0.01 * last.sum()
    factor = adaptive_weight(reconstruction, adversarial, last)
    assert not factor.requires_grad
    (wanted,) = torch.autograd.grad(reconstruction, last)
    (found,) = torch.autograd.grad(factor * adversarial, last)
    torch.testing.assert_close(found.norm(), wanted.norm(), rtol=0.02, atol=0.0)
