"""What a run leaves: its whole state to go on from, and weights with a card.

A reader finds the old file or the new one, never half of one: each is written beside and renamed.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, cast

import torch

from models.generator.vqgan import VarianceAwareVQModel

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.json"
# Below 16 MiB, in the unit that diffusers counts in.
SHARD_SIZE = "16MB"


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Writes the state into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{CHECKPOINT}.part"
    with unfinished.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / CHECKPOINT)


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """What `write_checkpoint` wrote, on the CPU.

    Raises:
        ValueError: the folder has none.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise ValueError(f"no {CHECKPOINT} in {folder} to resume from")
    return cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))


def write_weights(folder: Path, model: VarianceAwareVQModel, card: dict[str, Any]) -> None:
    """Writes the weights, in shards of up to SHARD_SIZE, and the card as METRICS."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".weights-") as unfinished:
        model.save_pretrained(unfinished, safe_serialization=True, max_shard_size=SHARD_SIZE)
        config = Path(unfinished) / "config.json"
        # Where weights were loaded from is a path of this machine.
        kept = {k: v for k, v in json.loads(config.read_text()).items() if k != "_name_or_path"}
        config.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
        (Path(unfinished) / METRICS).write_text(json.dumps(card, indent=2) + "\n")
        written = sorted(Path(unfinished).iterdir(), key=lambda path: path.name == METRICS)
        known = {path.name for path in written}
        for path in written:
            path.chmod(0o644)
            path.replace(folder / path.name)
    for path in folder.glob("diffusion_pytorch_model*"):  # of another number of shards
        if path.name not in known:
            path.unlink()
