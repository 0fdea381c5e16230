"""One good image, at the size at which views of it are made.

Axes: H0 x W0 pixels of the image, H x W of what is shown; images (3, H, W) in [0, 1].
"""

from dataclasses import replace
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor

from models.views.showing.lone_part import LonePart
from models.views.showing.part_mask import has_plain_frame, main_part
from models.views.showing.relight import relight
from models.views.showing.resampling import resampled
from models.views.showing.warp import apply_view, looks_far_out, within
from models.views.view import MAX_SIDE_PX, View, scaled, to_tensor

# An image is worked on at its own size, up to this multiple of what is shown: a finer one shows no
# more.
WORKING_FACTOR = 3


class Source:
    """One good image and, where one lies free on its ground, the part that moves.

    Args:
        image: the good image.
        size: (width, height) at which its views are shown.
        device: where the pixels lie.
        like: the same image at another size: its part is the part here.

    Attributes:
        size: (width, height) of its own pixels.
        part: the lone part; None where there is none.
        has_plain_frame: along its frame there is nothing but plain ground.
    """

    def __init__(
        self,
        image: Image.Image,
        size: tuple[int, int],
        device: torch.device,
        like: "Source | None" = None,
    ):
        self.size = working_size(image.size, size)
        self._shown_at = size
        pixels = to_tensor(image, self.size)
        self._bytes = (pixels * 255).round().byte().to(device)  # a quarter of what floats take
        if like is None:
            self.part = LonePart.find(self.pixels)
            self.has_plain_frame = has_plain_frame(self.pixels)
        else:
            self.part = like.part and like.part.at(self.pixels)
            self.has_plain_frame = like.has_plain_frame

    def free_part(self) -> bool:
        """Takes the part off its ground on the word of somebody who knows; whether there is one."""
        self.part = self.part or LonePart.find(self.pixels, told=True)
        return self.part is not None

    @property
    def pixels(self) -> Tensor:
        """The image, (3, H0, W0)."""
        return self._bytes.float() / 255.0

    def still(self) -> Tensor:
        """The image as it is, at the size at which it is shown, (3, H, W)."""
        return resampled(self.pixels, self._shown_at).clamp(0.0, 1.0)

    def shown(self, view: View) -> Tensor:
        """The image as the view shows it, (3, H, W)."""
        if self.part is None:
            return _half_turned(self._whole(view), view)
        moved = self.part.shown(self.pixels, view, self._shown_at)
        return _half_turned(relight(resampled(moved, self._shown_at).clamp(0.0, 1.0), view), view)

    def moved_whole(self, view: View) -> tuple[Tensor, Tensor]:
        """The image moved as a whole, its ground too, (3, H, W), and where it is seen, (H, W) bool.

        What shows beyond its edge is not of the image, but where the view itself is the whole image
        with its plain edge drawn out, or with a narrow strip beyond it.
        """
        if view.fill == "edge":
            shown, is_seen = self._whole(view), torch.ones(self._shown_at[::-1], dtype=torch.bool)
            if self._ground_beyond(view):
                is_seen = within(view, self.size, self._shown_at)
        else:
            shown = apply_view(self.pixels, replace(view, fill="mirror"), self._shown_at)
            is_seen = within(view, self.size, self._shown_at)
        return _half_turned(shown, view), _half_turned(is_seen.to(shown.device), view)

    def _whole(self, view: View) -> Tensor:
        """The image moved with all that is seen, (3, H, W)."""
        shown = apply_view(self.pixels, view, self._shown_at)
        if not self._ground_beyond(view):
            return shown
        ground = self._bare_ground.float() / 255.0
        beyond = apply_view(ground, replace(view, fill="mirror"), self._shown_at)
        return torch.where(within(view, self.size, self._shown_at).to(shown.device), shown, beyond)

    def _ground_beyond(self, view: View) -> bool:
        """Whether the bare ground, mirrored, is to be seen beyond the edge.

        A plain edge can be drawn out, a rough one turns to streaks.
        """
        return view.fill == "edge" and looks_far_out(view) and not self.has_plain_frame

    @cached_property
    def _bare_ground(self) -> Tensor:
        """The image without its part and what holds it, (3, H0, W0) uint8."""
        found = main_part(self.pixels.cpu())
        if found is None:
            return self._bytes
        return LonePart.off_ground(self.pixels, found.held, found.held).ground


def _half_turned(picture: Tensor, view: View) -> Tensor:
    """The finished picture (..., H, W), turned by half if the view has it so."""
    return picture.flip((-2, -1)) if view.half_turn else picture


def working_size(source: tuple[int, int], shown: tuple[int, int]) -> tuple[int, int]:
    """(width, height) at which an image is warped: its own, but no finer than is of use."""
    most = min(WORKING_FACTOR * max(shown), MAX_SIDE_PX)
    return scaled(source, min(most, max(source)))
