"""A hub's local cache as its client leaves it: contents by their digests, links by their names."""

import hashlib
from pathlib import Path

MAIN = "1" * 40
CONVERTED = "2" * 40


def cache(
    folder: Path, repository: str, files: dict[str, bytes], *, commit: str = MAIN, ref: str = "main"
) -> None:
    """Adds one revision; contents that end like weights are named by SHA-256, others as by git."""
    repo = folder / f"models--{repository.replace('/', '--')}"
    reference = repo / "refs" / ref
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(commit)
    for name, content in files.items():
        blob = repo / "blobs" / _digest(name, content)
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(content)
        link = repo / "snapshots" / commit / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)


def _digest(name: str, content: bytes) -> str:
    if name.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
