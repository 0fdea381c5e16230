import io

import torch
from PIL import Image

from models.views.decision.distinct import distinct
from models.views.view import to_image, to_tensor
from tests.models.conftest import part_image, texture_image


def test_the_same_pixels_count_once_and_other_pictures_each():
    part, other, texture = part_image(angle_deg=20), part_image(angle_deg=21), texture_image()
    images = torch.stack([part, part, texture, other, texture])
    assert distinct(images) == [0, 2, 3]


def test_another_part_of_the_same_kind_is_another_picture():
    """They differ by noise alone."""
    assert distinct(torch.stack([part_image(angle_deg=20, seed=n) for n in range(3)])) == [0, 1, 2]


def test_a_picture_kept_in_another_format_is_no_other():
    image = to_image(part_image(angle_deg=20))
    file = io.BytesIO()
    image.save(file, "WEBP", quality=100, lossless=True)
    images = [to_tensor(i.convert("RGB"), (128, 128)) for i in (image, Image.open(file))]
    assert distinct(torch.stack(images)) == [0]
