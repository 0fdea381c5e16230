"""README's first job with the real models: it works when pasted, and its ZIP is as documented."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.conftest import RunningService
from tests.docs.pages import names
from tests.docs.running import run_page

pytestmark = pytest.mark.slow

ARCHIVE = "docs/archive.md"


@pytest.fixture(scope="module")
def archive(
    real_service: RunningService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[zipfile.ZipFile]:
    """What the reader has downloaded in the end."""
    folder = tmp_path_factory.mktemp("reader")
    run_page("README.md", real_service, folder)
    with zipfile.ZipFile(folder / "coin.zip") as opened:
        yield opened


def test_the_card_counts_the_plain_views(archive: zipfile.ZipFile):
    images = json.loads(archive.read("manifest.json"))["images"]
    num_views = sum(image["source_kind"] == "view" for image in images)
    assert f"\n{num_views} of them are views" in archive.read("README.md").decode()


def as_documented(path: str) -> str:
    """The path with the docs' example of an object, of all images the first."""
    return re.sub(r"\d{3}\.png$", "000.png", path.replace("coin/", "hazelnut/"))


def test_the_first_job_ends_in_a_whole_archive(archive: zipfile.ZipFile):
    assert archive.testzip() is None


def test_the_docs_list_the_archives_files(archive: zipfile.ZipFile):
    found = {as_documented(path) for path in archive.namelist()}
    assert sorted(names(ARCHIVE, "What is in it")) == sorted(found)


def test_the_docs_list_the_tables_columns(archive: zipfile.ZipFile):
    text = archive.read("coin/train/metadata.csv").decode()
    assert names(ARCHIVE, "metadata.csv") == next(csv.reader(io.StringIO(text)))


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where the manifest's values stand: `prompt.candidates[].text`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from key_paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from key_paths(inner, f"{path}[]")
    else:
        yield path


def covers(documented: str, path: str) -> bool:
    """Whether a row of the docs speaks of the path; `words.*` of all below `words`.

    `rounds[].cosine` speaks of `rounds` too, which is the path of an empty list, and
    `held_out.network` of `held_out`, which is null without such images.
    """
    if documented.startswith((f"{path}[]", f"{path}.")):
        return True
    if documented.endswith(".*"):
        return path.startswith(documented[:-1])
    return path == documented


def test_the_docs_list_the_manifests_keys(archive: zipfile.ZipFile):
    paths = set(key_paths(json.loads(archive.read("manifest.json"))))
    documented = names(ARCHIVE, "manifest.json")
    assert len(set(documented)) == len(documented)
    assert [p for p in sorted(paths) if not any(covers(d, p) for d in documented)] == []
    assert [d for d in documented if not any(covers(d, p) for p in paths)] == []
