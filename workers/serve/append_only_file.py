"""What a data folder holds of an earlier Redis, and whether a new one will load all of it.

Redis up to 6 wrote one file, `appendonly.aof`; since 7, and in Valkey, several files lie in a
folder beside a manifest that names them. A newer server moves the old file into its folder and
loads it. What it would pass over without a word is refused here.
"""

from pathlib import Path

OLD_FILE = "appendonly.aof"
FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"


def check_append_only_file(folder: Path) -> None:
    """Nothing, if a server of today will load everything that was written to the folder.

    Raises:
        RuntimeError: it would not; the message says what to do.
    """
    manifest = folder / FOLDER / MANIFEST
    if not manifest.is_file():
        if any((folder / FOLDER).glob("*.aof*")):
            raise RuntimeError(
                f"{folder / FOLDER} lacks its {MANIFEST}, without which Redis would start empty. "
                "Bring the folder back from a backup, or move it away to start without its jobs."
            )
        return
    if (folder / OLD_FILE).exists() and _has_been_written_to(manifest):
        raise RuntimeError(
            f"{folder} was used by an older goodmany after a newer one: {OLD_FILE} and {FOLDER} "
            "hold different jobs, and only one of them can be loaded. Move the other away."
        )


def _has_been_written_to(manifest: Path) -> bool:
    """Whether a newer server has come as far as to write; before, it takes the old file over."""
    return any(line.endswith("type i") for line in manifest.read_text().splitlines())
