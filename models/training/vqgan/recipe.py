"""What decides the weights that a run ends with, beside its data and how long it runs."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from models.generator.vqgan import VarianceAwareVQModel


@dataclass(frozen=True)
class Recipe:
    """All of it goes into the weights' card, and a run is resumed with no other.

    Attributes:
        seed: of the untrained weights, the crops and the codebook.
        batch_size: crops a step.
        lr: learning rate after `warm_up_steps`; from `full_lr_steps` on it falls with the root of
            the step's number.
        feature_weight: of the distance between features, beside the L1 losses' 1.
        continuous_steps: the autoencoder learns so long alone; the codebook then starts from its
            latents. None of it with weights to start from.
        adversarial_weight: of the discriminator's loss, 0: there is none.
        adversarial_start: the step after which it takes part.
        discriminator_lr: the discriminator's own learning rate.
        channels, patch_size, latent_channels, codes: the model's shape, unless there are weights to
            start from.
        linear_crops: the untrained weights are the best linear autoencoder of so many crops; 0:
            random ones, as they must be with more than one number of channels.
    """

    seed: int = 0
    batch_size: int = 16
    lr: float = 6e-4
    warm_up_steps: int = 100
    full_lr_steps: int = 4000
    feature_weight: float = 0.05
    continuous_steps: int = 0
    adversarial_weight: float = 0.0
    adversarial_start: int = 10000
    discriminator_lr: float = 2e-4
    channels: tuple[int, ...] = (144,)
    patch_size: int = 4
    latent_channels: int = 8
    codes: int = 4096
    linear_crops: int = 256

    def learning_rate(self, step: int) -> float:
        """The learning rate of step number `step`, 1 for the first."""
        risen = min(1.0, step / self.warm_up_steps) if self.warm_up_steps else 1.0
        return self.lr * risen / max(1.0, step / self.full_lr_steps) ** 0.5

    def new_model(self) -> VarianceAwareVQModel:
        """An untrained model of the shape."""
        fold, depth = 3 * self.patch_size**2, len(self.channels)
        return VarianceAwareVQModel(
            in_channels=fold,
            out_channels=fold,
            down_block_types=("DownEncoderBlock2D",) * depth,
            up_block_types=("UpDecoderBlock2D",) * depth,
            block_out_channels=self.channels,
            latent_channels=self.latent_channels,
            num_vq_embeddings=self.codes,
            norm_num_groups=8,
            mid_block_add_attention=False,
            patch_size=self.patch_size,
        )

    def as_dict(self) -> dict[str, Any]:
        """For a card or a checkpoint."""
        return {**asdict(self), "channels": list(self.channels)}

    def check_same(self, other: dict[str, Any]) -> None:
        """Compares with what `as_dict` gave.

        Raises:
            ValueError: they differ; the message says in what.
        """
        differing = [
            f"{field.name} was {other.get(field.name)}, is {self.as_dict()[field.name]}"
            for field in fields(self)
            if other.get(field.name) != self.as_dict()[field.name]
        ]
        if differing:
            raise ValueError(f"a run is resumed as it began: {'; '.join(differing)}")
