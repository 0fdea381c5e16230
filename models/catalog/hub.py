"""What the hub's local cache holds of a repository; the hub itself is not asked."""

from huggingface_hub import CachedFileInfo, CachedRevisionInfo, constants, scan_cache_dir
from huggingface_hub.errors import CacheNotFound

from models.catalog.entry import ModelFile

SHA256_DIGITS = 64
WEIGHTS_SUFFIX = ".safetensors"


def cached_files(repository: str, subfolder: str = "") -> tuple[str | None, tuple[ModelFile, ...]]:
    """(commit, files) of the revision that a loader takes; (None, ()) if none has weights.

    The hub's client names each content by its SHA-256, or as git does when it is small. Weights
    that the hub has converted lie in a revision of their own.

    Args:
        repository: `owner/name`.
        subfolder: only the files below it; all if empty.
    """
    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return None, ()
    loadable = [
        revision
        for repo in repos
        if repo.repo_id == repository
        for revision in repo.revisions
        if any(file.file_name.endswith(WEIGHTS_SUFFIX) for file in _below(revision, subfolder))
    ]
    if not loadable:
        return None, ()
    taken = max(loadable, key=lambda one: ("main" in one.refs, one.last_modified))
    files = sorted(_below(taken, subfolder), key=lambda file: (-file.size_on_disk, file.file_name))
    return taken.commit_hash, tuple(
        ModelFile(file.file_path, _digest(file.blob_path.name)) for file in files
    )


def _below(revision: CachedRevisionInfo, subfolder: str) -> list[CachedFileInfo]:
    folder = revision.snapshot_path / subfolder
    return [file for file in revision.files if file.file_path.is_relative_to(folder)]


def _digest(blob: str) -> str:
    return f"{'sha256' if len(blob) == SHA256_DIGITS else 'git'}:{blob}"
