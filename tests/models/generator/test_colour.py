import torch

from models.generator.colour import colour_filter

GREY = torch.ones(3) / 3**0.5


def grain(colour: torch.Tensor) -> torch.Tensor:
    """Two images (2, 3, 48, 48) of lighter and darker grains of one colour (3,)."""
    values = torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    return values * colour[:, None, None]


def test_a_change_of_grey_images_stays_grey():
    kept = colour_filter(grain(GREY)) @ torch.tensor([1.0, 0.0, 0.0])
    assert float(kept.std()) < 0.01 * float(kept.norm())


def test_a_change_along_the_images_own_colour_passes_whole_and_one_across_it_does_not():
    brown = torch.tensor([0.8, 0.5, 0.3])
    brown = brown / brown.norm()
    across = torch.linalg.cross(brown, GREY)
    kept = colour_filter(grain(brown))
    torch.testing.assert_close(kept @ brown, brown, atol=0.01, rtol=0.01)
    assert float((kept @ across).norm()) < 0.1 * float(across.norm())


def test_no_change_grows_and_the_filter_is_symmetric():
    kept = colour_filter(torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(kept, kept.T)
    assert float(torch.linalg.eigvalsh(kept).max()) <= 1 + 1e-5


def test_the_edge_of_a_bright_picture_is_no_contrast():
    blue = torch.tensor([0.0, 0.0, 1.0])
    kept = colour_filter(0.7 + 0.1 * grain(blue))
    assert float((kept @ torch.tensor([1.0, 0.0, 0.0])).norm()) < 0.1
