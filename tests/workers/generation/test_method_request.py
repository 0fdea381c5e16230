"""What a client is told of the new images is what the method makes."""

from hypothesis import given, settings
from PIL import Image

import app.images.output_size
import models.views.view
from tests.app.images.test_output_size import accepted_sizes, image_sizes


@settings(deadline=None)
@given(accepted_sizes().filter(lambda size: size[0] * size[1] <= 4_000_000), image_sizes)
def test_the_method_makes_images_of_the_size_that_was_told(first: tuple[int, int], image_size: int):
    told = app.images.output_size.output_size(first, image_size)
    assert models.views.view.output_size(Image.new("1", first), image_size) == told
