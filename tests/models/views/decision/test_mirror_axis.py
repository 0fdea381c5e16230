from models.views.decision.mirror_axis import mirror_axis_deg
from models.views.showing.part_mask import lone_part_mask
from tests.models.conftest import part_image


def test_the_mirror_axis_of_a_lone_part_is_found():
    for angle in (0, 30, 72, 140):
        image = part_image(angle_deg=angle)
        mask = lone_part_mask(image)
        assert mask is not None
        found = mirror_axis_deg(image, mask)
        assert abs((found - angle + 90) % 180 - 90) <= 6
