"""How near a set of images is to the prompt: cos(z^v, z^t).

Source: Lee & Choi, CVPR 2024 (arXiv 2403.06247), section 4.2.
"""

from torch import Tensor
from torch.nn import functional as F


def set_cosine(image_embeddings: Tensor, text_embedding: Tensor) -> Tensor:
    """cos(z^v, z^t), a scalar, for f(I+_j) (J, D) with the mean z^v, and z^t (D,)."""
    z_v = image_embeddings.mean(dim=0)
    return F.cosine_similarity(z_v, text_embedding, dim=0)
