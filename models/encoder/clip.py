"""CLIP as transformers saves it: a folder, or a name on a model hub.

Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
ICML 2021 (arXiv 2103.00020), section 2.
"""

from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from models.runtime.hub import cached_or_fetched

TEXT_BATCH = 64


class ClipEncoder(nn.Module):
    """A `TextImageEncoder` on a frozen CLIPModel; D is the model's projection size."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(
        self,
        model: CLIPModel,
        tokenizer: CLIPTokenizer,
        processor: CLIPImageProcessorPil,
    ):
        """Takes the image size from the model, and mean and deviation from the processor."""
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.image_size_px = int(cast(Any, model.config.vision_config).image_size)
        self.max_tokens = int(cast(Any, model.config.text_config).max_position_embeddings)
        self.register_buffer("image_mean", torch.tensor(processor.image_mean).view(1, 3, 1, 1))
        self.register_buffer("image_std", torch.tensor(processor.image_std).view(1, 3, 1, 1))

    @torch.no_grad()
    def embed_text(self, texts: list[str]) -> Tensor:
        """G(S): unit vectors (T, D) of T texts; what exceeds the model's length is cut off."""
        vectors = []
        for start in range(0, len(texts), TEXT_BATCH):
            tokens = self.tokenizer(
                texts[start : start + TEXT_BATCH],
                padding=True,
                truncation=True,
                max_length=self.max_tokens,
                return_tensors="pt",
            ).to(self.model.device)
            vectors.append(self.model.get_text_features(**tokens).pooler_output)
        return F.normalize(torch.cat(vectors), dim=1)

    def embed_image(self, x: Tensor) -> Tensor:
        """f(I): unit vectors (B, D) of images x (B, 3, H, W) in [0, 1], differentiable in x.

        The whole image is resized to the model's square: an industrial image's border counts, and
        CLIP's own centre crop would drop it.
        """
        size = (self.image_size_px, self.image_size_px)
        x = F.interpolate(x, size, mode="bicubic", antialias=True, align_corners=False)
        pixels = (x.clamp(0, 1) - self.image_mean) / self.image_std
        return F.normalize(self.model.get_image_features(pixels).pooler_output, dim=1)


def load_clip(source: str) -> ClipEncoder:
    """A CLIP from a folder or a model hub, on the CPU; the hub's local cache is asked first.

    Raises:
        RuntimeError: nothing loadable at `source`; one sentence that names it.
    """
    if Path(source).is_dir():
        if not (Path(source) / "model.safetensors").is_file():
            raise RuntimeError(f"no CLIP in the folder {source}: it has no model.safetensors")
        return _from_pretrained(source, local_files_only=True)
    return cached_or_fetched(source, lambda local: _from_pretrained(source, local_files_only=local))


def _from_pretrained(source: str, *, local_files_only: bool) -> ClipEncoder:
    options: dict[str, Any] = {"local_files_only": local_files_only}
    try:
        config, _ = CLIPConfig.get_config_dict(source, **options)
        if config.get("model_type") != "clip":
            raise ValueError(f"it is a {config.get('model_type')} model")
        loaded = CLIPModel.from_pretrained(
            source, use_safetensors=True, output_loading_info=True, **options
        )
        model, loading = cast(tuple[Any, dict[str, Any]], loaded)
        if loading["missing_keys"]:
            raise ValueError(f"its weights lack {len(loading['missing_keys'])} tensors")
        tokenizer = CLIPTokenizer.from_pretrained(source, **options)
        num_tokens, vocab_size = len(tokenizer), int(model.config.text_config.vocab_size)
        # A tokenizer without its vocabulary loads without complaint.
        if not vocab_size / 2 < num_tokens <= vocab_size:
            raise ValueError(f"its tokenizer has {num_tokens} tokens, the model {vocab_size}")
        processor = CLIPImageProcessorPil.from_pretrained(source, **options)
    except (OSError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise RuntimeError(f"no CLIP can be loaded from {source!r}: {reason}") from error
    return ClipEncoder(model, tokenizer, processor)
