"""What is read of a page: no code block is overlooked, a table belongs to its heading."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks, code_spans, links, names, table

PAGE = """\
# Title

## Fruit

| name | colour |
|---|---|
| `apple`, `pear` | `green` |

### Sorts of apple

| name |
|---|
| `gala` |

```sh
echo one
```

## Nuts

Text alone, and [a link](other.md#there).

### Large

| name |
|---|
| `coconut` |

1. A list:

   ~~~python extra words
   print("two")
   ~~~

> ```
> three
> ```

    four

### Small

| name |
|---|
| `hazelnut` |

## Empty
"""


@pytest.fixture
def page(tmp_path: Path) -> str:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return str(path)


def test_every_code_block_is_found(page: str):
    found = [(block.language, block.about, block.code.strip()) for block in blocks(page)]
    assert found == [
        ("sh", "", "echo one"),
        ("python", "extra words", 'print("two")'),
        ("", "", "three"),
        ("", "", "four"),
    ]
    lines = [PAGE.splitlines()[block.line - 1].strip() for block in blocks(page)]
    assert lines == ["```sh", "~~~python extra words", "> ```", "four"]


def test_names_are_those_of_the_first_cells_directly_below_the_heading(page: str):
    assert names(page, "Fruit") == ["apple", "pear"]
    assert names(page, "Sorts of apple") == ["gala"]


def test_a_heading_without_a_table_has_those_of_its_subsections(page: str):
    assert names(page, "Nuts") == ["coconut", "hazelnut"]


@pytest.mark.parametrize("heading", ["Empty", "Vegetables"])
def test_where_there_is_no_table_there_is_an_error(page: str, heading: str):
    with pytest.raises(LookupError):
        table(page, heading)


def test_links_and_code_spans(page: str):
    assert links(page) == ["other.md#there"]
    assert code_spans("`a` and `b c`, not d") == ["a", "b c"]
