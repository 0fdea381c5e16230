"""README and docs as texts: short enough to be read, and every link leads somewhere."""

import re

import pytest

from tests.docs.pages import PAGES, ROOT, headings, links

MAX_README_LINES = 150
MAX_PICTURE_BYTES = 300_000


def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    texts = (re.sub(r"[^\w\- ]", "", text.lower()) for _, text in headings(page))
    return {text.replace(" ", "-") for text in texts}


def test_the_readme_is_read_to_the_end():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_the_readme_leads_to_every_page():
    assert set(PAGES) - {"README.md"} <= set(links("README.md"))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str):
    for link in links(page):
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", link):
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            name = str(target.resolve().relative_to(ROOT))
            assert anchor in anchors(name), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_headings_of_a_page_differ(page: str):
    texts = [text for _, text in headings(page)]
    assert len(texts) == len(set(texts))


def test_pictures_are_small():
    for path in (ROOT / "docs").iterdir():
        if path.suffix in (".png", ".jpg", ".svg"):
            assert path.stat().st_size < MAX_PICTURE_BYTES, path
