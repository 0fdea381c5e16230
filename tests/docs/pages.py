"""README and docs as Markdown's own rules read them: code blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
CODE_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes:
        page: such as `docs/api.md`.
        line: of its first fence, from 1.
        language: the first word behind the fence, "" for none.
        about: the words behind it.
        code: what stands in it.
    """

    page: str
    line: int
    language: str
    about: str
    code: str

    @property
    def place(self) -> str:
        """For people."""
        return f"{self.page}:{self.line}"


@cache
def tokens(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text())


def blocks(page: str) -> list[Block]:
    """All code blocks of a page, fenced or indented, in lists and quotes too."""
    found = []
    for token in tokens(page):
        if token.type in ("fence", "code_block"):
            language, _, about = token.info.strip().partition(" ")
            assert token.map is not None
            found.append(Block(page, token.map[0] + 1, language, about.strip(), token.content))
    return found


def headings(page: str) -> list[tuple[int, str]]:
    """(level, text) of a page's headings, in order."""
    pairs = zip(tokens(page), tokens(page)[1:], strict=False)
    return [(int(t.tag[1]), text.content) for t, text in pairs if t.type == "heading_open"]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of all rows, head rows excluded, of the tables directly below a heading.

    If there are none, those of its subsections.

    Raises:
        LookupError: there is no such heading, or no table below it.
    """
    rows = list(_rows(page, heading))
    if not rows:
        raise LookupError(f"{page} has no table below the heading {heading!r}")
    direct = [row for is_direct, row in rows if is_direct]
    return direct or [row for _, row in rows]


def _rows(page: str, heading: str) -> Iterator[tuple[bool, list[str]]]:
    """Whether it stands directly below the heading, and the row's cells."""
    level, depth, in_body = 0, 0, False
    row: list[str] = []
    for token, following in zip(tokens(page), tokens(page)[1:], strict=False):
        if token.type == "heading_open":
            depth = int(token.tag[1])
            if following.content == heading:
                level = depth
            elif depth <= level:
                level = 0
        in_body = token.type == "tbody_open" or (in_body and token.type != "tbody_close")
        if token.type == "tr_open":
            row = []
        elif token.type == "td_open":
            row.append(following.content)
        elif token.type == "tr_close" and in_body and level:
            yield depth == level, row


def code_spans(text: str) -> list[str]:
    """What stands in backticks."""
    return CODE_SPAN.findall(text)


def names(page: str, heading: str) -> list[str]:
    """What stands in backticks in the first cells of the tables below a heading."""
    return [name for row in table(page, heading) for name in code_spans(row[0])]


def links(page: str) -> list[str]:
    """The targets of a page's links and pictures."""
    inlines = [child for token in tokens(page) for child in token.children or []]
    targets = [token.attrGet("href") or token.attrGet("src") for token in inlines]
    return [str(target) for target in targets if target]
