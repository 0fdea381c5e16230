"""One set of images measured on one network."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FidelityCell:
    """Figures of one row's images for one draw of the given ones, all in [0, 1].

    Attributes:
        shots: number k of given images.
        network: what the figures were taken on.
        key: digest of the settings, code, weights and files that the figures come from.
        precision: share of the row's images that lie within what the line makes.
        coverage: share of the reference images that the row's images cover.
        coverage_with_given: the same of the row's and the given images together, as a detector
            gets them.
        image_auroc, pixel_auroc, pro: of a detector trained on the given and the row's images;
            None where it was not wanted or there are no masks.
        num_images: the row's images, without those given.
        row_s, measure_s: seconds for making them, and for these figures.
    """

    category: str
    shots: int
    seed: int
    row: str
    network: str
    key: str
    precision: float
    coverage: float
    coverage_with_given: float
    image_auroc: float | None
    pixel_auroc: float | None
    pro: float | None
    num_images: int
    row_s: float
    measure_s: float

    @property
    def identity(self) -> tuple[str, int, int, str, str, str]:
        """What makes measuring again pointless."""
        return (self.category, self.shots, self.seed, self.row, self.network, self.key)


FIGURES = ("precision", "coverage", "coverage_with_given", "image_auroc", "pixel_auroc", "pro")
